"""Labelled pictures: drawn pets are reproducible, splits do not leak, and bad folders are named."""

import hashlib
import pickle
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10

from course_utils import Pictures, cifar_cats_dogs, doodle_pets, folder_of_pictures, oxford_pets, split
from course_utils.data import PicturesError, _sizes


def plain(value: int, size: int = 4) -> Image.Image:
    return Image.new("RGB", (size, size), (value % 256, value // 256, 7))


def pixels(pictures: Pictures) -> list[bytes]:
    return [image.tobytes() for image in pictures.images]


def some_pictures(counts=(30, 20), categories=("cat", "dog")) -> Pictures:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    return Pictures([plain(i) for i in range(len(labels))], labels, categories)


# Pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_a_data_set_of_images_and_labels():
    pictures = some_pictures((2, 1))
    assert len(pictures) == 3 and pictures[2] == (plain(2), 1)
    assert [label for _, label in pictures] == [0, 0, 1]
    assert pictures.counts() == {"cat": 2, "dog": 1}


def test_pictures_keep_no_list_that_could_change():
    labels = [0, 1]
    pictures = Pictures([plain(0), plain(1)], np.array(labels), ["cat", "dog"])
    labels.append(1)
    assert pictures.labels == (0, 1) and type(pictures.labels[0]) is int and pictures.categories == ("cat", "dog")


def test_a_subset_keeps_order_and_categories():
    subset = some_pictures((2, 1)).subset(np.array([2, 0]))
    assert some_pictures((2, 1)).subset(torch.tensor([2, 0])).labels == subset.labels
    assert subset.labels == (1, 0) and pixels(subset) == [plain(2).tobytes(), plain(0).tobytes()]
    assert subset.subset([]).counts() == {"cat": 0, "dog": 0}


def test_a_mask_is_no_subset():
    for mask in ([True, False, True], np.array([True, False, True]), torch.tensor([True, False, True])):
        with pytest.raises(PicturesError, match="not a mask"):
            some_pictures((2, 1)).subset(mask)


@pytest.mark.parametrize(
    ("labels", "categories", "message"),
    [
        ([0], ("cat", "dog"), "2 images but 1 labels"),
        ([0, 2], ("cat", "dog"), "label 2 is none of the 2 categories"),
        ([0, -1], ("cat", "dog"), "label -1 is none"),
        ([0, 0], ("cat", "cat"), "a name of its own"),
    ],
)
def test_pictures_that_do_not_fit_together(labels, categories, message):
    with pytest.raises(PicturesError, match=message):
        Pictures([plain(0), plain(1)], labels, categories)


# Doodle pets ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    program = (
        "import hashlib; from course_utils import doodle_pets\n"
        "for style in ('plain', 'shifted'):\n"
        "    pets = doodle_pets(4, seed=3, size=48, style=style)\n"
        "    print(hashlib.sha256(b''.join(i.tobytes() for i in pets.images)).hexdigest())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    here = [pixels(doodle_pets(4, seed=3, size=48, style=style)) for style in ("plain", "shifted")]
    assert said == [hashlib.sha256(b"".join(pets)).hexdigest() for pets in here]


def test_fewer_pets_are_the_first_of_more():
    assert pixels(doodle_pets(3, seed=1)) == pixels(doodle_pets(6, seed=1))[:3]


def test_no_two_pets_are_alike():
    everything = [picture for seed in (0, 1) for picture in pixels(doodle_pets(12, seed=seed, size=32))]
    assert len(set(everything)) == 24


@pytest.mark.parametrize("size", [16, 64, 130])
def test_pets_have_the_size_asked_for(size):
    for image in doodle_pets(2, size=size).images:
        assert image.size == (size, size) and image.mode == "RGB"
        assert np.asarray(image).std() > 10  # something is on it


def test_shifted_pets_are_the_same_animals_drawn_paler():
    photos, drawings = doodle_pets(8, seed=2), doodle_pets(8, seed=2, style="shifted")
    assert photos.labels == drawings.labels
    gray = [[np.asarray(i.convert("L"), float) for i in pets.images] for pets in (photos, drawings)]
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(*gray, strict=True)]
    assert min(likeness) > 0.3 and np.mean(gray[1]) > np.mean(gray[0]) + 20


@pytest.mark.parametrize(
    ("n", "cat_fraction", "cats"), [(10, 0.5, 5), (50, 0.98, 49), (50, 0.02, 1), (4, 0, 0), (4, 1, 4), (1, 0.5, 1)]
)
def test_the_share_of_cats(n, cat_fraction, cats):
    assert doodle_pets(n, size=16, cat_fraction=cat_fraction).counts() == {"cat": cats, "dog": n - cats}


def test_cats_are_spread_evenly():
    assert doodle_pets(8, size=16).labels == (0, 1) * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be at least 1, but is 0"),
        ({"seed": -1}, "seed must not be negative"),
        ({"size": 8}, "at least 16 pixels"),
        ({"style": "cubist"}, '"plain" or "shifted", but is \'cubist\''),
        ({"cat_fraction": 98}, "a share from 0 to 1, but is 98"),
    ],
)
def test_pets_that_cannot_be_drawn(options, message):
    with pytest.raises(PicturesError, match=message):
        doodle_pets(**options)


