"""Answers that test the graders; the quizzes are graded here, everything with nbgrader in test_nbgrader_loop.py."""

import ast
import contextlib
import functools
import io
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

import pytest
from exercise_files import ASSIGNMENTS, EXERCISES, ROOT, graded_cells, notebook
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from course_utils.authoring.answers import (
    Answer,
    _with_letters,
    fill_in,
    is_answer,
    read_answer,
    read_answers,
    solution,
)


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


def graded_here(name: str, answer: Answer) -> tuple[dict[str, float], str]:
    """The points of each test cell and what the cells print: every cell runs, and an error stops only its own."""
    submission = fill_in(notebook("release", name), notebook("source", name), answer)
    written = {cell.id: cell.source for cell in submission.cells if is_answer(cell)}
    names, points = {}, {}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        for cell in notebook("source", name).cells:
            if cell.id.startswith("test-"):
                *body, last = ast.parse(cell.source).body
                exec(compile(ast.Module(body, []), cell.id, "exec"), names)
                points[cell.id.removeprefix("test-")] = eval(ast.unparse(last), names)
            elif is_answer(cell):
                with contextlib.suppress(Exception):
                    exec(written[cell.id], names)
    return points, " ".join(output.getvalue().split())


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
