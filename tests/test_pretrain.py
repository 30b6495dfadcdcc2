"""The training program, on tiny data sets in both layouts of Tiny ImageNet."""

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from course_utils import augmentation, checkpoint, pretrain, tiny_imagenet
from course_utils.checkpoint import CheckpointError
from course_utils.pretrain import PretrainError, Recipe
from course_utils.tiny_imagenet import DataError, TinyImageNet

CPU = torch.device("cpu")
WNIDS = ("n01", "n02", "n03", "n04")
COLORS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pixels(label: int, number: int) -> np.ndarray:
    """A 64 x 64 picture in its class's color, with noise that differs from picture to picture."""
    noise = np.random.default_rng([label, number]).integers(-30, 30, (64, 64, 3))
    return (np.array(COLORS[label]) + noise).clip(0, 255).astype(np.uint8)


def encoded(label: int, number: int, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels(label, number)).save(file, format, quality=95)
    return file.getvalue()


def write_shard(path: Path, numbers: list[tuple[int, int]]) -> None:
    blobs = [encoded(label, number) for label, number in numbers]
    np.savez(
        path,
        data=np.frombuffer(b"".join(blobs), np.uint8),
        offsets=np.cumsum([0, *map(len, blobs)]),
        labels=np.array([label for label, _ in numbers], np.int16),
    )


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """4 classes, 8 pictures of each to train on, in two shards, and 2 of each to validate."""
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "classes.tsv").write_text("".join(f"{wnid}\tword\n" for wnid in WNIDS), encoding="utf-8")
    train = [(label, number) for number in range(8) for label in range(4)]
    write_shard(folder / "train-0.npz", train[:15])
    write_shard(folder / "train-1.npz", train[15:])
    write_shard(folder / "val.npz", [(label, 100 + number) for number in range(2) for label in range(4)])
    return folder


