"""What mistakes in preprocessing cost: the recipes, the measuring, and what lesson 02 says of the stored numbers."""

import argparse
import json

import torch
from PIL import Image
from tiny_data import write_shards

from course_utils import load_pretrained
from course_utils.pretraining.tiny_imagenet import TinyImageNet
from course_utils.reports import preprocessing
from course_utils.results import stored_results


def test_each_recipe_makes_one_mistake():
    _, weights = load_pretrained("resnet18", "course", quiet=True)
    photo = Image.merge("RGB", [Image.effect_noise((96, 64), spread) for spread in (20, 60, 90)])
    made = {name: recipe(photo) for name, recipe in preprocessing.recipes(weights).items()}
    right = made["as trained"]
    assert right.shape == (3, 64, 64)
    assert made["0 to 255"].max() > 100 and 0 <= made["no normalisation"].min() <= made["no normalisation"].max() <= 1
    assert made["half the size"].shape == (3, 32, 32) and made["no centre crop"].shape == (3, 64, 96)
    different = [name for name, tensor in made.items() if tensor.shape != right.shape or not torch.equal(tensor, right)]
    # The course's ResNet-18 has the usual means, so another model's are its own.
    assert different == [name for name in made if name not in ("as trained", "another model's normalisation")]


def test_pictures_are_wide_and_keep_their_class():
    images = torch.randint(0, 256, (12, 3, 64, 64), dtype=torch.uint8)
    labels = torch.arange(12) % 2
    data = TinyImageNet(images, labels, images, labels, wnids=("n1", "n2"))
    pictures = preprocessing.wide_pictures(data, ["cat", "dog"])
    assert {image.size for image in pictures.images} == {(96, 64)}
    assert list(pictures.labels) == [0] * preprocessing.PICTURES_A_CLASS + [1] * preprocessing.PICTURES_A_CLASS


def test_data_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert preprocessing.run(argparse.Namespace(data=tmp_path, out=tmp_path / "out.json")) == 1
    assert "No Tiny ImageNet" in capsys.readouterr().err and not (tmp_path / "out.json").exists()


def test_the_file_holds_a_line_for_each_model_and_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(preprocessing, "MODELS", ("resnet18",))
    monkeypatch.setattr(preprocessing, "PICTURES_A_CLASS", 1)
    out = tmp_path / "results" / "out.json"
    folder = write_shards(tmp_path / "shards")
    assert preprocessing.run(argparse.Namespace(data=folder, out=out)) == 0
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    _, weights = load_pretrained("resnet18", "course", quiet=True)
    assert [run["recipe"] for run in runs] == list(preprocessing.recipes(weights))
    assert all(0 <= run["top1"] <= 1 and 0 < run["confidence"] <= 1 for run in runs)


def test_what_lesson_02_says_holds_in_the_stored_numbers():
    lines = {(line["model"], line["recipe"]): line for line in stored_results("preprocessing")["runs"]}
    resnet = {recipe: line["top1"] for (model, recipe), line in lines.items() if model == "resnet18"}
    assert max(resnet.values()) == resnet["as trained"]
    assert min(resnet, key=resnet.get) == "0 to 255"
    sure = {recipe: line["confidence"] for (model, recipe), line in lines.items() if model == "resnet18"}
    assert max(sure, key=sure.get) == "0 to 255" and sure["0 to 255"] > 0.95
    lite = {recipe: line["top1"] for (model, recipe), line in lines.items() if model == "efficientnet_lite0"}
    assert lite["another model's normalisation"] < 0.6 * lite["as trained"], "nearly half of the right answers"
    assert abs(lite["half the size"] - lite["as trained"]) < 0.03, "costs nothing on enlarged pictures"
