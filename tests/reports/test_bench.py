"""The course's own claims: measured at tiny sizes, kept, resumed, and told without a number that was not measured."""

import argparse
import json
import re
from pathlib import Path

import pytest
import torch

from course_utils.reports import bench
from course_utils.reports import bench_page as bench_report
from course_utils.reports.bench import compare_recipes, head_by_the_tutorial, one_forward_pass, training_pictures
from course_utils.reports.bench_page import CACHED, EAGER, END, FAST, FLOOR, START, TUTORIAL, report, values
from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH, Start, new_head, start_from

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = {
    "recipe pictures": 500,
    "test pictures": 400,
    "head epochs": 100,
    "tutorial epochs": 25,
    "turns": 3,
    "pass pictures": 128,
    "epochs": {SCRATCH: {"50": 15}, EVERYTHING: {"50": 8}},
    "learning rate": 0.001,
}


def measured(**rows: tuple) -> list[dict]:
    return [{"row": row, "accuracy": accuracy, "seconds": seconds} for row, (accuracy, seconds) in rows.items()]


@pytest.fixture
def results() -> dict:
    """A file of results with two seeds of both kinds of comparison."""
    runs = [
        ("recipe", 0, {FLOOR: (None, 2.0), CACHED: (0.9, 3.0), TUTORIAL: (0.88, 60.0)}),
        ("recipe", 1, {FLOOR: (None, 2.0), CACHED: (0.8, 2.0), TUTORIAL: (0.81, 60.0)}),
        ("50", 0, {SCRATCH: (0.6, 10.0), HEAD: (0.8, 1.0), EVERYTHING: (0.9, 9.0)}),
        ("50", 1, {SCRATCH: (0.5, 12.0), HEAD: (0.7, 1.0), EVERYTHING: (0.9, 9.0)}),
    ]
    runs = [{"comparison": name, "seed": seed, "measured": measured(**rows)} for name, seed, rows in runs]
    here = {"hardware": "a laptop", "torch": "2.9", "weights": "course, 123", "settings": SETTINGS}
    return {**here, "runs": runs}


@pytest.fixture
def tiny(monkeypatch, tmp_path) -> Path:
    """Everything as in earnest, only with next to no pictures and epochs; returns an empty folder to work in."""
    monkeypatch.setattr(bench, "SIZES", (4, 6))
    monkeypatch.setattr(bench, "TEST_PICTURES", 4)
    monkeypatch.setattr(bench, "HEAD_EPOCHS", 2)
    monkeypatch.setattr(bench, "TUTORIAL_EPOCHS", 1)
    monkeypatch.setattr(bench, "EPOCHS", {SCRATCH: {4: 1, 6: 1}, EVERYTHING: {4: 1, 6: 1}})
    monkeypatch.setattr(bench, "PASS_PICTURES", 2)
    monkeypatch.setattr(bench, "COMPARISONS", {"recipe": "recipe", "resnet18": "a pass", "4": "four", "6": "six"})
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    training_pictures.cache_clear()
    bench.test_pictures.cache_clear()
    yield tmp_path
    training_pictures.cache_clear()
    bench.test_pictures.cache_clear()


@pytest.fixture
def start() -> Start:
    return start_from("resnet18", torch.device("cpu"))


def options(folder: Path, *rows: str, seeds: int = 1) -> argparse.Namespace:
    return argparse.Namespace(
        rows=list(rows) or ["recipe", "resnet18", "4", "6"], seeds=seeds, out=folder / "BENCH.json"
    )


# The measuring