def write_archive(folder: Path) -> Path:
    """The same pictures as `shards`, one by one, in the layout of the public archive; one of them is gray."""
    root = folder / "tiny-imagenet-200"
    lines = []
    (root / "val" / "images").mkdir(parents=True)
    for label, wnid in enumerate(WNIDS):
        images = root / "train" / wnid / "images"
        images.mkdir(parents=True)
        for number in range(8):
            (images / f"{wnid}_{number}.JPEG").write_bytes(encoded(label, number, "JPEG"))
        for number in range(2):
            name = f"val_{label}_{number}.JPEG"
            (root / "val" / "images" / name).write_bytes(encoded(label, 100 + number, "JPEG"))
            lines.append(f"{name}\t{wnid}\t0\t0\t63\t63\n")
    Image.fromarray(pixels(0, 0)[:, :, 0]).save(root / "train" / "n01" / "images" / "n01_0.JPEG")
    (root / "val" / "val_annotations.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def colored(per_class: int = 16) -> TinyImageNet:
    labels = torch.arange(4).repeat(per_class)
    images = torch.stack([torch.from_numpy(pixels(int(y), i)).permute(2, 0, 1) for i, y in enumerate(labels)])
    return TinyImageNet(images, labels, images[:8], labels[:8], WNIDS)


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# --- the data


def test_shards_and_archive_hold_the_same_pictures_with_the_same_labels(shards, tmp_path):
    a = tiny_imagenet.load(shards, progress=False)
    b = tiny_imagenet.load(write_archive(tmp_path), progress=False)
    assert a.wnids == b.wnids == WNIDS
    assert a.train_images.shape == b.train_images.shape == (32, 3, 64, 64)
    assert a.train_images.dtype == torch.uint8 and a.train_labels.dtype == torch.int64
    assert torch.equal(a.train_images[0], torch.from_numpy(pixels(0, 0)).permute(2, 0, 1))
    for data in (a, b):
        assert data.val_images.shape == (8, 3, 64, 64)
        for label, color in enumerate(COLORS):
            # n01's first picture is gray in the archive, so its class is judged by the others
            mean = data.train_images[data.train_labels == label][1:].float().mean((0, 2, 3))
            torch.testing.assert_close(mean, torch.tensor(color, dtype=torch.float32), atol=5, rtol=0)


def test_a_gray_picture_becomes_three_equal_channels(tmp_path):
    gray = tiny_imagenet.load(write_archive(tmp_path), progress=False).train_images[0]
    assert torch.equal(gray[0], gray[1]) and torch.equal(gray[1], gray[2])


def test_a_wrong_folder_is_named_with_what_was_found(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(DataError, match=r"No Tiny ImageNet in .*found: holiday.jpg.*--download"):
        tiny_imagenet.load(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        tiny_imagenet.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["train-0.npz", "val.npz"])
def test_a_missing_shard_is_named(shards, name):
    (shards / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        tiny_imagenet.load(shards)


def test_a_missing_last_shard_shows_in_uneven_classes(shards):
    (shards / "train-1.npz").unlink()
    with pytest.raises(DataError, match="train pictures in .* not complete: 3 of n04, 4 of n01"):
        tiny_imagenet.load(shards)


def test_a_cut_off_shard_is_refused(shards):
    whole = (shards / "val.npz").read_bytes()
    (shards / "val.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="val.npz is not a whole shard"):
        tiny_imagenet.load(shards)


def test_a_picture_that_is_none_or_has_another_size_is_named(tmp_path):
    images = write_archive(tmp_path) / "tiny-imagenet-200" / "train" / "n02" / "images"
    Image.new("RGB", (32, 64)).save(images / "n02_3.JPEG")
    with pytest.raises(DataError, match="n02_3.JPEG has 32 x 64 pixels, not 64 x 64"):
        tiny_imagenet.load(tmp_path, progress=False)
    (images / "n02_3.JPEG").write_text("no picture", encoding="utf-8")
    with pytest.raises(DataError, match="n02_3.JPEG cannot be read as a picture"):
        tiny_imagenet.load(tmp_path, progress=False)


def test_a_validation_picture_of_an_unknown_class_is_refused(tmp_path):
    annotations = write_archive(tmp_path) / "tiny-imagenet-200" / "val" / "val_annotations.txt"
    annotations.write_text("val_0.JPEG\tn99\t0\t0\t63\t63\n", encoding="utf-8")
    with pytest.raises(DataError, match="pictures of n99"):
        tiny_imagenet.load(tmp_path)


# --- the download, from a file:// address


@pytest.fixture
def zipped(tmp_path: Path) -> tuple[Path, dict]:
    """The archive as a zip, and what `download` must be told about it."""
    source = write_archive(tmp_path / "source")
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(source.rglob("*")):
            archive.write(file, file.relative_to(source))
    content = path.read_bytes()
    return path, {"url": path.as_uri(), "size": len(content), "md5": hashlib.md5(content).hexdigest()}


def test_a_download_is_verified_unpacked_and_loaded(zipped, tmp_path):
    _, address = zipped
    folder = tmp_path / "data"
    assert tiny_imagenet.download(folder, **address, progress=False) == folder / "tiny-imagenet-200"
    assert len(tiny_imagenet.load(folder, progress=False).train_labels) == 32
    assert sorted(path.name for path in folder.iterdir()) == ["tiny-imagenet-200", "tiny-imagenet-200.zip"]
    tiny_imagenet.download(folder, url="file:///nowhere", progress=False)  # is there, so nothing is fetched


def test_a_download_that_broke_off_or_is_another_file_never_gets_the_final_name(zipped, tmp_path):
    _, address = zipped
    with pytest.raises(DataError, match="broke off"):
        tiny_imagenet.download(tmp_path / "a", **(address | {"size": 10**6}), progress=False)
    with pytest.raises(DataError, match="MD5"):
        tiny_imagenet.download(tmp_path / "a", **(address | {"md5": "0" * 32}), progress=False)
    assert not (tmp_path / "a" / "tiny-imagenet-200.zip").exists()


def test_a_zip_with_a_flipped_byte_fails_its_crc_test(zipped, tmp_path):
    path, address = zipped
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    address["md5"] = hashlib.md5(content).hexdigest()
    with pytest.raises(DataError, match="CRC"):
        tiny_imagenet.download(tmp_path / "a", **address, progress=False)


def test_without_a_network_the_sentence_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="Cannot download file:///nowhere.zip .*check the network"):
        tiny_imagenet.download(tmp_path, url="file:///nowhere.zip", progress=False)


# --- the augmentation


def test_a_whole_picture_resized_is_torch_s_antialiased_resize():
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(2, 1)
    assert torch.equal(augmentation.crop_and_resize(images, whole, 64), images.float())
    expected = F.interpolate(images.float(), (48, 48), mode="bilinear", antialias=True)
    torch.testing.assert_close(augmentation.crop_and_resize(images, whole, 48), expected, atol=0.01, rtol=0)


def test_a_box_is_cut_out_and_flipped():
    images = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    box = torch.tensor([[0.75, 0.0, 0.25, 0.5]])  # columns 16..48 backwards, rows 0..32
    expected = images[:, :, :32, 16:48].flip(3).float()
    torch.testing.assert_close(augmentation.crop_and_resize(images, box, 32), expected)


def test_random_boxes_keep_their_promises():
    left, top, right, bottom = augmentation.random_boxes(4000, 0.35, torch.Generator().manual_seed(0)).unbind(1)
    width, height = (right - left).abs(), bottom - top
    assert min(left.min(), right.min(), top.min()) >= 0 and max(left.max(), right.max(), bottom.max()) <= 1 + 1e-6
    assert (width * height).min() > 0.34 and (width * height).max() <= 1
    ratio = width / height
    assert 0.74 < ratio.min() < 0.8 and 1.25 < ratio.max() < 1.34
    assert 0.45 < (right < left).float().mean() < 0.55


def test_mixup_and_cutmix_say_how_much_is_left_of_each_picture():
    images = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    mixed, own = augmentation.mix(images, 0.75, None)
    assert own == 0.75
    torch.testing.assert_close(mixed.mean((1, 2, 3)), torch.tensor([0.25, 0.75]))
    cut, own = augmentation.mix(images, 0.75, (0.5, 0.5))  # a 4 x 4 square in the middle
    assert own == 0.75 and cut[0, :, 2:6, 2:6].eq(1).all() and cut[0].sum() == 3 * 16
    cut, own = augmentation.mix(images, 0.75, (0.0, 0.0))  # three quarters of the square lie outside
    assert own == 1 - 4 / 64 and cut[0].sum() == 3 * 4


def test_mixes_are_drawn_only_when_asked_for():
    def draw(**alphas):
        return list(augmentation.draw_mixes(200, rng=np.random.default_rng(0), **alphas))

    assert set(draw(mixup=0, cutmix=0)) == {(1.0, None)}
    assert all(center is None and 0 < share < 1 for share, center in draw(mixup=1, cutmix=0))
    assert all(center is not None for _, center in draw(mixup=0, cutmix=1))
    assert 60 < sum(center is None for _, center in draw(mixup=1, cutmix=1)) < 140


# --- the parts of training


def test_one_cycle_rises_to_its_peak_and_falls_to_zero():
    rates = [pretrain.one_cycle(step / 100, 0.4, 0.1) for step in range(101)]
    assert rates[0] == 0 and max(rates) == rates[10] == 0.4 and rates[100] == 0
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)


def test_ema_averages_numbers_and_copies_counters():
    ema, model = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(3.0)
    model.running_var.fill_(5.0)
    model.num_batches_tracked.fill_(7)
    pretrain.update_ema(ema, model, 0.75)  # from 1
    assert ema.weight.item() == 1.5 and ema.running_var.item() == 2.0 and ema.num_batches_tracked.item() == 7
    assert model.weight.item() == 3.0


def test_accuracy_counts_top_1_and_top_5():
    class Constant(torch.nn.Module):
        def forward(self, images):
            return torch.arange(10.0).expand(len(images), 10)  # 9 is first, 5 is fifth

    images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    assert pretrain.accuracy(Constant(), images, torch.tensor([9, 5, 4, 0])) == (0.25, 0.5)


def test_the_loss_of_mixed_pictures_mixes_the_labels():
    logits = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    target = torch.tensor([0, 1])
    own, partner = F.cross_entropy(logits, target), F.cross_entropy(logits, target.flip(0))
    torch.testing.assert_close(pretrain.smoothed_loss(logits, target, 1, 0.0), own)
    torch.testing.assert_close(pretrain.smoothed_loss(logits, target, 0.75, 0.0), 0.75 * own + 0.25 * partner)


def test_sizes_are_read_and_bad_ones_refused():
    assert pretrain.parse_sizes("32:4,64:3") == ((32, 4), (64, 3))
    assert Recipe(sizes=((32, 2), (64, 1))).px_of_epoch == [32, 32, 64]
    for text in ("32", "32:0", "a:b", "", "4:1", "32:1,"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not like 32:4,48:3,64:3"):
            pretrain.parse_sizes(text)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"lr": 0}, {"min_area": 0}, {"ema_every": 0}, {"batch_size": 0}])
