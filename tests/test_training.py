"""Cached features, the head on top of them, and the training loop: on noise pictures of 32 px that are easy to tell."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_small, resnet18, squeezenet1_1
from torchvision.transforms import v2

from course_utils import (
    History,
    Pictures,
    evaluate,
    extract_features,
    find_head,
    fine_tune,
    fit_head,
    freeze_backbone,
    install_head,
    progress_bar,
    replace_head,
    training,
)

NAMES = ("reddish", "bluish")
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)])


@pytest.fixture(autouse=True)
def one_thread():
    """Many tiny steps are faster, and sums are added in one order, on a single thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def bars_as_usual(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)


def noise_pictures(n: int, seed: int = 0, size: int = 32, categories=NAMES) -> Pictures:
    """Noise, with a tint of red in category 0 and of blue in category 1."""
    generator = np.random.default_rng(seed)
    images, labels = [], []
    for index in range(n):
        label = index % len(categories)
        pixels = generator.integers(0, 200, (size, size, 3), dtype=np.uint8)
        pixels[..., 2 if label else 0] += 55
        images.append(Image.fromarray(pixels))
        labels.append(label)
    return Pictures(images, labels, categories)


def small_resnet(seed: int = 0, num_classes: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    return resnet18(num_classes=num_classes).eval()


class TinyNet(nn.Module):
    """Fast enough for many epochs: no BatchNorm, no Dropout, so nothing differs between train and eval mode."""

    def __init__(self, num_classes: int = 2):
        super().__init__()
        self.features = nn.Conv2d(3, 4, kernel_size=3, stride=4)
        self.fc = nn.Linear(4, num_classes)

    def forward(self, x):
        return self.fc(self.features(x).relu().mean(dim=(2, 3)))


def tiny_net(seed: int = 0, num_classes: int = 2) -> TinyNet:
    torch.manual_seed(seed)
    return TinyNet(num_classes)


def net_with_batchnorm_and_dropout(seed: int = 0, dropout: float = 0.5) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, stride=4, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(8, 2))


def copy_of_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


def numbers_of(history: History) -> tuple:
    """All that must be the same in two equal runs: everything but the clock."""
    return history.train_loss, history.train_accuracy, history.validation_loss, history.validation_accuracy


# Features


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


# The training loop


def test_fine_tuning_learns_and_ends_ready_for_use():
    model, train, validation = small_resnet(), noise_pictures(16), noise_pictures(16, seed=1)
    before = copy_of_state(model)
    history = fine_tune(model, to_tensor, train, validation, epochs=3, lr=1e-3, batch_size=8, augment=False)
    logits, labels = evaluate(model, to_tensor, validation)
    assert (logits.argmax(dim=1) == labels).float().mean() >= 0.9
    assert len(changed(model, before)) == len(before)  # all 122 tensors of ResNet-18 moved
    assert not any(module.training for module in model.modules())
    assert history.epochs == 3
    assert history.total_seconds == sum(history.seconds) > 0


def test_fine_tuning_is_the_loop_of_the_textbook():
    """Written out for one batch of all pictures: train mode, gradients from zero, AdamW, the rate of each step."""
    pictures = noise_pictures(6)
    model, by_hand = (net_with_batchnorm_and_dropout(dropout=0.0).eval() for _ in range(2))
    fine_tune(model, to_tensor, pictures, epochs=3, lr=1e-2, batch_size=6, augment=False)

    images = torch.stack([to_tensor(image) for image in pictures.images])
    labels = torch.tensor(pictures.labels)
    by_hand.train()
    optimizer = torch.optim.AdamW(by_hand.parameters(), weight_decay=0.01)
    for share in (1, 1, 0.5):  # a warm-up of one step, then half a cosine over the other two
        optimizer.param_groups[0]["lr"] = 1e-2 * share
        optimizer.zero_grad()
        F.cross_entropy(by_hand(images), labels).backward()
        optimizer.step()
    for name, tensor in by_hand.state_dict().items():
        assert torch.allclose(model.state_dict()[name], tensor, rtol=1e-3, atol=1e-5), name


def test_a_frozen_backbone_stays_bit_identical():
    model = freeze_backbone(replace_head(small_resnet(num_classes=1000), 2))
    before = copy_of_state(model)
    fine_tune(model, to_tensor, noise_pictures(9), noise_pictures(4), epochs=2, lr=1e-2, batch_size=4)
    assert changed(model, before) == {"fc.weight", "fc.bias"}


def test_without_freeze_backbone_batchnorm_moves_although_no_weight_may():
    """What the test above protects from: gradients off, and still 60 tensors of statistics change."""
    model = small_resnet().requires_grad_(False)
    model.fc.requires_grad_(True)
    before = copy_of_state(model)
    fine_tune(model, to_tensor, noise_pictures(8), epochs=1, lr=1e-2, batch_size=4)
    assert len(changed(model, before)) == 62