# Splitting --------------------------------------------------------------------------------------------------------


def test_a_split_is_stratified_complete_and_without_overlap():
    pictures = some_pictures((50, 10))
    parts = split(pictures)
    assert [part.counts() for part in parts] == [{"cat": 30, "dog": 6}, {"cat": 10, "dog": 2}, {"cat": 10, "dog": 2}]
    assert sorted(p for part in parts for p in pixels(part)) == sorted(pixels(pictures))


def test_the_seed_decides_the_split():
    pictures = some_pictures()
    first, again, other = (split(pictures, (0.5, 0.5), seed=seed)[0] for seed in (0, 0, 1))
    assert pixels(first) == pixels(again) != pixels(other)
    assert list(first.labels) != sorted(first.labels)  # shuffled, not class by class


def test_identical_pictures_stay_on_one_side():
    values = np.random.default_rng(0).integers(0, 40, 300)  # about seven copies of each
    labels = values % 2
    labels[:20] = 1 - labels[:20]  # and some copies bear the other label
    pictures = Pictures([plain(value) for value in values], labels, ("cat", "dog"))
    for seed in range(5):
        parts = [set(pixels(part)) for part in split(pictures, (0.6, 0.2, 0.2), seed=seed)]
        assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]


def test_copies_do_not_count_as_different_pictures():
    copies = Pictures([plain(1)] * 9 + [plain(2)] * 9 + [plain(i) for i in range(3, 9)], [0] * 18 + [1] * 6, "cd")
    with pytest.raises(PicturesError, match='class "c" has 2 different pictures, too few for 3 parts'):
        split(copies)


def test_a_class_without_pictures_cannot_be_split():
    with pytest.raises(PicturesError, match='class "dog" has 0 different pictures'):
        split(some_pictures((5, 0)), (0.5, 0.5))


@pytest.mark.parametrize("fractions", [(0.5, 0.4), (1.2, -0.2), (0.5, 0.5, 0), ()])
def test_fractions_that_are_none(fractions):
    with pytest.raises(PicturesError, match="positive and sum to 1"):
        split(some_pictures(), fractions)


@pytest.mark.parametrize("total", [3, 4, 10, 500])
@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.2), (0.98, 0.01, 0.01), (1 / 3, 1 / 3, 1 / 3)])
def test_part_sizes_add_up_and_none_is_empty(total, fractions):
    sizes = _sizes(total, fractions)
    assert sum(sizes) == total and min(sizes) >= 1
    assert all(abs(size - total * fraction) < 3 for size, fraction in zip(sizes, fractions, strict=True))


# A folder of pictures ---------------------------------------------------------------------------------------------


def fill(folder: Path, *names: str) -> None:
    for value, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        plain(value).save(folder / name)