def test_one_command_measures_every_row_and_says_it(tiny):
    (tiny / "README.md").write_text(f"# Course\n\n{START}\nold\n{END}\n\nThe end.\n", encoding="utf-8")
    assert bench.run(options(tiny)) == 0
    results = json.loads((tiny / "BENCH.json").read_text(encoding="utf-8"))
    assert [run["comparison"] for run in results["runs"]] == ["recipe", "resnet18", "4", "6"]
    for run in results["runs"]:
        rows = {"recipe": [FLOOR, CACHED, TUTORIAL], "resnet18": [EAGER, FAST]}
        rows = rows.get(run["comparison"], [SCRATCH, HEAD, EVERYTHING])
        assert [line["row"] for line in run["measured"]] == rows
        assert all(line["seconds"] > 0 for line in run["measured"])
        assert all(line["accuracy"] in (None, 0, 0.25, 0.5, 0.75, 1) for line in run["measured"])
    page = (tiny / "BENCH.md").read_text(encoding="utf-8")
    assert page.count("python -m course_utils bench --rows") == 11
    assert results["hardware"] in page
    assert (tiny / "figures" / "bench.png").stat().st_size > 10_000
    readme = (tiny / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Course") and readme.endswith("The end.\n")
    assert "old" not in readme
    assert re.search(r"!\[Left: .+\]\(figures/bench\.png\)", readme)


def test_a_second_call_measures_only_what_is_missing(tiny, monkeypatch, capsys):
    runs = []

    def pretend(_device, comparison, seed):
        runs.append((comparison, seed))
        rows = [SCRATCH, HEAD, EVERYTHING] if comparison != "recipe" else [FLOOR, CACHED, TUTORIAL]
        return [bench.Measurement(row, None if row == FLOOR else 0.5, 1.0) for row in rows]

    monkeypatch.setattr(bench, "measure", pretend)
    bench.run(options(tiny, "4"))
    bench.run(options(tiny, "4", "recipe", seeds=2))
    bench.run(options(tiny, "4", "recipe", seeds=2))
    assert runs == [("4", 0), ("recipe", 0), ("4", 1), ("recipe", 1)]
    assert "Wrote BENCH.md, figures/bench.png" in capsys.readouterr().out


def test_what_is_done_survives_an_interruption(tiny, monkeypatch):
    def interrupted(_device, comparison, _seed):
        if comparison == "6":
            raise KeyboardInterrupt
        return [bench.Measurement(row, 0.5, 1.0) for row in (SCRATCH, HEAD, EVERYTHING)]

    monkeypatch.setattr(bench, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run(options(tiny, "4", "6"))
    results = json.loads((tiny / "BENCH.json").read_text(encoding="utf-8"))
    assert [run["comparison"] for run in results["runs"]] == ["4"]


@pytest.mark.parametrize("name", ["hardware", "torch", "weights", "settings"])
def test_numbers_of_other_circumstances_are_not_mixed(tiny, name, capsys):
    out = tiny / "BENCH.json"
    here = bench.circumstances(torch.device("cpu"))
    other = {"head epochs": 1} if name == "settings" else "another"
    before = json.dumps({**here, name: other, "runs": []})
    out.write_text(before, encoding="utf-8")
    assert bench.run(options(tiny)) == 1
    assert f"other {name}" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"runs": 3}', "\x00"])
def test_a_file_that_holds_something_else_is_left_alone(tiny, content, capsys):
    (tiny / "BENCH.json").write_text(content, encoding="utf-8")
    assert bench.run(options(tiny)) == 1
    assert "BENCH.json is no file of results" in capsys.readouterr().err
    assert (tiny / "BENCH.json").read_text(encoding="utf-8") == content


def test_no_seed_is_refused(tiny, capsys):
    assert bench.run(options(tiny, seeds=0)) == 1
    assert "--seeds must be at least 1" in capsys.readouterr().err


# The ways


def test_both_ways_to_a_head_leave_the_weights_of_the_backbone_alone(tiny, start):
    pictures = training_pictures(0, start.pixels)
    for train in (head_by_the_tutorial(start, pictures, 0), new_head(start, pictures, epochs=1, seed=0)):
        model = start.pretrained()
        train(model)
        assert model.fc.out_features == 2
        before = dict(start.model.named_parameters())
        changed = {name for name, tensor in model.named_parameters() if not torch.equal(tensor, before[name])}
        assert changed == {"fc.weight", "fc.bias"}


def test_the_tutorials_recipe_sees_every_picture_in_every_epoch_and_the_cached_way_once(tiny, start, monkeypatch):
    monkeypatch.setattr(bench, "TUTORIAL_EPOCHS", 3)
    pictures, seen = training_pictures(0, start.pixels), []
    for train in (head_by_the_tutorial(start, pictures, 0), new_head(start, pictures, epochs=3, seed=0)):
        model, count = start.pretrained(), []
        model.conv1.register_forward_hook(lambda _layer, inputs, _out, count=count: count.append(len(inputs[0])))
        train(model)
        seen.append(count)
    assert seen == [[4, 2] * 3, [6]]


def test_the_floor_is_the_network_alone_on_every_picture(tiny, start):
    seen = []
    start.model.conv1.register_forward_hook(lambda _layer, inputs, _out: seen.append(len(inputs[0])))
    run = one_forward_pass(start, training_pictures(0, start.pixels), fast=False)
    assert seen == []  # preprocessing is done before the clock starts
    run()
    assert seen == [6]


def test_the_same_seed_gives_the_same_accuracies(tiny, start):
    first, second = ([line.accuracy for line in compare_recipes(start, 0)] for _ in range(2))
    assert first == second


# The report


def test_ratios_compare_runs_of_the_same_seed(results):
    assert bench_report.ratios(results, "recipe", TUTORIAL, CACHED) == [20, 30]
    assert bench_report.ratios(results, "recipe", CACHED, FLOOR) == [1.5, 1]


def test_values_come_in_the_order_of_the_seeds(results):
    results["runs"].reverse()
    assert values(results, "50", SCRATCH, "accuracy") == [0.6, 0.5]


def test_the_page_says_what_the_file_holds(results):
    page = report(results, "figures/bench.png", "A text.")
    assert "**25.0 times**" in page and "from 20.0 to 30.0" in page
    assert "**1.25 times**" in page
    assert "differs from it by +0.5 points (by seed: +2.0, -1.0)" in page
    assert "| one forward pass | learns nothing | 2.0 ± 0.0 | a laptop |" in page
    assert (
        "| from scratch | 55.0% ± 7.1% | 11.0 ± 1.4 | a laptop | `python -m course_utils bench --rows 50 --seeds 2` |"
        in page
    )
    assert "![A text.](figures/bench.png)" in page


def test_the_pass_of_each_model_is_told_as_a_ratio(results):
    lines = measured(**{EAGER: (None, 9.0), FAST: (None, 3.0)})
    results["runs"].append({"comparison": "efficientnet_lite0", "seed": 0, "measured": lines})
    page = report(results, "", "")
    assert "## One forward pass over 128 pictures" in page and "### efficientnet_lite0" in page
    assert "**3.00 times** as many pictures a second" in page
    assert page.index("The head alone") < page.index("One forward pass over") < page.index("Three ways")


def test_a_part_of_the_measurements_is_a_part_of_the_page(results):
    results["runs"] = results["runs"][:1]
    page = report(results, "", "")
    assert "from 20.0 to 20.0" in page
    assert "Three ways" not in page and "![" not in page


def test_without_sizes_there_is_no_figure(results, tmp_path):
    results["runs"] = results["runs"][:2]
    assert bench_report.write_everything(results, tmp_path / "mine.json") == ["mine.md"]
    assert not (tmp_path / "figures").exists()


def test_the_figures_text_tells_its_numbers(results, tmp_path):
    alt = bench_report.draw(results, tmp_path / "figures" / "bench.png")
    assert "head only 75% in about 1.0 seconds" in alt
    assert "from scratch 55% in about 11 seconds" in alt


def test_a_readme_without_the_two_marks_stays_as_it_is(results, tmp_path):
    (tmp_path / "README.md").write_text("# Mine\n", encoding="utf-8")
    bench_report.write_everything(results, tmp_path / "BENCH.json")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "# Mine\n"


# What the repository says


def test_the_readme_has_a_place_for_the_picture():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count(START) == readme.count(END) == 1
    assert readme.index(START) < readme.index(END)


def test_the_readme_and_the_page_say_what_the_file_of_results_holds(tmp_path):
    if not (ROOT / "BENCH.json").exists():
        pytest.skip("nothing has been measured yet: make bench")
    results = json.loads((ROOT / "BENCH.json").read_text(encoding="utf-8"))
    alt = bench_report.draw(results, tmp_path / "bench.png")
    assert (ROOT / "BENCH.md").read_text(encoding="utf-8") == report(results, "figures/bench.png", alt)
    section = bench_report.readme_section("figures/bench.png", "BENCH.md", alt)
    assert section in (ROOT / "README.md").read_text(encoding="utf-8")