def test_a_last_batch_of_one_is_left_out():
    """ResNet at 32 px cannot train on one picture; 9 pictures in batches of 4 would end with one."""
    history = fine_tune(small_resnet(), to_tensor, noise_pictures(9), epochs=1, lr=1e-3, batch_size=4)
    assert history.train_accuracy[0] * 8 == pytest.approx(round(history.train_accuracy[0] * 8))


def test_losses_are_means_over_pictures_not_over_batches():
    model, pictures = tiny_net(), noise_pictures(10)
    logits, labels = evaluate(model, to_tensor, pictures)
    each = F.cross_entropy(logits, labels, reduction="none")
    assert each.std() > 1e-3
    for batch_size in (3, 4, 10):  # 3 leaves one picture out, 4 ends with a batch of two
        history = fine_tune(
            model, to_tensor, pictures, pictures, epochs=1, lr=1e-12, batch_size=batch_size, augment=False
        )
        assert history.validation_loss[0] == pytest.approx(each.mean().item(), rel=1e-5)
        if batch_size > 3:
            assert history.train_loss[0] == pytest.approx(each.mean().item(), rel=1e-5)
            assert history.train_accuracy == history.validation_accuracy


def test_the_model_keeps_the_weights_of_its_best_epoch():
    train, validation = noise_pictures(8), noise_pictures(8, seed=3)
    swapped = Pictures(validation.images, [1 - label for label in validation.labels], NAMES)  # gets worse and worse
    model = tiny_net()
    history = fine_tune(model, to_tensor, train, swapped, epochs=6, lr=0.05, batch_size=4, augment=False)
    assert history.best_epoch < 6
    loss = F.cross_entropy(*evaluate(model, to_tensor, swapped)).item()
    assert loss == pytest.approx(min(history.validation_loss), rel=1e-5)
    stopped = fine_tune(
        tiny_net(), to_tensor, train, swapped, epochs=6, lr=0.05, batch_size=4, augment=False, patience=2
    )
    assert stopped.epochs == history.best_epoch + 2
    assert stopped.validation_loss == history.validation_loss[: stopped.epochs]


def test_without_validation_the_last_weights_stay():
    history = fine_tune(tiny_net(), to_tensor, noise_pictures(4), epochs=2, lr=1e-3)
    assert history.best_epoch == 2
    assert history.validation_loss == history.validation_accuracy == []


def test_the_seed_decides_and_the_global_random_state_is_left_alone():
    def run(seed: int) -> tuple:
        model = tiny_net()
        return numbers_of(fine_tune(model, to_tensor, noise_pictures(8), epochs=2, lr=1e-2, seed=seed)), model

    torch.manual_seed(5)
    expected = torch.rand(1)
    model = tiny_net()
    torch.manual_seed(5)
    fine_tune(model, to_tensor, noise_pictures(8), epochs=1, lr=1e-2)
    assert torch.equal(torch.rand(1), expected)
    (numbers, one), (same_numbers, same), (other_numbers, _) = run(0), run(0), run(1)
    assert numbers == same_numbers
    assert numbers != other_numbers
    assert changed(one, same.state_dict()) == set()


def test_augmentation_shows_other_pictures_in_each_epoch():
    seen = []

    class Spy(TinyNet):
        def forward(self, x):
            if self.training:
                seen.append(x.clone())
            return super().forward(x)

    pictures = noise_pictures(2)
    fine_tune(Spy(), to_tensor, pictures, epochs=2, lr=1e-3, augment=False)
    originals = torch.stack([to_tensor(image) for image in pictures.images])
    assert all(any(torch.equal(image, other) for other in originals) for batch in seen for image in batch)
    seen.clear()
    fine_tune(Spy(), to_tensor, pictures, epochs=2, lr=1e-3, augment=True)
    assert [batch.shape for batch in seen] == [(2, 3, 32, 32)] * 2
    assert len({image.sum().item() for batch in seen for image in batch}) == 4


def test_auxiliary_heads_learn_too():
    class WithAuxiliaryHead(TinyNet):
        Outputs = namedtuple("Outputs", ["logits", "aux_logits", "aux_logits2"])

        def __init__(self):
            super().__init__()
            self.aux = nn.Linear(3, 2)

        def forward(self, x):
            logits = super().forward(x)
            return self.Outputs(logits, self.aux(x.mean(dim=(2, 3))), None) if self.training else logits

    model = WithAuxiliaryHead()
    before = copy_of_state(model)
    fine_tune(model, to_tensor, noise_pictures(4), epochs=1, lr=1e-2)
    assert {"aux.weight", "fc.weight"} <= changed(model, before)


