"""What surrounds a problem set: hints on request, and the solution once its deadline has passed."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

import jupytext

from course_utils import hint
from course_utils.authoring.answers import solution
from course_utils.authoring.assignments import AssignmentError, problem_notebook
from course_utils.authoring.hints import all_hints, hints_file, hints_text, with_requests
from course_utils.authoring.solutions import deadline, main, solution_notebook
from course_utils.quiz import hints as problem_hints

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "exercises" / "problems").glob("*.py"))
PROBLEM_SETS = [pytest.param(script, id=script.stem) for script in SCRIPTS]
TINY = """\
# %% [markdown]
# # Problem set 9: a tiny one

# %% [markdown]
# ## 1. Double it

# %% [markdown] hint="ps9.1"
# What is twice
# as much?

# %% [markdown] hint="ps9.1"
# Look:
#
# ```python
# 2 *  x
# ```

# %% answer="double"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% [markdown] why="double"
# Because.

# %% test="double" points=1
from course_utils.grading import Points, expect
points = Points(1)
points.check("two", lambda: expect(double(1) == 2, "no"))
### BEGIN HIDDEN TESTS
points.check("six", lambda: expect(double(3) == 6, "no"))
### END HIDDEN TESTS
points.total()
"""


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository with one tiny problem set, ps9-tiny."""
    folder = tmp_path / "exercises" / "problems"
    folder.mkdir(parents=True)
    (folder / "ps9_tiny.py").write_text(TINY, encoding="utf-8")
    return tmp_path


def test_the_hints_of_the_package_are_those_of_the_problem_scripts():
    assert hints_file(ROOT).read_text(encoding="utf-8") == hints_text(ROOT)


@pytest.mark.parametrize("script", PROBLEM_SETS)
def test_every_step_of_a_problem_set_has_one_to_three_hints_and_nothing_to_click(script):
    text = script.read_text(encoding="utf-8")
    number = re.match(r"ps(\d+)_", script.name)[1]
    steps = re.findall(r"^# ## (\d+)\.", text, flags=re.MULTILINE)
    hints = {step: told for step, told in all_hints(ROOT).items() if step.split(".")[0] == f"ps{number}"}
    assert list(hints) == [f"ps{number}.{step}" for step in steps]
    assert all(1 <= len(told) <= 3 for told in hints.values())
    assert "<details" not in text


@pytest.mark.parametrize("script", PROBLEM_SETS)
def test_every_answer_of_a_problem_set_has_its_reason(script):
    cells = jupytext.read(script, fmt="py:percent").cells
    answers = [cell.metadata["answer"] for cell in cells if "answer" in cell.metadata]
    assert [cell.metadata["why"] for cell in cells if "why" in cell.metadata] == answers


def test_hints_are_gathered_with_their_paragraphs_in_one_line_and_their_code_as_it_is(repository):
    assert all_hints(repository) == {"ps9.1": ["What is twice as much?", "Look:\n\n```python\n2 *  x\n```"]}


def test_the_notebook_holds_one_request_instead_of_the_hints_of_a_step(repository):
    book = problem_notebook(repository / "exercises" / "problems" / "ps9_tiny.py")
    text = "\n".join(cell.source for cell in book.cells)
    assert text.count('hint("ps9.1")') == 1
    assert "Hints: 2." in text
    assert "twice" not in text and "Because." not in text


def test_a_request_runs_and_asks_for_nothing_until_its_mark_is_taken_away(capsys):
    cells = [nbformat.v4.new_markdown_cell("x", metadata={"hint": "ps1.1"})]
    (request,) = with_requests(cells)
    exec(request.source, {})
    assert capsys.readouterr().out == ""
    exec(request.source.replace("# hint", "hint"), {})
    assert "Hint 1 of" in capsys.readouterr().out


@pytest.mark.parametrize("script", PROBLEM_SETS)
def test_a_student_may_change_the_cell_that_asks_for_a_hint(script):
    name = script.stem.replace("_", "-")
    book = nbformat.read(ROOT / "exercises" / "release" / name / f"{name}.ipynb", as_version=4)
    requests = [cell for cell in book.cells if re.search(r'^# hint\("ps', cell.source, flags=re.MULTILINE)]
    assert requests
    assert [cell.source for cell in requests if cell.metadata.get("editable") is False] == []


@pytest.fixture
def three_hints(monkeypatch):
    monkeypatch.setattr(problem_hints, "load_hints", lambda: {"ps9.1": ["`one`", "**two**", "three"], "ps9.2": ["x"]})
    monkeypatch.setattr(problem_hints, "_told", {})


def test_each_call_tells_the_next_hint_and_then_begins_again(three_hints, capsys):
    for _ in range(4):
        hint("ps9.1")
    hint(" PS9.2 ")
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 3: `one`",
        "Hint 2 of 3: two",
        "Hint 3 of 3 (the last one): three",
        "Hint 1 of 3: `one`",
        "Hint 1 of 1 (the last one): x",
    ]


