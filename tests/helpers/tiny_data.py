"""Data sets of 4 colors in both layouts of Tiny ImageNet, for the tests of pre-training."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from course_utils.pretraining.tiny_imagenet import TinyImageNet

CPU = torch.device("cpu")
WNIDS = ("n01", "n02", "n03", "n04")
COLORS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40))


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


def write_shards(folder: Path) -> Path:
    """4 classes, 8 pictures of each to train on, in two shards, and 2 of each to validate."""
    folder.mkdir()
    (folder / "classes.tsv").write_text("".join(f"{wnid}\tword\n" for wnid in WNIDS), encoding="utf-8")
    train = [(label, number) for number in range(8) for label in range(4)]
    write_shard(folder / "train-0.npz", train[:15])
    write_shard(folder / "train-1.npz", train[15:])
    write_shard(folder / "val.npz", [(label, 100 + number) for number in range(2) for label in range(4)])
    return folder
