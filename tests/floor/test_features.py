"""Cached features, and the head that is trained on them."""

import pytest
import torch
from small_networks import changed, copy_of_state, noise_pictures, small_resnet, tiny_net, to_tensor
from torch import nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_small, resnet18, squeezenet1_1

from course_utils import (
    evaluate,
    extract_features,
    find_head,
    fit_head,
    install_head,
)

pytestmark = pytest.mark.usefixtures("one_thread", "bars_as_usual")


def test_features_are_what_reaches_the_head():
    model, pictures = small_resnet(), noise_pictures(5)
    features, labels = extract_features(model, to_tensor, pictures, batch_size=2)
    assert features.shape == (5, 512)
    assert features.dtype == torch.float32
    assert not features.requires_grad
    assert labels.tolist() == [0, 1, 0, 1, 0]
    with torch.no_grad():
        logits = model(torch.stack([to_tensor(image) for image in pictures.images]))
    assert torch.allclose(model.fc(features), logits, atol=1e-5)


@pytest.mark.parametrize("build", [resnet18, mobilenet_v3_small, squeezenet1_1])
def test_extracting_runs_in_eval_mode_and_leaves_no_trace(build):
    torch.manual_seed(0)
    model = build(num_classes=2).train()
    find_head(model).layer.eval()  # a mixture of modes must come back as it was
    state, modes = copy_of_state(model), [module.training for module in model.modules()]
    first, _ = extract_features(model, to_tensor, noise_pictures(3))
    again, _ = extract_features(model, to_tensor, noise_pictures(3), batch_size=1)
    assert torch.allclose(first, again, atol=1e-4)  # with Dropout or batch statistics they would differ widely
    assert [module.training for module in model.modules()] == modes
    assert changed(model, state) == set()
    assert not any(module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("build", [resnet18, mobilenet_v3_small, squeezenet1_1])
def test_a_head_from_cached_features_gives_the_logits_of_the_whole_model(build):
    torch.manual_seed(0)
    # 64 px, so that SqueezeNet's head sees a map of 3 x 3 and averaging it matters
    model, pictures = build(num_classes=1000).eval(), noise_pictures(8, size=64)
    features, labels = extract_features(model, to_tensor, pictures)
    linear, _ = fit_head(features, labels, 2, epochs=20)
    assert install_head(model, linear) is model
    logits, _ = evaluate(model, to_tensor, pictures)
    assert logits.shape == (8, 2)
    assert torch.allclose(logits, linear(features), atol=1e-4)


def test_installing_a_head_keeps_the_backbone():
    model = small_resnet()
    before = copy_of_state(model)
    install_head(model, nn.Linear(512, 2))
    assert changed(model, before) == {"fc.weight", "fc.bias"}


def test_a_head_without_bias_gets_one():
    model, pictures = tiny_net(), noise_pictures(4)
    model.fc = nn.Linear(4, 2, bias=False)  # like MaxViT's
    features, labels = extract_features(model, to_tensor, pictures)
    linear, _ = fit_head(features, labels, 2, epochs=3, head=model.fc)
    install_head(model, linear)
    assert torch.allclose(evaluate(model, to_tensor, pictures)[0], linear(features), atol=1e-5)
    assert "fc.bias" in model.state_dict()


def test_a_head_for_other_features_is_refused():
    with pytest.raises(ValueError, match="takes 100 features.*'fc'.*gets 512"):
        install_head(small_resnet(), nn.Linear(100, 2))


def test_evaluate_counts_every_picture_once():
    model, pictures = small_resnet(), noise_pictures(5)
    logits, labels = evaluate(model.train(), to_tensor, pictures, batch_size=2)
    model.eval()
    with torch.no_grad():
        expected = torch.cat([model(to_tensor(image)[None]) for image in pictures.images])
    assert torch.allclose(logits, expected, atol=1e-5)
    assert labels.tolist() == list(pictures.labels)


# The head


def blobs(n: int, seed: int = 0, num_features: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Two overlapping clouds, with features on very different scales and one that never changes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    features = torch.randn(n, num_features, generator=generator) + 1.5 * labels[:, None]
    features = features * torch.logspace(-3, 3, num_features) + 50
    features[:, 2] = 7.0
    return features, labels


def test_fit_head_learns_from_features_on_any_scale():
    features, labels = blobs(200)
    linear, history = fit_head(features, labels, 2)
    others, other_labels = blobs(200, seed=1)
    assert (linear(others).argmax(dim=1) == other_labels).float().mean() > 0.9
    assert history.epochs == 100
    assert history.train_loss[-1] < history.train_loss[0]


def test_the_returned_layer_takes_raw_features():
    """The scaling is folded in: the validation loss in the history is that of the layer on features as they are."""
    validation = blobs(50, seed=1)
    linear, history = fit_head(*blobs(80), 2, validation=validation, epochs=30)
    loss = F.cross_entropy(linear(validation[0]), validation[1]).item()
    assert loss == pytest.approx(history.validation_loss[history.best_epoch - 1], rel=1e-3)


def test_the_best_epoch_is_kept_and_patience_stops_the_training():
    features = torch.randn(20, 40, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 2
    unrelated = torch.randn(20, 40, generator=torch.Generator().manual_seed(1)), labels
    linear, history = fit_head(features, labels, 2, lr=0.1, validation=unrelated, patience=3, epochs=100)
    assert history.epochs == history.best_epoch + 3
    assert min(history.validation_loss) == history.validation_loss[history.best_epoch - 1]
    kept = F.cross_entropy(linear(unrelated[0]), labels).item()
    assert kept == pytest.approx(min(history.validation_loss), rel=1e-4)


def test_the_steps_that_are_written_out_are_those_of_autograd_and_adamw():
    features, labels = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 3
    scaled = (features - features.mean(dim=0)) / features.std(dim=0, correction=0)
    expected = nn.Linear(6, 3)
    nn.init.zeros_(expected.weight), nn.init.zeros_(expected.bias)
    optimizer = torch.optim.AdamW(expected.parameters(), lr=0.05, weight_decay=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10 * 4)
    shuffle = torch.Generator().manual_seed(7)
    for _ in range(10):
        for batch in torch.randperm(50, generator=shuffle).split(16):
            optimizer.zero_grad()
            F.cross_entropy(expected(scaled[batch]), labels[batch]).backward()
            optimizer.step()
            scheduler.step()
    layer, _ = fit_head(features, labels, 3, epochs=10, lr=0.05, weight_decay=0.3, batch_size=16, seed=7)
    torch.testing.assert_close(layer(features), expected(scaled), atol=1e-5, rtol=0)


def test_the_same_seed_gives_the_same_head():
    one, _ = fit_head(*blobs(100), 2, epochs=5, batch_size=8)
    same, _ = fit_head(*blobs(100), 2, epochs=5, batch_size=8)
    other, _ = fit_head(*blobs(100), 2, epochs=5, batch_size=8, seed=1)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)


def test_training_can_start_from_a_head():
    features, labels = blobs(100)
    good, _ = fit_head(features, labels, 2)
    before = copy_of_state(good)
    continued, history = fit_head(features, labels, 2, epochs=1, lr=1e-9, head=good)
    assert changed(good, before) == set()
    assert torch.allclose(continued(features), good(features), atol=1e-2)
    assert history.train_accuracy[0] == (good(features).argmax(dim=1) == labels).float().mean()


def test_numpy_arrays_are_welcome():
    features, labels = blobs(40)
    linear, _ = fit_head(features.double().numpy(), labels.numpy(), 2, epochs=5)
    assert linear.weight.dtype == torch.float32


X, Y = torch.zeros(4, 3), torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((X, Y + 1, 2), {}, "Labels go from 1 to 2, but 2 classes are 0 to 1"),
        ((X, Y - 1, 2), {}, "Labels go from -1 to 0"),
        ((X[:0], Y[:0], 2), {}, "not be empty"),
        ((X[0], Y, 2), {}, r"shape \(N, D\)"),
        ((X, Y[:3], 2), {}, "4 rows of features"),
        ((X, Y.float(), 2), {}, "whole-number labels, got torch.float32"),
        ((X * torch.nan, Y, 2), {}, "NaN or infinity"),
        ((X, Y, 0), {}, "num_classes must be a whole number"),
        ((X, Y, 2), {"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ((X, Y, 2), {"batch_size": 1.5}, "batch_size"),
        ((X, Y, 2), {"lr": -1.0}, "lr, the learning rate"),
        ((X, Y, 2), {"lr": torch.inf}, "lr, the learning rate"),
        ((X, Y, 2), {"patience": 2}, "something to validate on"),
        ((X, Y, 2), {"patience": 0, "validation": (X, Y)}, "patience must be"),
        ((X, Y, 2), {"validation": (X[:, :2], Y)}, "3 columns, those for validation 2"),
        ((X, Y, 2), {"validation": (X, Y + 5)}, "Labels go from 5 to 6"),
        ((X, Y, 2), {"head": nn.Linear(3, 5)}, "3 features into 5 scores.*3 features and 2 classes"),
    ],
)
def test_fit_head_names_bad_input(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        fit_head(*arguments, **settings)


def test_a_head_that_was_added_in_the_wrong_place_is_named():
    model = mobilenet_v3_small(num_classes=3)
    model.fc = nn.Linear(10, 2)
    with pytest.raises(ValueError, match="MobileNetV3 never used its layer 'fc'"):
        extract_features(model, to_tensor, noise_pictures(2))


@pytest.mark.parametrize(
    "features", [torch.zeros(4, 2, dtype=torch.complex64), torch.zeros(4, 2, device="meta")], ids=["complex", "meta"]
)
def test_features_that_are_no_numbers_are_refused(features):
    with pytest.raises(ValueError, match="must be real numbers, and not on the meta device"):
        fit_head(features, torch.tensor([0, 1, 0, 1]), 2)


@pytest.mark.parametrize("weight_decay", [-1, float("nan"), float("inf")])
def test_a_weight_decay_that_pushes_weights_away_is_refused(weight_decay):
    with pytest.raises(ValueError, match="weight_decay must be 0 or a positive number"):
        fit_head(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]), 2, weight_decay=weight_decay)


def test_a_layer_of_nan_is_neither_installed_nor_trained_further():
    layer = nn.Linear(4, 2)
    nn.init.constant_(layer.weight, float("nan"))
    for broken in (layer, nn.Linear(4, 2, device="meta")):
        with pytest.raises(ValueError, match="holds NaN or infinity, or no numbers"):
            install_head(tiny_net(), broken)
        with pytest.raises(ValueError, match="holds NaN or infinity, or no numbers"):
            fit_head(torch.zeros(4, 4), torch.tensor([0, 1, 0, 1]), 2, head=broken)
    with pytest.raises(ValueError, match="got NoneType"):
        install_head(tiny_net(), None)
