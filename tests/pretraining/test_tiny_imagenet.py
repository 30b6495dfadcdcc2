"""Tiny ImageNet: read from both of its layouts, downloaded and verified."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_data import COLORS, WNIDS, pixels, write_archive

from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.tiny_imagenet import DataError

pytestmark = pytest.mark.usefixtures("one_thread")


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


SHARD = {"data": np.zeros(40, np.uint8), "offsets": np.arange(0, 50, 10), "labels": np.arange(4)}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("labels", np.arange(4) * 0.5, "whole numbers"),
        ("labels", np.array([0, 1, 2, -1]), "labels from -1 to 2, but there are 4 classes"),
        ("labels", np.array([0, 1, 2, 10**18]), "labels from 0 to 1000000000000000000"),
        ("labels", np.zeros((4, 1), int), "whole numbers"),
        ("labels", np.array(["n01"] * 4), "whole numbers"),
        ("labels", np.array([None] * 4), "not a whole shard"),
        ("labels", np.arange(3), "a label for each picture"),
        ("offsets", np.array([0, 10, 20, 30, 41]), "outside its 40 bytes"),
        ("offsets", np.array([-1, 10, 20, 30, 40]), "outside its 40 bytes"),
        ("offsets", np.array([0, 20, 10, 30, 40]), "outside its 40 bytes"),
        ("offsets", np.array([], int), "whole numbers"),
    ],
)
def test_a_shard_with_odd_labels_or_offsets_is_refused(shards, name, value, sentence):
    np.savez(shards / "val.npz", **(SHARD | {name: value}))
    with pytest.raises(DataError, match=f"val.npz .*{sentence}"):
        tiny_imagenet.load(shards, progress=False)


@pytest.mark.parametrize("content", [b"", b"n01\nn01\n", b"\n\n", b"\xff\xfe\x00", bytes(50)])
def test_an_odd_list_of_classes_is_refused(shards, content):
    (shards / "classes.tsv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        tiny_imagenet.load(shards, progress=False)
    assert str(caught.value).isprintable()


def test_files_that_are_only_named_like_shards_are_left_out(shards):
    for name in ("train-copy.npz", "train-99999999999.npz", "train--1.npz"):
        (shards / name).touch()
    assert len(tiny_imagenet.load(shards, progress=False).train_labels) == 32


@pytest.mark.parametrize(
    "line", [b"val_0_0.JPEG\n", b"../val_0_0.JPEG\tn01\n", b"\n", b"\xff\xd8\n", b"a\x1b[31m" * 90 + b"\n"]
)
def test_an_odd_line_among_the_annotations_is_refused(tmp_path, line):
    (write_archive(tmp_path) / "tiny-imagenet-200" / "val" / "val_annotations.txt").write_bytes(line)
    with pytest.raises(DataError, match="val_annotations.txt") as caught:
        tiny_imagenet.load(tmp_path, progress=False)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_a_zip_of_something_else_is_refused(tmp_path):
    archive = tmp_path / "tiny-imagenet-200.zip"
    archive.write_bytes(b"no zip")
    with pytest.raises(DataError, match="no whole ZIP archive"):
        tiny_imagenet.download(tmp_path, progress=False)
    with zipfile.ZipFile(archive, "w") as contents:
        contents.writestr("other/picture.txt", "")
    with pytest.raises(DataError, match="holds no tiny-imagenet-200"):
        tiny_imagenet.download(tmp_path, progress=False)


# The download, from a file:// address


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
