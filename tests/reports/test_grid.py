"""The grid behind lesson 08, at tiny sizes: every run once, resumed where it stopped, and the same again."""

import argparse
import inspect
import json

import pytest

from course_utils.depth import train_from
from course_utils.reports import grid
from course_utils.results import stored_results


@pytest.fixture
def tiny(monkeypatch):
    """The whole program with next to no pictures, steps and draws."""
    monkeypatch.setattr(grid, "SIZES", (6, 4))
    monkeypatch.setattr(grid, "RATES_PICTURES", 6)
    monkeypatch.setattr(grid, "STEPS", 1)
    monkeypatch.setattr(grid, "BATCH_SIZE", 2)
    monkeypatch.setattr(grid, "TEST_PICTURES", 4)


def run(out, draws: int = 1) -> list[dict]:
    assert grid.run(argparse.Namespace(out=out, draws=draws)) == 0
    return json.loads(out.read_text(encoding="utf-8"))["runs"]


def test_the_plan_has_every_way_for_every_size_and_draw():
    plan = grid.plan(draws=3)
    ways = len(grid.DEPTHS) * 2 + 1
    assert len(plan) == 3 * (len(grid.SIZES) * ways + len(grid.RATES))
    assert len({tuple(sorted(entry.items())) for entry in plan}) == len(plan)


def test_each_run_is_there_once_with_its_accuracies(tiny, tmp_path):
    runs = run(tmp_path / "depth.json")
    assert len(runs) == len(grid.plan(1))
    for one in runs:
        assert 0 <= one["plain"] <= 1 and 0 <= one["pencil"] <= 1
        assert ("largest_loss" in one) == ("rates" in one)


@pytest.mark.slow
def test_it_goes_on_where_it_stopped_and_reaches_the_same(tiny, tmp_path, monkeypatch):
    whole = run(tmp_path / "whole.json")
    out, write, stop_after = tmp_path / "depth.json", grid._write, 4

    def stop(path, runs):
        write(path, runs)
        if len(runs) == stop_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(grid, "_write", stop)
    with pytest.raises(KeyboardInterrupt):
        run(out)
    monkeypatch.setattr(grid, "_write", write)
    before = json.loads(out.read_text(encoding="utf-8"))["runs"]
    assert len(before) == stop_after
    assert run(out) == whole
    assert run(out) == whole  # nothing is missing: nothing is run


def test_a_file_of_another_recipe_is_not_mixed_with_ours(tiny, tmp_path):
    out = tmp_path / "depth.json"
    out.write_text(json.dumps({"recipe": {"steps": 999}, "runs": [{"strange": True}]}), encoding="utf-8")
    assert {"strange": True} not in run(out)


def test_a_run_of_the_readers_own_has_the_same_settings():
    defaults = {name: p.default for name, p in inspect.signature(train_from).parameters.items()}
    assert (defaults["steps"], defaults["lr"], defaults["batch_size"]) == (
        grid.STEPS,
        grid.LEARNING_RATE,
        grid.BATCH_SIZE,
    )


def test_the_stored_file_is_of_this_recipe_and_plan():
    stored = stored_results("depth")
    assert stored["recipe"] == grid.recipe()
    assert stored["command"] == grid.COMMAND
    names = {"pictures", "draw", "trained", "batch_norm", "rates"}
    plan = grid.plan(grid.DRAWS)
    for one in stored["runs"]:
        assert {key: value for key, value in one.items() if key in names} in plan
