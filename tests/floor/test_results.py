"""Stored results: what lessons read, that it is whole, and what a wrong question is answered."""

import json

import pytest

from course_utils.results import FOLDER, ResultsError, stored_results, values

RUNS = [
    {"pictures": 50, "draw": 0, "trained": "head", "plain": 0.7},
    {"pictures": 50, "draw": 1, "trained": "head", "plain": 0.8},
    {"pictures": 50, "draw": 0, "trained": "all", "batch_norm": "stored", "plain": 0.9},
]


def test_what_was_written_is_read(tmp_path):
    (tmp_path / "some.json").write_text(json.dumps({"command": "make it", "runs": RUNS}), encoding="utf-8")
    assert stored_results("some", tmp_path) == {"command": "make it", "runs": RUNS}


def test_results_that_are_not_there_are_named_with_those_that_are(tmp_path):
    (tmp_path / "some.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ResultsError, match="no stored results called 'other'; stored are: some"):
        stored_results("other", tmp_path)


def test_values_are_those_of_the_runs_that_fit():
    assert values(RUNS, "plain", trained="head") == [0.7, 0.8]
    assert values(RUNS, "plain", trained="all", batch_norm="stored") == [0.9]


def test_a_question_that_no_run_answers_is_repeated():
    with pytest.raises(ResultsError, match="No stored run has pictures=7, trained='head'"):
        values(RUNS, "plain", pictures=7, trained="head")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_stored_file_says_how_to_make_it_again(file):
    stored = stored_results(file.stem)
    assert stored["command"].startswith("python -m course_utils ")
    assert stored["recipe"] and stored["runs"]
