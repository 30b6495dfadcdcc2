"""`checkpoint-report`: a model is measured by a program, and what it says is written whole or not at all."""

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torchvision import models

from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.tiny_imagenet import TinyImageNet
from course_utils.reports import command, measure
from course_utils.reports.measure import Result, read_report
from course_utils.shipped import SHIPPED, read_shipped

LOG = [
    {"epoch": 1, "px": 32, "top1": 0.1, "top5": 0.3, "seconds": 60, "device": "cpu (2 threads)"},
    {"epoch": 2, "px": 64, "top1": 0.4, "top5": 0.7, "seconds": 120, "device": "cpu (2 threads)"},
]
MEASURED = [Result("head only", 1e-3, 0.8, 0.0, 1.0)]


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """An empty course with a record, a data set of 5 classes and 10 pictures, and a checkpoint with its log."""
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "categories.txt").write_text("ant\nbee\ncat\ndog\nelk\n", encoding="utf-8")
    monkeypatch.setattr(command, "SHIPPED", {"resnet18": replace(SHIPPED["resnet18"], folder=folder)})
    images = torch.randint(0, 256, (10, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(10) % 5
    data = TinyImageNet(images, labels, images, labels, wnids=tuple("abcde"))
    torch.manual_seed(0)
    state = models.resnet18(num_classes=5).state_dict()
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    recipe = {"model": "resnet18", "sizes": [[32, 1], [64, 1]], "lr": 0.1, "batch_size": 2, "seed": 0}
    save_file(half, tmp_path / "new.safetensors", metadata={"recipe": json.dumps(recipe)})
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LOG), encoding="utf-8")

    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(measure, "TRAINING_PICTURES", 4)
    monkeypatch.setattr(measure, "TEST_PICTURES", 4)
    short = tuple(replace(way, epochs=1, learning_rates=(1e-3,)) for way in measure.WAYS)
    monkeypatch.setattr(measure, "WAYS", short)
    monkeypatch.setattr(tiny_imagenet, "load", lambda folder: data)
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    return tmp_path


def options(course: Path, **changes) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    defaults = parser.parse_args(["--data", str(course), "--checkpoint", str(course / "new.safetensors")])
    return argparse.Namespace(**(vars(defaults) | {"model": ["resnet18"], "seeds": 1} | changes))


def test_a_new_checkpoint_is_shipped_with_everything_that_is_said_about_it(course):
    assert command.run(options(course)) == 0
    record = read_shipped(course / "assets")
    assert (course / "assets" / record.file).read_bytes() == (course / "new.safetensors").read_bytes()
    assert record.sha256 == hashlib.sha256((course / "new.safetensors").read_bytes()).hexdigest()
    assert record.checked_file() == course / "assets" / record.file
    [metrics] = record.measured.values()
    assert set(metrics) == {"acc@1", "acc@5"}
    report = read_report(course / "assets" / "report.json")
    assert list(report.by_class) == ["ant", "bee", "cat", "dog", "elk"]
    [rows] = report.transfer.values()
    assert [row.way for row in rows] == ["from scratch", "head only", "fine-tune everything"]
    card = (course / "model_cards" / "resnet18.md").read_text(encoding="utf-8")
    assert "| from scratch |" in card and "| head only |" in card
    assert "--sizes 32:1,64:1 --lr 0.1" in card
    assert "top-1 rises from 10% to 40%" in card
    assert (course / "figures" / "learning_curve_resnet18.png").stat().st_size > 1000
    assert "model_cards/resnet18.md" in (course / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_measuring_again_without_new_runs_keeps_those_that_are_there(course, monkeypatch):
    monkeypatch.setattr(command, "compare_ways", lambda *arguments: MEASURED)
    assert command.run(options(course, how="It began with an earlier run.")) == 0
    record = read_shipped(course / "assets")
    before = {path.name: path.read_bytes() for path in (course / "assets").iterdir()}
    start = command.new_checkpoint(record, options(course), torch.device("cpu")).start
    monkeypatch.setattr(command, "SHIPPED", {"resnet18": record})
    monkeypatch.setattr(command, "start_from", lambda name, device: start)
    assert command.run(options(course, seeds=0, checkpoint=None)) == 0
    assert {path.name: path.read_bytes() for path in (course / "assets").iterdir()} == before
    card = (course / "model_cards" / "resnet18.md").read_text(encoding="utf-8")
    assert "It began with an earlier run." in card and "| head only | 80.0% ± 0.0% | 1.0 | 0.001 |" in card


def test_without_data_only_the_cards_are_written(course):
    before = {path.name for path in (course / "assets").iterdir()}
    assert command.run(options(course, data=None, checkpoint=None)) == 0
    assert (course / "model_cards" / "resnet18.md").is_file()
    assert {path.name for path in (course / "assets").iterdir()} == before


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_a_checkpoint_that_is_none_is_one_sentence_and_changes_nothing(course, capsys, content):
    file = course / "broken.safetensors"
    if content is not None:
        file.write_bytes(content)
    assert command.run(options(course, checkpoint=file)) == 1
    said = capsys.readouterr().err
    assert "broken.safetensors" in said and said.count("\n") == 1
    assert not (course / "MODEL_CARD.md").exists() and not (course / "assets" / "meta.json").exists()


def test_the_file_of_a_package_cannot_be_replaced(course, capsys, monkeypatch):
    monkeypatch.setattr(command, "SHIPPED", SHIPPED)
    assert command.run(options(course, model=["efficientnet_lite0"])) == 1
    assert "--checkpoint needs one --model whose file lies in this repository" in capsys.readouterr().err


def test_what_is_said_of_the_shipped_weights_fits_the_file():
    record = SHIPPED["resnet18"]
    content = record.path.read_bytes()
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    with safe_open(record.path, framework="pt") as file:
        trained = json.loads(file.metadata()["recipe"])
    assert trained == {name: value for name, value in record.recipe.items() if name != "how"}
