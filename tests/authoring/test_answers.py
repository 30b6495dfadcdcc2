"""Answers that test the graders; the quizzes are graded here, everything with nbgrader in test_nbgrader_loop.py."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from time import thread_time
from unittest.mock import patch

import pytest
from exercise_files import ASSIGNMENTS, EXERCISES, ROOT, graded_cells, notebook
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from course_utils.authoring.answers import (
    Answer,
    _with_letters,
    fill_in,
    read_answer,
    read_answers,
    solution,
)
from course_utils.authoring.in_process import Graded, grade


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_there_are_answers_to_every_assignment(name):
    answers = read_answers(EXERCISES / "answers" / name)
    maximum = sum(cell.metadata.nbgrader.points for cell in graded_cells(notebook("source", name)))
    right = [answer for answer in answers if answer.name.startswith("right")]
    assert all(answer.score == maximum for answer in right)
    assert all(answer.score < maximum and answer.feedback for answer in answers if answer not in right)
    if name.startswith("ps"):
        assert len(right) >= 4
        assert len(answers) - len(right) >= 12


def test_an_answer_file_is_read(tmp_path):
    path = tmp_path / "wrong_fc.py"
    path.write_text(
        "# Reads model.fc,\n# always.\n#\n# score: {find_head: 1, what_moved: 2.5}\n# feedback: [no fc]\n\n"
        "# %% find_head\ndef find_head(model):\n    return model.fc\n",
        encoding="utf-8",
    )
    answer = read_answer(path)
    assert (answer.name, answer.title, answer.score) == ("wrong_fc", "Reads model.fc, always.", 3.5)
    assert answer.points == {"find_head": 1.0, "what_moved": 2.5}
    assert answer.feedback == ("no fc",)
    assert answer.cells == {"find_head": "def find_head(model):\n    return model.fc"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# title\n",
        "# title\n#\n# feedback: [x]\n",
        "# title\n#\n# score: many\n",
        "# title\n#\n# score: 1\n# scroe: 2\n",
    ],
)
def test_an_odd_answer_file_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "odd.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="odd.py"):
        read_answer(path)


def test_an_answer_to_a_cell_that_is_not_there_is_an_error(tmp_path):
    path = tmp_path / "stray.py"
    path.write_text("# title\n#\n# score: 1\n\n# %% find_tail\npass\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no answer cell find_tail"):
        fill_in(notebook("release", "ps1-heads"), notebook("source", "ps1-heads"), read_answer(path))


def installed_by(requirements: list[str], extra: str = "") -> set[str]:
    """The names of all packages that pip installs for ``requirements``."""
    names = set()
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            names |= {canonicalize_name(requirement.name)} | _installed_by_package(requirement.name)
    return names


@functools.cache
def _installed_by_package(name: str) -> frozenset[str]:
    return frozenset(installed_by(requires(name) or []))


def test_right_answers_import_only_what_comes_with_the_grading_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    at_hand = installed_by(project["dependencies"] + project["optional-dependencies"]["grading"])
    package = packages_distributions()
    known = sys.stdlib_module_names | {"course_utils"}
    known |= {module for module, names in package.items() if at_hand & set(map(canonicalize_name, names))}
    for path in EXERCISES.glob("answers/*/right_*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {name.split(".")[0] for name in imported} - known == set(), path


def test_a_solution_is_the_source_without_its_marks():
    assert solution("q1 = None\n### BEGIN SOLUTION\nq1 = 2\n### END SOLUTION") == "q1 = None\nq1 = 2"


@pytest.mark.parametrize(
    ("right", "wrong"), [("a", "b"), ("c", "a"), ("ac", "c"), ("bac", "cab"), ("4", "1"), ("1", "2"), ("87.5", "1")]
)
def test_a_wrong_answer_has_the_form_of_the_right_one(right, wrong):
    mark = "" if right[0].isdigit() else '"'
    assert (
        _with_letters('q = "<right>", "<wrong>"', f"q = None\nq = {mark}{right}{mark}") == f'q = "{right}", "{wrong}"'
    )


@functools.cache
def graded(name: str, answer_name: str, steps: frozenset[str] | None = None) -> dict[str, Graded]:
    """The result of each test cell for one of the answer files."""
    answer = next(answer for answer in read_answers(EXERCISES / "answers" / name) if answer.name == answer_name)
    if "never_ends" in answer_name:
        with patch("course_utils.grading.points.thread_time", lambda: 5 * thread_time()):
            return _graded(name, answer, steps)
    return _graded(name, answer, steps)


def _graded(name: str, answer: Answer, steps: frozenset[str] | None) -> dict[str, Graded]:
    return grade(notebook("source", name), fill_in(notebook("release", name), notebook("source", name), answer), steps)


def graded_here(name: str, answer: Answer) -> tuple[dict[str, float], str]:
    """The points of each test cell and what the cells print."""
    source = notebook("source", name)
    results = grade(source, fill_in(notebook("release", name), source, answer))
    points = {cell: result.points for cell, result in results.items()}
    return points, " ".join(" ".join(result.said for result in results.values()).split())


QUIZ_ANSWERS = [
    pytest.param(name, answer, id=f"{name}-{answer.name}")
    for name in ASSIGNMENTS
    if name.startswith("quiz-")
    for answer in read_answers(EXERCISES / "answers" / name)
]


@pytest.mark.parametrize(("name", "answer"), QUIZ_ANSWERS)
def test_an_answer_to_a_quiz_gets_its_points_and_sentences(name, answer):
    points, said = graded_here(name, answer)
    assert sum(points.values()) == answer.score
    assert {cell: points[cell] for cell in answer.points} == answer.points
    assert [sentence for sentence in answer.feedback if " ".join(sentence.split()) not in said] == []


@pytest.mark.parametrize("name", [name for name in ASSIGNMENTS if name.startswith("quiz-")])
def test_each_wrong_answer_costs_exactly_its_own_points(name):
    source = notebook("source", name)
    worth = {cell.id.removeprefix("test-"): cell.metadata.nbgrader.points for cell in graded_cells(source)}
    for cell in worth:
        points, _ = graded_here(name, Answer("", "", 0, cells={cell: f'{cell} = "<wrong>"'}))
        assert points == worth | {cell: 0}


# The problem sets, without kernels

PROBLEM_SETS = [name for name in ASSIGNMENTS if name.startswith("ps")]
QUICK = ("ps2-preprocessing", "ps4-metrics")  # milliseconds for a step; the others train networks or wait for a clock


def cases(name: str) -> list[pytest.ParameterSet]:
    return [
        pytest.param(name, answer, id=f"{name}-{answer.name}") for answer in read_answers(EXERCISES / "answers" / name)
    ]


def is_quick(answer: Answer) -> bool:
    return answer.name.startswith("wrong") and "ends" not in answer.name


def check(answer: Answer, results: dict[str, Graded], maximum: dict[str, float]) -> None:
    assert {step: results[step].points for step in answer.points if step in results} == {
        step: points for step, points in answer.points.items() if step in results
    }
    said = {step: " ".join(result.said.split()) for step, result in results.items()}
    sentences = [" ".join(sentence.split()) for sentence in answer.feedback]
    assert [sentence for sentence in sentences if not any(sentence in text for text in said.values())] == []
    lost = [step for step, result in results.items() if result.points < maximum[step]]
    assert [step for step in lost if not any(sentence in said[step] for sentence in sentences)] == [], said
    assert not [step for step, text in said.items() if "Traceback" in text]


def maximum_of(name: str) -> dict[str, float]:
    return {
        cell.id.removeprefix("test-"): cell.metadata.nbgrader.points for cell in graded_cells(notebook("source", name))
    }


@pytest.mark.parametrize(
    ("name", "answer"), [case for name in QUICK for case in cases(name) if is_quick(case.values[1])]
)
def test_a_mistake_costs_its_own_step_and_is_told_in_a_sentence_of_its_own(name, answer):
    maximum = maximum_of(name)
    check(answer, graded(name, answer.name, frozenset(answer.cells.keys() & maximum.keys())), maximum)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "answer"), [case for name in PROBLEM_SETS for case in cases(name)])
def test_an_answer_to_a_problem_set_gets_its_points_and_sentences(name, answer):
    check(answer, graded(name, answer.name), maximum_of(name))


IDEA = re.compile(r"\*\*Worth ([\d.]+) of (\d+): (.+?)\.\*\*")


def ideas(name: str) -> list[tuple[str, float, float, str]]:
    """What the notebook says that its steps are about: step, points, points of the step, the idea."""
    found, waiting = [], []
    for cell in notebook("release", name).cells:
        waiting += IDEA.findall(" ".join(cell.source.split())) if cell.cell_type == "markdown" else []
        if cell.metadata.get("nbgrader", {}).get("solution"):
            found += [(cell.id, float(points), float(total), idea) for points, total, idea in waiting]
            waiting = []
    return found


def checks(name: str, step: str) -> dict[str, float]:
    """The weight of each check in the instructor's test cell of a step, by its title."""
    cell = next(cell for cell in notebook("source", name).cells if cell.id == f"test-{step}")
    calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if ast.unparse(call.func) == "points.check"]
    return {
        call.args[0].value: next((word.value.value for word in call.keywords if word.arg == "worth"), 1)
        for call in calls
    }


@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_each_step_names_its_ideas_and_they_weigh_a_quarter_or_more(name):
    maximum, named = maximum_of(name), ideas(name)
    for step, points in maximum.items():
        assert sum(checks(name, step).values()) == points, step
        assert 1 <= len([idea for idea in named if idea[0] == step]) <= 2, step
    for step, points, total, idea in named:
        assert total == maximum[step]
        assert points >= total / 4
        assert checks(name, step)[idea] == points


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_some_answer_misses_each_idea_and_pays_for_it(name):
    results = [graded(name, case.values[1].name) for case in cases(name)]
    for step, points, total, idea in ideas(name):
        misses = [one[step] for one in results if f"[not yet] {idea}" in " ".join(one[step].said.split())]
        assert misses, f"no answer misses this: {idea}"
        assert all(one.points <= total - points for one in misses), idea


def test_a_wrong_earlier_step_is_not_paid_for_again():
    results = graded("ps4-metrics", "wrong_half")
    assert results["choose_threshold"].points < 4 == results["report"].points
    assert "Judged with our" in results["report"].said
    assert "choose_threshold in the place of yours." in " ".join(results["report"].said.split())
