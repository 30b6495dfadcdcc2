"""Tiny ImageNet as arrays of pixels: 200 classes, 100,000 pictures to train on and 10,000 to validate, 64 x 64.

The data set is Stanford's (CS231n): a subset of ImageNet, for non-commercial research and education.
Two layouts are read, and both give the same labels, because the classes are sorted by their WordNet id:

* the public archive: ``wnids.txt``, ``words.txt``, ``train/<wnid>/images/*.JPEG``, ``val/val_annotations.txt``;
* shards: ``classes.tsv`` and ``train-0.npz``, ``train-1.npz`` .., ``val.npz``, each with encoded pictures one
  after the other in ``data``, where each begins in ``offsets`` (one more at the end) and ``labels``.
"""

import hashlib
import io
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from course_utils import download as web
from course_utils.errors import CourseError, reason_of, shown

PX = 64
URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
ARCHIVE_BYTES = 248_100_043
ARCHIVE_MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
DOWNLOAD_SECONDS = 2 * 3600  # for the whole archive, on a slow line
ARCHIVE_FOLDER = "tiny-imagenet-200"


class DataError(CourseError, ValueError):
    """The data set is not there, not complete or not readable."""


@dataclass(frozen=True)
class TinyImageNet:
    """All pictures, decoded: images uint8 ``(N, 3, 64, 64)``, labels int64 ``(N,)`` that index ``wnids``."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    val_images: torch.Tensor
    val_labels: torch.Tensor
    wnids: tuple[str, ...]


# An encoded picture is a file, or bytes with words that say where they came from.
Encoded = Path | tuple[bytes, str]


def load(folder: Path, *, progress: bool = True) -> TinyImageNet:
    """Decode the whole data set, in either layout, into memory (1.4 GB).

    Raises `DataError`, one sentence, for a folder that holds neither layout, a shard or a class that is missing,
    and a picture that cannot be read.
    """
    folder = Path(folder)
    if (folder / ARCHIVE_FOLDER).is_dir():
        folder /= ARCHIVE_FOLDER
    if (folder / "classes.tsv").is_file():
        wnids, splits = _find_in_shards(folder)
    elif (folder / "train").is_dir() and (folder / "val" / "val_annotations.txt").is_file():
        wnids, splits = _find_in_archive(folder)
    else:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) if folder.is_dir() else "no such folder"
        raise DataError(
            f"No Tiny ImageNet in {folder} (found: {found or 'nothing'}): expected classes.tsv with train-*.npz and "
            f"val.npz, or train/ and val/ of the public archive, which --download fetches."
        )

    arrays = []
    for split, (pictures, labels) in splits.items():
        _check_balance(labels, wnids, f"{split} pictures in {folder}")
        arrays += [_decode(pictures, split, progress), torch.tensor(labels, dtype=torch.int64)]
    return TinyImageNet(*arrays, wnids=wnids)


def download(
    folder: Path, *, url: str = URL, size: int = ARCHIVE_BYTES, md5: str = ARCHIVE_MD5, progress: bool = True
) -> Path:
    """Fetch the public archive (237 MiB) into ``folder``, verify it, unpack it, and return the unpacked folder.

    The zip and the folder bear a name that ends in ``.partial`` until they are complete, so what has its final
    name is whole. Raises `DataError` when there is no network or what came is not the archive.
    """
    folder = Path(folder)
    unpacked, archive = folder / ARCHIVE_FOLDER, folder / f"{ARCHIVE_FOLDER}.zip"
    if unpacked.is_dir():
        return unpacked
    folder.mkdir(parents=True, exist_ok=True)
    if not archive.is_file():
        partial = archive.with_name(archive.name + ".partial")
        _fetch(url, partial, size, progress)
        _verify(partial, size, md5)
        os.replace(partial, archive)

    partial = unpacked.with_name(unpacked.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # what an interrupted unpacking left
    try:
        with zipfile.ZipFile(archive) as contents:
            for name in tqdm(contents.namelist(), "unpacking", unit=" files", disable=not progress):
                contents.extract(name, partial)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{shown(archive)} is no whole ZIP archive ({reason_of(error)}): delete it.") from error
    if not (partial / ARCHIVE_FOLDER).is_dir():
        raise DataError(f"{shown(archive)} is not the archive of Tiny ImageNet: it holds no {ARCHIVE_FOLDER}.")
    os.replace(partial / ARCHIVE_FOLDER, unpacked)
    partial.rmdir()
    return unpacked


def _fetch(url: str, path: Path, size: int, progress: bool) -> None:
    try:
        web.download(url, path, deadline=DOWNLOAD_SECONDS, most_bytes=size, progress=progress)
    except web.DownloadError as error:
        raise DataError(
            f"Cannot download {shown(url)} ({str(error).rstrip('.')}): check the network, or fetch the file elsewhere, "
            f"unpack it and give --data the {ARCHIVE_FOLDER} folder."
        ) from error


def _verify(archive: Path, size: int, md5: str) -> None:
    found_size = archive.stat().st_size
    if found_size != size:
        raise DataError(f"{archive} has {found_size:,} bytes, not {size:,}: the download broke off; try again.")
    with archive.open("rb") as file:
        found_md5 = hashlib.file_digest(file, "md5").hexdigest()
    if found_md5 != md5:
        raise DataError(f"{archive} has the MD5 {found_md5}, not {md5}: it is damaged or another file; try again.")
    with zipfile.ZipFile(archive) as contents:
        damaged = contents.testzip()
    if damaged:
        raise DataError(f"{archive} is damaged: {damaged} fails its CRC test.")


def _find_in_shards(folder: Path) -> tuple[tuple[str, ...], dict[str, tuple[list[Encoded], list[int]]]]:
    wnids = tuple(line.split("\t")[0] for line in _lines(folder / "classes.tsv"))
    if not wnids or "" in wnids or len(set(wnids)) != len(wnids):
        raise DataError(f"{shown(folder / 'classes.tsv')} must name each class once, one a line: copy it again.")
    shards = [path for path in folder.glob("train-*.npz") if re.fullmatch(r"train-\d{1,4}", path.stem)]
    last = max((int(path.stem.removeprefix("train-")) for path in shards), default=0)
    train = [folder / f"train-{number}.npz" for number in range(last + 1)]
    for path in [*train, folder / "val.npz"]:
        if not path.is_file():
            raise DataError(f"{path.name} is missing in {folder}: copy all shards there.")

    splits = {}
    for split, paths in {"train": train, "val": [folder / "val.npz"]}.items():
        pictures: list[Encoded] = []
        labels: list[int] = []
        for path in paths:
            try:
                with np.load(path) as shard:
                    data, offsets, shard_labels = shard["data"].tobytes(), shard["offsets"], shard["labels"]
            except Exception as error:  # numpy passes on whatever its reader of ZIP files stumbles over
                raise DataError(f"{shown(path)} is not a whole shard ({reason_of(error)}): copy it again.") from error
            _check_shard(path, len(data), offsets, shard_labels, len(wnids))
            pictures += [
                (data[start:stop], f"{path}, picture {i}") for i, (start, stop) in enumerate(pairwise(offsets))
            ]
            labels += shard_labels.tolist()
        splits[split] = pictures, labels
    return wnids, splits


def _find_in_archive(folder: Path) -> tuple[tuple[str, ...], dict[str, tuple[list[Encoded], list[int]]]]:
    wnids = tuple(sorted(path.name for path in (folder / "train").iterdir() if path.is_dir()))
    label_of = {wnid: label for label, wnid in enumerate(wnids)}
    train = [(path, label) for wnid, label in label_of.items() for path in _jpegs(folder / "train" / wnid / "images")]

    val = []
    annotations = folder / "val" / "val_annotations.txt"
    for line in _lines(annotations):
        name, _, wnid = line.partition("\t")
        wnid = wnid.partition("\t")[0]  # a bounding box follows
        if not wnid or Path(name).name != name:
            raise DataError(f"{shown(annotations)} has a line that is no name, tab, class: '{shown(line)}'.")
        if wnid not in label_of:
            raise DataError(
                f"{shown(folder / 'val')} has pictures of {shown(wnid)}, and train/ has no folder of that name."
            )
        val.append((folder / "val" / "images" / name, label_of[wnid]))
    return wnids, {
        "train": ([path for path, _ in train], [label for _, label in train]),
        "val": ([path for path, _ in val], [label for _, label in val]),
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{shown(path)} is no text file: copy it again.") from error


def _check_shard(path: Path, size: int, offsets: np.ndarray, labels: np.ndarray, classes: int) -> None:
    """Refuse labels that are no classes, and pictures that would lie outside the data of ``size`` bytes."""
    whole = [array.ndim == 1 and np.issubdtype(array.dtype, np.integer) for array in (offsets, labels)]
    if not all(whole) or len(offsets) != len(labels) + 1:
        raise DataError(f"{shown(path)} needs whole numbers: a label for each picture, and one offset more.")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"{shown(path)} has labels from {labels.min()} to {labels.max()}, but there are {classes} classes."
        )
    if int(offsets[0]) < 0 or int(offsets[-1]) > size or (offsets[1:] < offsets[:-1]).any():
        raise DataError(f"{shown(path)} has offsets that lead outside its {size:,} bytes of data: copy it again.")


def _jpegs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.JPEG"))


def _check_balance(labels: list[int], wnids: Sequence[str], what: str) -> None:
    """Tiny ImageNet has equally many pictures of every class, so an uneven count means that some are missing."""
    counts = np.bincount(labels, minlength=len(wnids)) if labels else np.zeros(len(wnids), int)
    if len(counts) > len(wnids):
        raise DataError(f"The {what} have labels up to {len(counts) - 1}, but there are {len(wnids)} classes.")
    few, many = int(counts.argmin()), int(counts.argmax())
    if counts[few] == 0 or counts[few] != counts[many]:
        raise DataError(
            f"The {what} are not complete: {counts[few]} of {wnids[few]}, {counts[many]} of {wnids[many]}, "
            "where every class has equally many; copy or unpack the data set again."
        )


def _decode(pictures: list[Encoded], description: str, progress: bool) -> torch.Tensor:
    images = np.empty((len(pictures), 3, PX, PX), np.uint8)
    # Threads help because Pillow lets go of Python's lock while it decodes.
    with ThreadPoolExecutor() as pool:
        bar = tqdm(pool.map(_decode_one, pictures), f"decoding {description}", len(pictures), disable=not progress)
        for i, pixels in enumerate(bar):
            images[i] = pixels
    return torch.from_numpy(images)


def _decode_one(picture: Encoded) -> np.ndarray:
    source, where = (picture, picture) if isinstance(picture, Path) else (io.BytesIO(picture[0]), picture[1])
    try:
        with Image.open(source) as image:
            pixels = np.asarray(image.convert("RGB"))  # some pictures are gray
    except Exception as error:  # each of Pillow's readers has its own exceptions for damaged data
        raise DataError(f"{shown(where)} cannot be read as a picture: {reason_of(error)}.") from error
    if pixels.shape != (PX, PX, 3):
        raise DataError(f"{shown(where)} has {pixels.shape[1]} x {pixels.shape[0]} pixels, not {PX} x {PX}.")
    return pixels.transpose(2, 0, 1)