def test_a_folder_is_read_in_natural_order(tmp_path):
    fill(tmp_path, "dog2/a.png", "dog10/a.png", "Cat/img10.png", "Cat/img2.png", "Cat/IMG1.png")
    pictures = folder_of_pictures(tmp_path)
    assert pictures.categories == ("Cat", "dog2", "dog10") and pictures.labels == (0, 0, 0, 1, 2)
    assert pixels(pictures)[:3] == [plain(4).tobytes(), plain(3).tobytes(), plain(2).tobytes()]


def test_names_with_unusual_digits_are_sorted_too(tmp_path):
    fill(tmp_path, "a/m².png", "a/٣.png", "a/3.png", "b/x.png")
    assert folder_of_pictures(tmp_path).counts() == {"a": 3, "b": 1}


def test_hidden_files_and_what_systems_leave_behind_are_skipped(tmp_path):
    fill(tmp_path, "cat/a.png", "dog/a.png", "cat/.ipynb_checkpoints/a-checkpoint.png", ".ipynb_checkpoints/b.png")
    for name in ("cat/.DS_Store", "dog/Thumbs.db", "labels.csv"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "__MACOSX").mkdir()
    assert folder_of_pictures(tmp_path).counts() == {"cat": 1, "dog": 1}


def test_large_pictures_are_shrunk_and_small_ones_kept(tmp_path):
    fill(tmp_path, "dog/small.png")
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (90, 60)).save(tmp_path / "cat" / "large.png")
    assert [image.size for image in folder_of_pictures(str(tmp_path), longest_side=30).images] == [(30, 20), (4, 4)]


def test_all_problems_of_a_folder_are_named_at_once(tmp_path):
    fill(tmp_path, "cat/a.png")
    (tmp_path / "cat" / "notes.txt").write_text("my cats", encoding="utf-8")
    (tmp_path / "cat" / "cut.png").write_bytes((tmp_path / "cat" / "a.png").read_bytes()[:50])
    (tmp_path / "dog").mkdir()
    with pytest.raises(PicturesError) as caught:
        folder_of_pictures(tmp_path)
    for problem in ("notes.txt' is not a picture: it holds text", "cut.png' is damaged", "dog' holds no picture"):
        assert problem in str(caught.value)


def test_many_problems_are_counted_not_listed(tmp_path):
    fill(tmp_path, "cat/a.png")
    for i in range(25):
        (tmp_path / "cat" / f"{i}.txt").write_text("text", encoding="utf-8")
    with pytest.raises(PicturesError, match="and 15 more"):
        folder_of_pictures(tmp_path)


def test_no_folder_and_no_class_folders(tmp_path):
    with pytest.raises(PicturesError, match="there is no folder"):
        folder_of_pictures(tmp_path / "nothing")
    fill(tmp_path, "cat.png")
    with pytest.raises(PicturesError, match="has no sub-folders"):
        folder_of_pictures(tmp_path)


# Photos from torchvision's data sets, from small archives made here -----------------------------------------------


