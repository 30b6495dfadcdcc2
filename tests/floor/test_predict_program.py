"""`predict.py`, the program of lesson 09: on its own, it answers as the course's own functions do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from course_utils import doodle_pets, load_pretrained, open_image, replace_head
from course_utils.files import ASSETS

CATEGORIES = ["cat", "dog"]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Path:
    """A folder as lesson 09 hands it over: the program and its weights, with their passport."""
    folder = tmp_path_factory.mktemp("shipped")
    torch.manual_seed(0)
    model, weights = load_pretrained("resnet18", "course", quiet=True)
    transform = weights.transforms()
    passport = {
        "architecture": "resnet18",
        "categories": CATEGORIES,
        "resize_size": transform.resize_size[0],
        "crop_size": transform.crop_size[0],
        "interpolation": transform.interpolation.value,
        "mean": transform.mean,
        "std": transform.std,
    }
    replace_head(model, 2)
    save_file(
        model.state_dict(),
        folder / "pets.safetensors",
        metadata={name: json.dumps(value) for name, value in passport.items()},
    )
    shutil.copy(ASSETS / "predict.py", folder)
    return folder


def expected(image: Image.Image, shipped: Path) -> tuple[str, float]:
    """What the course's own preprocessing and a model with the same weights say."""
    model, weights = load_pretrained("resnet18", "course", quiet=True)
    replace_head(model, 2).load_state_dict(load_file(shipped / "pets.safetensors"))
    with torch.no_grad():
        probabilities = model.eval()(weights.transforms()(image)[None]).softmax(dim=1)[0]
    return CATEGORIES[int(probabilities.argmax())], probabilities.max().item()


def run(shipped: Path, *photos: Path) -> subprocess.CompletedProcess:
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, shipped / "predict.py", *photos], cwd=shipped, capture_output=True, text=True, env=elsewhere,
    )  # fmt: skip


def photos_of_every_kind(folder: Path) -> list[Path]:
    """A small drawing, a large photo on its side, one with transparent places, one in grey, each in its own format."""
    small, large, other, gray = doodle_pets(4, seed=5, size=96).images
    small.save(folder / "small.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    large.resize((500, 300)).save(folder / "turned.jpg", exif=exif, quality=95)
    seen = other.copy()
    seen.putalpha(Image.linear_gradient("L").resize(seen.size))
    seen.save(folder / "transparent.png")
    gray.convert("L").save(folder / "gray.png")
    return [folder / name for name in ("small.png", "turned.jpg", "transparent.png", "gray.png")]


def test_its_answers_are_those_of_the_course(shipped, tmp_path):
    photos = photos_of_every_kind(tmp_path)
    done = run(shipped, *photos)
    assert (done.returncode, done.stderr) == (0, "")
    for photo, line in zip(photos, done.stdout.splitlines(), strict=True):
        name, category, probability = line.split("\t")
        answer, sure = expected(open_image(photo), shipped)
        assert (name, category) == (str(photo), answer)
        assert float(probability) == pytest.approx(sure, abs=1e-4)


def test_it_needs_nothing_of_the_course(shipped):
    assert "course_utils" not in (shipped / "predict.py").read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_is_no_picture_gets_a_sentence_and_the_others_are_answered(shipped, tmp_path):
    photos = photos_of_every_kind(tmp_path)[:1]
    (tmp_path / "notes.jpg").write_text("no picture")
    done = run(shipped, tmp_path / "notes.jpg", tmp_path / "missing.jpg", *photos)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert len(done.stderr.splitlines()) == 2 and "Traceback" not in done.stderr
    assert "notes.jpg: no picture that can be read" in done.stderr


@pytest.mark.slow
def test_without_a_photo_it_says_how_to_call_it(shipped):
    done = run(shipped)
    assert done.returncode == 2
    assert "python predict.py photo.jpg" in done.stderr
