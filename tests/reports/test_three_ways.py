"""The three ways by the number of epochs: each run once, kept at once, and what lesson 05 says of them."""

import argparse
import json

import pytest
import torch

from course_utils.reports import three_ways
from course_utils.reports.three_ways import EPOCHS, HEAD, IMAGENET_HEAD, SCRATCH
from course_utils.results import stored_results, values


@pytest.fixture
def measured(monkeypatch) -> list[tuple]:
    """What the command measures, without training anything."""
    calls = []

    def instead(way: str, epochs: int, seed: int, device: torch.device) -> float:
        calls.append((way, epochs, seed))
        return 0.5

    monkeypatch.setattr(three_ways, "accuracy_of", instead)
    return calls


def test_every_run_is_made_once_and_a_second_call_goes_on(measured, tmp_path):
    out = tmp_path / "results" / "ways.json"
    assert three_ways.run(argparse.Namespace(seeds=1, out=out)) == 0
    assert three_ways.run(argparse.Namespace(seeds=2, out=out)) == 0
    wanted = [(way, epochs, seed) for seed in (0, 1) for way, budgets in EPOCHS.items() for epochs in budgets]
    assert measured == wanted
    runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert [(run["way"], run["epochs"], run["seed"]) for run in runs] == wanted


def test_a_way_is_trained_and_tested_on_pictures_of_its_own_seed(monkeypatch):
    monkeypatch.setattr(three_ways, "TRAINING_PICTURES", 8)
    monkeypatch.setattr(three_ways, "TEST_PICTURES", 4)
    drawn = []
    draw = three_ways.doodle_pets
    monkeypatch.setattr(
        three_ways, "doodle_pets", lambda n, seed, size: drawn.append((n, seed)) or draw(n, seed=seed, size=size)
    )
    for way in (HEAD, SCRATCH):
        assert 0 <= three_ways.accuracy_of(way, 1, 7, torch.device("cpu")) <= 1
    assert drawn == [(8, 7), (4, three_ways.TEST_SEED)] * 2


def test_what_lesson_05_says_holds_in_the_stored_runs():
    runs = stored_results("three_ways")["runs"]

    def mean(way: str, epochs: int) -> float:
        found = values(runs, "accuracy", way=way, epochs=epochs)
        return sum(found) / len(found)

    assert mean("fine-tune everything", 10) > mean(HEAD, 100), "fine-tuning ends above the head"
    assert mean("fine-tune everything", 10) > mean(SCRATCH, 30), "and above training from scratch"
    assert mean(SCRATCH, 30) > mean(SCRATCH, 10) > mean(SCRATCH, 3), "more epochs help training from scratch"
    assert mean(IMAGENET_HEAD, 100) > mean(HEAD, 100), "the ImageNet network's features are better"
    assert abs(mean(SCRATCH, 30) - mean(HEAD, 100)) < 0.05, "with time, scratch comes near the head"
