"""The report on a checkpoint: measured by a program, written whole or not at all."""

import argparse
import hashlib
import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torchvision import models

from course_utils.pretraining import command as pretrain
from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.recipe import Recipe
from course_utils.pretraining.tiny_imagenet import TinyImageNet
from course_utils.reports import measure as checkpoint_report
from course_utils.reports.measure import Result, class_table, gigaflops, learning_curve, transfer_table, validate

LOG = [
    {"epoch": 1, "px": 32, "top1": 0.1, "top5": 0.3, "seconds": 60, "device": "cpu (2 threads)"},
    {"epoch": 2, "px": 64, "top1": 0.4, "top5": 0.7, "seconds": 120, "device": "cpu (2 threads)"},
]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course folder, a data set of 5 classes and 10 pictures, and a checkpoint with its log."""
    assets = tmp_path / "course_utils" / "assets"
    assets = assets / "resnet18_tiny200_v1"
    assets.mkdir(parents=True)
    (assets / "categories.txt").write_text("ant\nbee\ncat\ndog\nelk\n", encoding="utf-8")
    images = torch.randint(0, 256, (10, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(10) % 5
    data = TinyImageNet(images, labels, images, labels, wnids=tuple("abcde"))
    torch.manual_seed(0)
    state = models.resnet18(num_classes=5).state_dict()
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    recipe = {"sizes": [[32, 1], [64, 1]], "lr": 0.1, "batch_size": 2, "seed": 0}
    save_file(half, tmp_path / "new.safetensors", metadata={"recipe": json.dumps(recipe)})
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LOG), encoding="utf-8")

    monkeypatch.setattr(checkpoint_report, "ROOT", tmp_path)
    monkeypatch.setattr(checkpoint_report, "ASSETS", assets.parent)
    monkeypatch.setattr(checkpoint_report, "TRAINING_PICTURES", 4)
    monkeypatch.setattr(checkpoint_report, "TEST_PICTURES", 4)
    for way in ("SCRATCH", "HEAD", "EVERYTHING"):
        short = replace(getattr(checkpoint_report, way), epochs=1, learning_rates=(1e-3,))
        monkeypatch.setattr(checkpoint_report, way, short)
    monkeypatch.setattr(tiny_imagenet, "load", lambda folder: data)
    return tmp_path


def options(course, **changes):
    defaults = {
        "data": course,
        "checkpoint": course / "new.safetensors",
        "log": None,
        "cifar": None,
        "seeds": 1,
        "how": None,
    }
    return argparse.Namespace(**(defaults | changes))


def test_a_new_checkpoint_is_shipped_with_everything_that_is_said_about_it(course):
    assert checkpoint_report.run(options(course)) == 0
    entry = json.loads((course / "course_utils/assets/resnet18_tiny200_v1/meta.json").read_text())
    shipped = course / "course_utils/assets" / entry["file"]
    assert shipped.read_bytes() == (course / "new.safetensors").read_bytes()
    assert len(entry["sha256"]) == 64
    assert set(entry["_metrics"]["Tiny-ImageNet-200 (validation)"]) == {"acc@1", "acc@5"}
    card = (course / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| from scratch |" in card
    assert "| head only |" in card
    assert "--sizes 32:1,64:1 --lr 0.1" in card
    assert "top-1 rises from 10% to 40%" in card
    assert (course / "figures/learning_curve.png").stat().st_size > 1000


def test_measuring_the_shipped_checkpoint_again_needs_no_file(course, monkeypatch):
    measured = [Result("head only", 1e-3, (0.8,), (1.0,))]
    monkeypatch.setattr(checkpoint_report, "compare_ways", lambda *arguments: measured)
    assert checkpoint_report.run(options(course)) == 0
    before = (course / "course_utils/assets/resnet18_tiny200_v1/meta.json").read_text()
    assert checkpoint_report.run(options(course, checkpoint=None)) == 0
    assert (course / "course_utils/assets/resnet18_tiny200_v1/meta.json").read_text() == before


def test_what_came_before_is_told_and_kept_when_measuring_again(course, monkeypatch):
    assert checkpoint_report.run(options(course, seeds=0, how="It began with an earlier run.")) == 0
    assert checkpoint_report.run(options(course, seeds=0, checkpoint=None)) == 0
    assert "It began with an earlier run." in (course / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_a_missing_checkpoint_is_one_sentence_and_changes_nothing(course, capsys):
    assert checkpoint_report.run(options(course, checkpoint=course / "nowhere.safetensors")) == 1
    assert "nowhere.safetensors" in capsys.readouterr().err
    assert not (course / "MODEL_CARD.md").exists()


def test_validation_counts_examples():
    class Always3(torch.nn.Module):
        def forward(self, images):
            scores = torch.zeros(len(images), 8)
            scores[:, :5] = 1.0
            scores[:, 3] = 2.0
            return scores

    images = torch.zeros(4, 3, 64, 64, dtype=torch.uint8)
    top1, top5, by_class = validate(Always3(), images, torch.tensor([3, 3, 0, 7]))
    assert top1 == 0.5
    assert top5 == 0.75
    assert (by_class[3], by_class[0], by_class[7]) == (1.0, 0.0, 0.0)


def test_gigaflops_are_multiply_adds_as_in_torchvisions_metadata():
    at_224 = models.ResNet18_Weights.DEFAULT.meta["_ops"]
    assert gigaflops(models.resnet18().eval()) == pytest.approx(at_224 * (64 / 224) ** 2, rel=0.02)


def test_the_curve_says_in_words_what_it_shows(tmp_path):
    assert "top-1 rises from 10% to 40%" in learning_curve(LOG, tmp_path / "figures" / "curve.png")


def test_tables():
    assert "| head only | 85.0% ± 7.1% | 2.0 | 0.001 |" in transfer_table(
        [Result("head only", 1e-3, (0.8, 0.9), (1.0, 3.0))]
    )
    assert class_table(["a", "b", "c"], [0.5, 0.9, 0.1], 1).endswith("| b | 90% | c | 10% |")


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(sizes=((48, 12), (64, 3)), lr=0.25, precision="bf16", warm_start="first.safetensors", mixup=0.2),
    ],
)
def test_the_command_on_the_card_gives_the_recipe_again(recipe):
    parser = argparse.ArgumentParser()
    pretrain.add_arguments(parser)
    command = checkpoint_report._command(json.loads(json.dumps(asdict(recipe))))
    args = parser.parse_args(command.split()[4:])
    assert pretrain.recipe_from(args, torch.device("cpu"), 1) == recipe


def test_what_is_said_of_the_shipped_weights_fits_the_file():
    entry = json.loads((checkpoint_report.ASSETS / "resnet18_tiny200_v1" / "meta.json").read_text(encoding="utf-8"))
    content = (checkpoint_report.ASSETS / entry["file"]).read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["_file_size"] == round(len(content) / 2**20, 1)
    with safe_open(checkpoint_report.ASSETS / entry["file"], framework="pt") as file:
        trained = json.loads(file.metadata()["recipe"])
    assert trained == {name: value for name, value in entry["recipe"].items() if name != "how"}
    card = (checkpoint_report.ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    (metrics,) = entry["_metrics"].values()
    assert f"| {metrics['acc@1']:.2f} % |" in card and f"| {metrics['acc@5']:.2f} % |" in card
    assert f"{entry['_file_size']} MiB" in card and f"{entry['num_params']:,} parameters" in card