def test_pictures_beyond_the_limit_are_prepared_for_each_batch(monkeypatch):
    prepared = []

    def transform(image):
        prepared.append(image)
        return to_tensor(image)

    pictures = noise_pictures(6)
    kept = fine_tune(tiny_net(), transform, pictures, epochs=3, lr=1e-2, batch_size=3)
    assert len(prepared) == 6 + 1  # each once, and the first to see its size
    prepared.clear()
    monkeypatch.setattr(training, "CACHE_LIMIT", 1000)
    again = fine_tune(tiny_net(), transform, pictures, epochs=3, lr=1e-2, batch_size=3)
    assert len(prepared) >= 3 * 6
    assert numbers_of(kept) == numbers_of(again)


def test_the_learning_rate_climbs_and_falls():
    share = training._warm_up_then_cosine(100)
    shares = [share(step) for step in range(100)]
    assert max(shares) == shares[10] == 1
    assert shares[:10] == sorted(shares[:10])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert 0 < shares[0] <= 0.1
    assert shares[-1] < 0.01
    assert [training._warm_up_then_cosine(1)(step) for step in (0, 1)] == [1, 1]


def frozen() -> nn.Module:
    return tiny_net().requires_grad_(False)


def broken() -> nn.Module:
    model = tiny_net()
    nn.init.constant_(model.fc.weight, torch.nan)
    return model


TWO, ONE = noise_pictures(2), noise_pictures(1)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((frozen(), to_tensor, TWO), {}, "Nothing can be trained"),
        ((tiny_net(), to_tensor, noise_pictures(0)), {}, "no pictures"),
        ((tiny_net(), to_tensor, TWO, noise_pictures(0)), {}, "no pictures"),
        ((tiny_net(), to_tensor, ONE), {}, "One picture is not enough"),
        ((tiny_net(num_classes=200), to_tensor, TWO), {}, r"\(1, 200\).*replace_head\(model, 2\)"),
        ((tiny_net(num_classes=1), to_tensor, TWO), {}, r"\(1, 1\).*replace_head\(model, 2\)"),
        ((tiny_net(), to_tensor, TWO, noise_pictures(2, categories=("a", "b"))), {}, "Categories differ"),
        ((tiny_net(), lambda image: image, TWO), {}, "tensor of the same shape.*Image"),
        ((broken(), to_tensor, TWO), {}, "train loss is nan in epoch 1"),
        ((tiny_net(), to_tensor, TWO), {"epochs": 0}, "epochs"),
        ((tiny_net(), to_tensor, TWO), {"lr": 0}, "lr, the learning rate"),
        ((tiny_net(), to_tensor, TWO), {"patience": 1}, "something to validate on"),
    ],
)
def test_fine_tune_names_bad_input(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        fine_tune(*arguments, **({"epochs": 1, "lr": 1e-3} | settings))


def test_pictures_of_different_sizes_need_a_transform_that_makes_them_equal():
    mixed = Pictures([TWO.images[0], TWO.images[0].resize((40, 32))], [0, 1], NAMES)
    for call in (extract_features, evaluate):
        with pytest.raises(ValueError, match=r"\(3, 32, 32\), \(3, 32, 40\)"):
            call(tiny_net(), to_tensor, mixed)


def test_labels_outside_the_categories_are_refused():
    class Loose:
        images, labels, categories = TWO.images, (1, 2), NAMES

        def __len__(self):
            return 2

    for call in (extract_features, evaluate):
        with pytest.raises(ValueError, match="Labels go from 1 to 2"):
            call(tiny_net(), to_tensor, Loose())


# Checkpoints

SETTINGS = {"epochs": 4, "lr": 1e-2, "batch_size": 4, "seed": 3}


def interrupted_after(stop: int, monkeypatch, model: nn.Module, **settings) -> None:
    """Run `fine_tune` and pull the plug right after the checkpoint of the given epoch was written."""
    save = training._save

    def save_then_stop(path, settings, run, history, best):
        save(path, settings, run, history, best)
        if history.epochs == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_save", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            fine_tune(model, to_tensor, noise_pictures(10), noise_pictures(6, seed=1), **settings)


@pytest.mark.parametrize("build", [tiny_net, net_with_batchnorm_and_dropout])
def test_an_interrupted_run_ends_like_an_uninterrupted_one(build, tmp_path, monkeypatch, capsys):
    pictures = noise_pictures(10), noise_pictures(6, seed=1)
    through = build(0)
    expected = fine_tune(through, to_tensor, *pictures, **SETTINGS)
    file = tmp_path / "new folder" / "run.pt"
    interrupted_after(2, monkeypatch, build(0), checkpoint=file, **SETTINGS)
    resumed = build(1)  # whatever the model held before the file was read
    history = fine_tune(resumed, to_tensor, *pictures, checkpoint=str(file), **SETTINGS)
    assert numbers_of(history) == numbers_of(expected)
    assert changed(resumed, through.state_dict()) == set()
    assert capsys.readouterr().out == "run.pt: 2 of 4 epochs were done before.\n"
    assert [path.name for path in file.parent.iterdir()] == ["run.pt"]


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, second = tiny_net(), tiny_net(1)
    expected = fine_tune(first, to_tensor, TWO, checkpoint=tmp_path / "run.pt", **SETTINGS)
    history = fine_tune(second, to_tensor, TWO, checkpoint=tmp_path / "run.pt", **SETTINGS)
    assert history == expected  # the clock included: nothing was run
    assert changed(second, first.state_dict()) == set()


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        ({"lr": 0.5}, r"lr \(0.01 there, 0.5 here\)"),
        ({"epochs": 9}, r"epochs \(4 there, 9 here\)"),
        ({"seed": 4}, r"seed \(3 there, 4 here\)"),
        ({"train": noise_pictures(2, seed=9)}, "training pictures"),
        ({"validation": TWO}, "validation pictures"),
        ({"model": small_resnet()}, "model"),
        ({"transform": v2.Compose([to_tensor, v2.Normalize([2.0] * 3, [1.0] * 3)])}, "training pictures"),
    ],
)
def test_other_settings_are_refused(difference, message, tmp_path):
    file = tmp_path / "run.pt"
    call = {"model": tiny_net(), "transform": to_tensor, "train": TWO, "checkpoint": file} | SETTINGS
    fine_tune(**call)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=f"run.pt belongs to a run with other settings: .*{message}"):
        fine_tune(**(call | difference))
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_file_is_refused_and_kept(content, tmp_path):
    file = tmp_path / "run.pt"
    fine_tune(tiny_net(), to_tensor, TWO, checkpoint=file, **SETTINGS)
    file.write_bytes(file.read_bytes()[:-200] if content is None else content)
    before = file.read_bytes()
    with pytest.raises(ValueError, match="run.pt is damaged, or is no checkpoint"):
        fine_tune(tiny_net(), to_tensor, TWO, checkpoint=file, **SETTINGS)
    assert file.read_bytes() == before


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    file = tmp_path / "run.pt"
    interrupted_after(2, monkeypatch, tiny_net(), checkpoint=file, **SETTINGS)
    before = file.read_bytes()

    def full(_content, path):
        path.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(OSError, match=r"run.pt could not be written.*No space left"):
            fine_tune(
                tiny_net(),
                to_tensor,
                noise_pictures(10),
                noise_pictures(6, seed=1),
                checkpoint=file,
                **SETTINGS,
            )
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