@pytest.mark.parametrize("step", ["ps9.3", "ps9"])
def test_an_unknown_step_is_an_error_that_names_those_of_the_problem_set(three_hints, step):
    with pytest.raises(LookupError, match=f"There are no hints for '{step}'. There are some for ps9.1, ps9.2."):
        hint(step)


def test_a_question_keeps_its_own_hint(capsys):
    hint("what-eval-does")
    assert capsys.readouterr().out.startswith("Hint: ")


def test_the_package_holds_hints_and_no_reasons():
    stored = hints_file(ROOT).read_text(encoding="utf-8")
    reasons = [
        cell.source
        for script in SCRIPTS
        for cell in jupytext.read(script, fmt="py:percent").cells
        if "why" in cell.metadata
    ]
    assert reasons
    assert not [text for text in reasons if text.split("\n")[0] in stored]


# The solution, after the deadline


def test_the_solution_holds_the_answer_its_reason_and_no_hidden_test(repository):
    sources = [cell.source for cell in solution_notebook("ps9-tiny", repository).cells]
    assert "def double(x):\n    return 2 * x" in sources
    assert "**Why this way.** Because." in sources
    assert not [text for text in sources if "six" in text or "###" in text or "twice" in text]


@pytest.mark.parametrize("script", PROBLEM_SETS)
def test_each_problem_set_has_a_solution_that_is_a_valid_notebook(script):
    book = solution_notebook(script.stem.replace("_", "-"))
    nbformat.validate(book)
    answers = [c for c in jupytext.read(script, fmt="py:percent").cells if "answer" in c.metadata]
    assert {solution(cell.source) for cell in answers} <= {cell.source for cell in book.cells}


def test_the_answers_of_a_quiz_are_told_with_their_reasons():
    sources = [cell.source for cell in solution_notebook("quiz-1").cells]
    assert sources[0].endswith(": the answers")
    assert sum(text.startswith("The answer is ") for text in sources) == sum(text.startswith("## ") for text in sources)


def test_the_answers_of_a_quiz_with_own_questions_are_told_too(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "- {id: mine, quiz: quiz-1, difficulty: easy, prompt: Mine?, hint: Yes., explanation: Because it is mine.,\n"
        "   no_proof: A test., options: [{text: yes, right: true, feedback: Yes.}, {text: no, feedback: No.}]}\n",
        encoding="utf-8",
    )
    sources = [cell.source for cell in solution_notebook("quiz-1", own=tmp_path).cells]
    assert any("Because it is mine." in text for text in sources)
    assert len(sources) == len(solution_notebook("quiz-1").cells) + 2


def test_an_unknown_assignment_is_an_error_that_names_the_known(repository):
    with pytest.raises(AssignmentError, match="There is: ps9-tiny."):
        solution_notebook("ps8", repository)


def test_a_deadline_is_the_end_of_a_day_or_a_moment():
    assert deadline("2027-03-01") == datetime(2027, 3, 1, 23, 59, 59, 999999).astimezone()
    zone = timezone(timedelta(hours=1))
    assert deadline("2027-03-01T12:00+01:00") == datetime(2027, 3, 1, 12, tzinfo=zone)
    assert deadline("2027-03-01 12:00") == datetime(2027, 3, 1, 12).astimezone()


def test_after_the_deadline_the_solution_is_written(repository, tmp_path, capsys):
    out = tmp_path / "handouts" / "week 3"
    assert main(["ps9-tiny", "--after", "2020-01-01", "--out", str(out)], repository) == 0
    path = out / "ps9-tiny-solution.ipynb"
    assert capsys.readouterr().out.strip() == str(path)
    assert nbformat.read(path, as_version=4).cells[0].source == "# Problem set 9: a tiny one"


def today_and_later() -> list[str]:
    return [f"{datetime.now():%Y-%m-%d}", "2999-01-01", "2999-01-01T12:00"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ps9-tiny"], "State the deadline"),
        *[(["ps9-tiny", "--after", text], "has not passed") for text in today_and_later()],
        (["ps9-tiny", "--after", "next week"], "'next week' is no date"),
        (["ps7", "--after", "2020-01-01"], "There is no assignment 'ps7'"),
    ],
)
def test_without_a_deadline_that_has_passed_nothing_is_written(repository, tmp_path, capsys, arguments, reason):
    assert main([*arguments, "--out", str(tmp_path / "handouts")], repository) == 1
    said = capsys.readouterr().err
    assert reason in said and said.endswith("Nothing was written.\n")
    assert not (tmp_path / "handouts").exists()


def test_the_solution_is_not_written_where_students_get_their_files(repository, capsys):
    out = repository / "exercises" / "release" / "ps9-tiny"
    assert main(["ps9-tiny", "--after", "2020-01-01", "--out", str(out)], repository) == 1
    assert "Choose another folder" in capsys.readouterr().err
    assert not out.exists()