def test_a_recipe_without_sense_is_refused(wrong):
    with pytest.raises(PretrainError, match=f"{next(iter(wrong))} is .*; it must be"):
        Recipe(**wrong)


# --- whole runs


def test_the_loss_falls_on_64_pictures_and_the_file_gives_the_accuracy_in_its_header(tmp_path, capsys):
    out = tmp_path / "weights.safetensors"
    data = colored()
    recipe = Recipe(sizes=((32, 3),), batch_size=16, lr=0.05, label_smoothing=0.0, ema_every=1)
    pretrain.train(data, recipe, out, device=CPU, progress=False)

    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert lines[-1]["lr"] == 0

    model = torchvision.models.resnet18(num_classes=4)
    model.load_state_dict(load_file(out))
    with safetensors.safe_open(out, "pt") as file:
        header = file.metadata()
    assert (header["architecture"], header["num_classes"], header["epochs_done"]) == ("resnet18", "4", "3")
    assert json.loads(header["recipe"])["sizes"] == [[32, 3]]
    top1, top5 = pretrain.accuracy(model, data.val_images, data.val_labels)
    assert (top1, top5) == (float(header["top1"]), float(header["top5"]))
    assert {t.dtype for t in load_file(out).values()} == {torch.float16, torch.int64}


def test_an_interrupted_run_that_is_resumed_ends_with_the_same_weights_bit_for_bit(tmp_path, monkeypatch):
    """MobileNet has dropout, so torch's own random state matters too; mixup and CutMix are on."""
    data = colored(4)
    recipe = Recipe("mobilenet_v3_small", ((32, 1), (48, 2)), 8, lr=0.05, mixup=0.4, cutmix=1.0, ema_every=1)
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    expected = pretrain.train(data, recipe, whole, device=CPU, progress=False)

    saved = pretrain.save_checkpoint

    def pull_the_plug(*args):
        saved(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pretrain, "save_checkpoint", pull_the_plug)  # after the checkpoint, before the other files
        pretrain.train(data, recipe, broken, device=CPU, progress=False)
    assert not broken.exists()
    torch.rand(5)  # whatever the interrupted process did with the global random state
    resumed = pretrain.train(data, recipe, broken, device=CPU, resume=True, progress=False)

    assert same(resumed.state_dict(), expected.state_dict())
    assert broken.read_bytes() == whole.read_bytes()
    logs = [
        [json.loads(line) for line in path.with_suffix(".jsonl").open(encoding="utf-8")] for path in (whole, broken)
    ]
    for line in logs[0] + logs[1]:
        del line["seconds"]
    assert logs[0] == logs[1] and len(logs[0]) == 3


