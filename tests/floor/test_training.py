"""The training loop, and how it goes on after an interruption."""

import gc
import weakref
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import (
    NAMES,
    TinyNet,
    changed,
    copy_of_state,
    net_with_batchnorm_and_dropout,
    noise_pictures,
    numbers_of,
    small_resnet,
    tiny_net,
    to_tensor,
)
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

from course_utils import (
    Pictures,
    evaluate,
    extract_features,
    fine_tune,
    freeze_backbone,
    replace_head,
    training,
)

pytestmark = pytest.mark.usefixtures("one_thread", "bars_as_usual")


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
    share = training.warm_up_then_cosine(100)
    shares = [share(step) for step in range(100)]
    assert max(shares) == shares[10] == 1
    assert shares[:10] == sorted(shares[:10])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert 0 < shares[0] <= 0.1
    assert shares[-1] < 0.01
    assert [training.warm_up_then_cosine(1)(step) for step in (0, 1)] == [1, 1]


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
    save = training.save_checkpoint

    def save_then_stop(path, parts, identity, so_far):
        save(path, parts, identity, so_far)
        if len(so_far["history"]["seconds"]) == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "save_checkpoint", save_then_stop)
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
    assert capsys.readouterr().out == "run.pt: 2 of 4 epochs were done before; going on with its weights.\n"
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


def test_numbers_of_numpy_are_settings_that_can_be_read_again(tmp_path):
    settings = SETTINGS | {"lr": np.float64(1e-2), "seed": np.int64(3)}
    first = fine_tune(tiny_net(), to_tensor, TWO, checkpoint=tmp_path / "run.pt", **settings)
    assert fine_tune(tiny_net(), to_tensor, TWO, checkpoint=tmp_path / "run.pt", **settings) == first


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="is a folder; checkpoint names a file, for example .*run.pt"):
        fine_tune(tiny_net(), to_tensor, TWO, checkpoint=tmp_path, **SETTINGS)


def test_a_full_gpu_is_told_and_lets_go_of_the_batch():
    kept = []

    class Full(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3 * 8 * 8, 2)

        def forward(self, images):
            features = images.flatten(1) * 1
            kept.append(weakref.ref(features))
            if self.training:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return self.layer(features)

    with pytest.raises(MemoryError, match="try again with batch_size=2") as caught:
        fine_tune(Full(), v2.Compose([v2.Resize(8), to_tensor]), TWO, **SETTINGS)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    gc.collect()
    assert kept and not [features for features in kept if features() is not None]


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

    def full(self, content):
        self.write_text("half a file")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
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