@pytest.fixture
def small_oxford(tmp_path):
    folder = tmp_path / "oxford-iiit-pet"
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    lines = []
    for i, (breed, species) in enumerate([("Abyssinian", 1), ("beagle", 2), ("Bengal", 1), ("pug", 2), ("pug", 2)]):
        Image.new("RGB", (60, 40), (i * 50, 0, 0)).save(folder / "images" / f"{breed}_{i}.jpg")
        lines.append(f"{breed}_{i} {i + 1} {species} 1\n")
    (folder / "annotations" / "trainval.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "annotations" / "test.txt").write_text(lines[0], encoding="utf-8")
    return tmp_path


def test_oxford_pets_are_cats_and_dogs_of_one_size(small_oxford):
    pictures = oxford_pets(small_oxford, n=None, size=20)
    assert pictures.counts() == {"cat": 2, "dog": 3}
    assert {image.size for image in pictures.images} == {(30, 20)}
    assert oxford_pets(small_oxford, train=False, n=1).counts() == {"cat": 1, "dog": 0}


def test_oxford_pets_are_chosen_by_seed(small_oxford):
    first, again = (oxford_pets(small_oxford, n=3, seed=5) for _ in range(2))
    assert len(first) == 3 and pixels(first) == pixels(again)
    assert len({tuple(pixels(oxford_pets(small_oxford, n=3, seed=seed))) for seed in range(5)}) > 1


@pytest.mark.parametrize("n", [0, 6])
def test_more_oxford_pets_than_there_are(small_oxford, n):
    with pytest.raises(PicturesError, match=f"n must be from 1 to 5, or None for all, but is {n}"):
        oxford_pets(small_oxford, n=n)


def test_oxford_pets_whose_unpacking_broke_off(small_oxford):
    next((small_oxford / "oxford-iiit-pet" / "images").glob("pug*")).unlink()
    with pytest.raises(PicturesError, match="incomplete .*delete its folder 'oxford-iiit-pet'"):
        oxford_pets(small_oxford, n=None)
    (small_oxford / "oxford-iiit-pet" / "annotations" / "trainval.txt").unlink()
    with pytest.raises(PicturesError, match="OxfordIIITPet is not in"):
        oxford_pets(small_oxford)


class QuietServer(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def small_cifar(tmp_path, monkeypatch):
    """An archive as CIFAR-10 has it, with two pictures of each class in each of two batches, on a server here."""
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    rng = np.random.default_rng(0)
    folder = tmp_path / "made" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    contents = {"batches.meta": {"label_names": names}}
    for batch in ("data_batch_1", "test_batch"):
        contents[batch] = {"data": rng.integers(0, 256, (20, 3072), np.uint8), "labels": list(range(10)) * 2}
    sums = {}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    archive = tmp_path / "made" / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "cifar-10-batches-py")
    server = HTTPServer(("127.0.0.1", 0), partial(QuietServer, directory=archive.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{server.server_port}/{archive.name}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", sums["data_batch_1"]]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    yield contents
    server.shutdown()
    server.server_close()


def test_cifar_cats_and_dogs_are_downloaded_and_enlarged(small_cifar, tmp_path):
    pictures = cifar_cats_dogs(tmp_path / "data", size=64)
    assert pictures.labels == (0, 1, 0, 1) and {image.size for image in pictures.images} == {(64, 64)}
    original = cifar_cats_dogs(tmp_path / "data", download=False, train=False, size=32)
    first_cat = small_cifar["test_batch"]["data"][3].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(np.asarray(original.images[0]), first_cat)


@pytest.mark.parametrize(("function", "name"), [(cifar_cats_dogs, "CIFAR10"), (oxford_pets, "OxfordIIITPet")])
def test_no_data_and_no_network(function, name, tmp_path):
    with pytest.raises(PicturesError, match=rf"{name} is not in .*where there is a network.*doodle_pets\(\)"):
        function(tmp_path)
    with pytest.raises(PicturesError, match=f"{name} is not in .*call again with download=True"):
        function(tmp_path, download=False)


def test_cifar_that_is_damaged(small_cifar, tmp_path):
    cifar_cats_dogs(tmp_path)
    batch = tmp_path / "cifar-10-batches-py" / "data_batch_1"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(PicturesError, match="CIFAR10 is not in .*corrupted"):
        cifar_cats_dogs(tmp_path, download=False)


@pytest.mark.parametrize("path", ["~nobody-of-this-name/pets", "a\nb", "\ud800", "x" * 5000, 7, None])
def test_a_path_that_is_no_folder_is_one_short_sentence(path):
    with pytest.raises(PicturesError) as caught:
        folder_of_pictures(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


def test_a_folder_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(PicturesError, match="cannot be read .Permission denied"):
        folder_of_pictures(tmp_path)


def test_every_line_about_a_strange_name_is_short_and_printable(tmp_path):
    strange = tmp_path / "c\x1b[31m" / ("d\n" * 100)
    strange.parent.mkdir()
    strange.write_bytes(b"no picture")
    with pytest.raises(PicturesError) as caught:
        folder_of_pictures(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and all(line.isprintable() and len(line) < 400 for line in lines)