def test_another_seed_gives_other_weights(tmp_path):
    data = colored(2)
    models = [
        pretrain.train(
            data, Recipe("mobilenet_v3_small", ((32, 1),), 8, seed=seed), tmp_path / f"{i}.safetensors",
            device=CPU, progress=False,
        )
        for i, seed in enumerate((0, 0, 1))
    ]  # fmt: skip
    assert same(models[0].state_dict(), models[1].state_dict())
    assert not same(models[0].state_dict(), models[2].state_dict())


def test_bfloat16_trains_too(tmp_path):
    recipe = Recipe("mobilenet_v3_small", ((32, 1),), 8, precision="bf16")
    model = pretrain.train(colored(2), recipe, tmp_path / "a.safetensors", device=CPU, progress=False)
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())


def test_a_loss_that_explodes_stops_the_run_and_leaves_no_file(tmp_path):
    recipe = Recipe("mobilenet_v3_small", ((32, 1),), 8, lr=1e30, warmup=0.01)
    with pytest.raises(PretrainError, match="The loss became (nan|inf) in epoch 1: .*lower --lr"):
        pretrain.train(colored(4), recipe, tmp_path / "a.safetensors", device=CPU, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_more_pictures_a_batch_than_there_are_is_refused(tmp_path):
    with pytest.raises(PretrainError, match="A batch of 256 does not fit 8 pictures on 1 processes"):
        pretrain.train(colored(2), Recipe(), tmp_path / "a.safetensors", device=CPU)


# --- the command line


def command(*args: object) -> int:
    parser = argparse.ArgumentParser()
    pretrain.add_arguments(parser)
    return pretrain.run(parser.parse_args([str(arg) for arg in args]))


def quick(data: Path, out: Path, *more: object) -> list[object]:
    return ["--data", data, "--out", out, "--device", "cpu", "--model", "mobilenet_v3_small",
            "--sizes", "32:1", "--batch-size", 16, *more]  # fmt: skip


def test_the_command_trains_resumes_and_warm_starts(shards, tmp_path, capsys):
    out = tmp_path / "new" / "a.safetensors"
    assert command(*quick(shards, out)) == 0
    before = out.read_bytes()
    assert command(*quick(shards, out)) == 2  # never over an earlier run
    assert "is there already: add --resume" in capsys.readouterr().err
    out.unlink()
    assert command(*quick(shards, out, "--resume")) == 0  # complete: only writes the file again
    assert out.read_bytes() == before

    warm = tmp_path / "warm.safetensors"
    assert command(*quick(shards, warm, "--warm-start", out, "--lr", "1e-9")) == 0
    a, b = load_file(out), load_file(warm)
    torch.testing.assert_close(a["classifier.3.weight"], b["classifier.3.weight"], atol=1e-3, rtol=0)
    assert sorted(path.name for path in out.parent.iterdir()) == ["a.checkpoint.pt", "a.jsonl", "a.safetensors"]


def test_resuming_another_recipe_or_a_damaged_checkpoint_is_refused(shards, tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    assert command(*quick(shards, out, "--resume")) == 0
    assert "There is no" in capsys.readouterr().out
    assert command(*quick(shards, out, "--resume", "--seed", 1, "--model", "resnet18")) == 2
    error = capsys.readouterr().err
    assert "model was 'mobilenet_v3_small' and is now 'resnet18'; seed was 0 and is now 1" in error
    path = pretrain.checkpoint_path(out)
    path.write_bytes(path.read_bytes()[:5000])
    assert command(*quick(shards, out, "--resume")) == 2
    assert "is not a whole checkpoint" in capsys.readouterr().err


def test_bad_input_is_one_sentence_and_exit_status_2(shards, tmp_path, capsys):
    torch.save(torchvision.models.resnet18(num_classes=4).state_dict(), tmp_path / "resnet.pt")
    (tmp_path / "noise.safetensors").write_bytes(b"noise" * 10)
    out = tmp_path / "a.safetensors"
    for arguments, sentence in [
        (quick(tmp_path / "nowhere", out), "No Tiny ImageNet in .*nowhere"),
        (quick(shards, tmp_path / "a.pt"), "must be a .safetensors file, such as a.safetensors"),
        (
            quick(shards, out, "--warm-start", tmp_path / "resnet.pt"),
            "resnet.pt holds another network: features.0.0.weight is nothing",
        ),
        (quick(shards, out, "--warm-start", tmp_path / "no.pt"), "No weights can be read from .*no.pt"),
        (quick(shards, out, "--warm-start", tmp_path / "noise.safetensors"), "No weights can be read from .*noise"),
        (quick(shards, out, "--device", "tpu"), "asks for 'tpu'"),
        (quick(shards, out, "--lr", "-1"), "lr is -1.0; it must be more than 0"),
    ]:
        assert command(*arguments) == 2
        *progress_bars, error = capsys.readouterr().err.splitlines()
        assert error.startswith("pretrain: ") and all("%|" in line or not line for line in progress_bars)
        assert re.search(sentence, error), error
    assert not out.exists()


def test_an_unknown_model_or_size_is_refused_with_the_choices(shards, tmp_path, capsys):
    for arguments, sentence in [(["--model", "resnet19"], "mobilenet_v3_small"), (["--sizes", "64"], "is not like")]:
        with pytest.raises(SystemExit):
            command("--data", shards, "--out", tmp_path / "a.safetensors", *arguments)
        assert sentence in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(shards, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "train_epoch", interrupted)
    assert command(*quick(shards, tmp_path / "a.safetensors")) == 130
    assert "--resume" in capsys.readouterr().err


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "weights"
    path.write_text("old", encoding="utf-8")

    def full_disk(partial):
        partial.write_text("ne", encoding="utf-8")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.write_whole(path, full_disk)
    assert path.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"something": 1}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="not a whole checkpoint of this program"):
        checkpoint.load_checkpoint(tmp_path / "x.pt", {}, {})