# Progress bars


@pytest.fixture
def impatient(monkeypatch):
    """Bars that appear at once instead of after two seconds."""
    bar = progress_bar.tqdm
    monkeypatch.setattr(
        progress_bar, "tqdm", lambda *items, **options: bar(*items, **(options | {"delay": 0, "mininterval": 0}))
    )


def test_bars_go_to_stdout_and_vanish(impatient, capsys):
    fine_tune(tiny_net(), to_tensor, TWO, **SETTINGS)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Training: " in printed.out
    assert printed.out.endswith("\r")  # the line is wiped


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_bars_can_be_switched_off(way, impatient, capsys, monkeypatch):
    if way == "environment":
        monkeypatch.setenv("TQDM_DISABLE", "1")
    fine_tune(tiny_net(), to_tensor, TWO, progress=way == "environment", **SETTINGS)
    extract_features(tiny_net(), to_tensor, TWO, progress=way == "environment")
    assert capsys.readouterr() == ("", "")


def test_short_work_shows_no_bar(capsys):
    extract_features(tiny_net(), to_tensor, TWO)
    assert capsys.readouterr() == ("", "")


def test_in_a_notebook_a_bar_is_no_stderr_and_can_be_kept_out():
    """Three seconds of work in a real kernel, first with a bar, then with TQDM_DISABLE=1."""
    nbformat = pytest.importorskip("nbformat", reason="notebooks are optional (the lab extra)")
    nbclient = pytest.importorskip("nbclient", reason="notebooks are optional (the lab extra)")
    pytest.importorskip("ipykernel", reason="notebooks are optional (the lab extra)")
    load = "import os, time\nfrom course_utils.progress_bar import progress_bar"
    work = (
        "with progress_bar(6, 'Training', 'batch', True) as bar:\n"
        "    for _ in range(6):\n"
        "        time.sleep(0.5)\n"
        "        bar.update()"
    )
    cells = [load, work, "os.environ['TQDM_DISABLE'] = '1'\n" + work]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, startup_timeout=300).execute()
    loading, with_bar, without_bar = (cell.outputs for cell in notebook.cells)
    assert loading == []
    assert without_bar == []
    assert [output.output_type for output in with_bar] == ["display_data"]
    assert "application/vnd.jupyter.widget-view+json" in with_bar[0].data