# --- several processes

WORKER = """
import argparse, sys
import torch
from course_utils import pretrain

torch.nn.BatchNorm2d.train = lambda self, mode=True: torch.nn.Module.train(self, False)  # as in the test below
runs = []
train_epoch = pretrain.train_epoch
pretrain.train_epoch = lambda run, *args: runs.append(run) or train_epoch(run, *args)
parser = argparse.ArgumentParser()
pretrain.add_arguments(parser)
status = pretrain.run(parser.parse_args())
torch.save(runs[0].model.state_dict(), f"rank-{runs[0].rank}.pt")
sys.exit(status)
"""


def test_two_processes_share_each_batch_and_learn_what_one_learns(shards, tmp_path, monkeypatch):
    """With batch statistics off, because each process would normalize by its own half of a batch."""
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    options = ["--data", shards, "--device", "cpu", "--sizes", "32:2", "--batch-size", 16, "--lr", "0.01"]
    two, one = tmp_path / "two.safetensors", tmp_path / "one.safetensors"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "worker.py", "--out", str(two), *map(str, options)],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = [torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert same(*ranks)

    monkeypatch.setattr(torch.nn.BatchNorm2d, "train", lambda self, mode=True: torch.nn.Module.train(self, False))
    assert command("--out", one, *options) == 0
    alone = torch.load(pretrain.checkpoint_path(one), weights_only=True)["model"]
    for name, expected in alone.items():
        torch.testing.assert_close(ranks[0][name], expected, atol=1e-4, rtol=1e-3)

    logs = [[json.loads(line) for line in path.with_suffix(".jsonl").open(encoding="utf-8")] for path in (two, one)]
    assert [line["loss"] for line in logs[0]] == pytest.approx([line["loss"] for line in logs[1]], rel=1e-3)
    assert [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")] == logs[0]  # once
    with safetensors.safe_open(two, "pt") as file:
        assert json.loads(file.metadata()["recipe"])["processes"] == 2
