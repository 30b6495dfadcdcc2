"""The assignments: built from text, released without a trace of the answers, and made of sound test cells."""

import ast
import dataclasses
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from exercise_files import ASSIGNMENTS, EXERCISES, ROOT, graded_cells, notebook

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from course_utils.authoring.answers import (
    is_answer,
)
from course_utils.authoring.assignments import (
    AssignmentError,
    build,
    finish,
    main,
    quiz_notebook,
    release,
    source_notebooks,
    stale_files,
    unsound_cells,
    write_in,
)
from course_utils.authoring.lessons import course_settings
from course_utils.quiz.bank import whole_bank

BANK = whole_bank()


def test_the_committed_files_are_what_a_build_gives():
    assert stale_files() == []


@pytest.fixture(scope="module")
def released_with_another_key(tmp_path_factory) -> Path:
    """A course folder with a quiz-1 whose right answers are others, and with files that must stay behind."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(EXERCISES / "nbgrader_config.py", course)
    changed = []
    for question in (question for question in BANK.values() if question.quiz == "quiz-1"):
        right = [option.right for option in question.options]
        options = [
            dataclasses.replace(option, right=flag)
            for option, flag in zip(question.options, right[-1:] + right[:-1], strict=True)
        ]
        changed.append(dataclasses.replace(question, options=tuple(options)))
    about = yaml.safe_load((EXERCISES / "quizzes.yaml").read_text(encoding="utf-8"))["quiz-1"]
    book = quiz_notebook(changed, about)
    finish(book, "quiz-1", course_settings(ROOT))
    write_in(course / "source", "quiz-1", book)
    for stray in ("key.py", "notes.md", "key.yaml", "marks.csv", "quiz-1.json", ".key"):
        (course / "source" / "quiz-1" / stray).write_text("the right answers", encoding="utf-8")
    release(course, "quiz-1")
    return course


def test_a_released_quiz_is_the_same_whatever_its_key_is(released_with_another_key):
    other = nbformat.read(released_with_another_key / "release" / "quiz-1" / "quiz-1.ipynb", as_version=4)
    source = nbformat.read(released_with_another_key / "source" / "quiz-1" / "quiz-1.ipynb", as_version=4)
    assert source != notebook("source", "quiz-1")
    assert other == notebook("release", "quiz-1")


def test_files_beside_a_source_notebook_are_not_released(released_with_another_key):
    released = [path.name for path in (released_with_another_key / "release" / "quiz-1").iterdir()]
    assert released == ["quiz-1.ipynb"]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_release_is_one_notebook_without_answers_hidden_tests_and_outputs(name):
    assert [path.name for path in (EXERCISES / "release" / name).iterdir()] == [f"{name}.ipynb"]
    released, source = notebook("release", name), notebook("source", name)
    text = (EXERCISES / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert not [mark for mark in ("BEGIN SOLUTION", "HIDDEN TESTS", "sealed") if mark in text]
    assert not [cell.id for cell in released.cells if cell.get("outputs") or cell.get("execution_count")]
    source_of = {cell.id: cell.source for cell in source.cells}
    for cell in released.cells:
        if is_answer(cell) or cell.metadata.get("nbgrader", {}).get("grade"):
            hidden, shown = between_and_outside_marks(source_of[cell.id])
            assert "".join(hidden).strip(), f"{cell.id} has nothing to hide"
            assert [line for line in cell.source.splitlines() if "YOUR ANSWER HERE" not in line] == shown


def between_and_outside_marks(source: str) -> tuple[list[str], list[str]]:
    inside, hidden, shown = False, [], []
    for line in source.splitlines():
        if line.strip().startswith("### "):
            inside = "BEGIN" in line
        else:
            (hidden if inside else shown).append(line)
    return hidden, shown


@pytest.mark.parametrize("step", ["source", "release"])
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_test_cell_ends_in_the_helper_that_gives_a_number_in_range(step, name):
    book = notebook(step, name)
    assert graded_cells(book)
    assert unsound_cells(book) == []


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_released_cell_is_python(name):
    for cell in notebook("release", name).cells:
        if cell.cell_type == "code" and "%pip" not in cell.source:
            ast.parse(cell.source)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("points.total()", "assert True", "its last line must be"),
        ("points.total()", "points.total() > 0", "its last line must be"),
        ("points = Points(6)", "points = Points(60)", "it must say `points = Points(6)`"),
        ("points.total()", "helper = 1\npoints.total()", "must begin with an underscore: helper"),
    ],
)
def test_a_test_cell_that_nbgrader_would_misread_is_refused(old, new, problem):
    book = notebook("source", "ps1-heads")
    cell = graded_cells(book)[0]
    cell.source = cell.source.replace(old, new)
    assert len(problems := unsound_cells(book)) == 1
    assert problem in problems[0]


def test_two_cells_with_one_id_are_refused():
    book = notebook("source", "ps1-heads")
    book.cells.append(book.cells[-1])
    assert "another cell has the same id" in unsound_cells(book)[0]


# Building in a folder of one's own


@pytest.fixture
def repository(tmp_path) -> Path:
    """The authored files of this repository in another place."""
    (tmp_path / "exercises" / "problems").mkdir(parents=True)
    for file in ("pyproject.toml", "exercises/quizzes.yaml", "exercises/nbgrader_config.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    shutil.copytree(ROOT / "exercises" / "questions", tmp_path / "exercises" / "questions")
    return tmp_path


def test_a_quiz_without_questions_is_an_error_that_names_it(repository):
    quizzes = repository / "exercises" / "quizzes.yaml"
    quizzes.write_text(quizzes.read_text(encoding="utf-8") + "\nquiz-99: {title: T, introduction: I, minutes: 1}\n")
    with pytest.raises(AssignmentError, match="no question of the bank has `quiz: quiz-99`"):
        source_notebooks(repository)


def test_a_question_of_an_unknown_quiz_is_an_error_that_names_it(repository):
    (repository / "exercises" / "quizzes.yaml").write_text("{}", encoding="utf-8")
    with pytest.raises(AssignmentError, match="quiz-1"):
        source_notebooks(repository)


def test_an_unsound_problem_script_is_an_error_that_names_the_cell(repository):
    script = '# %% test="one" points=2\nfrom course_utils.grading import Points\npoints = Points(2)\n"done"\n'
    (repository / "exercises" / "problems" / "ps9_new.py").write_text(script, encoding="utf-8")
    with pytest.raises(AssignmentError, match="ps9-new, cell test-one: its last line"):
        source_notebooks(repository)


def test_the_command_says_which_files_are_out_of_date(monkeypatch, capsys):
    monkeypatch.setattr("course_utils.authoring.assignments.stale_files", lambda **_: ["source/x.ipynb is missing"])
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "source/x.ipynb is missing\n"


def test_only_some_are_built(repository, tmp_path):
    out = tmp_path / "built"
    built = build(repository, out, only=["quiz-2"])
    assert {path.relative_to(out).parts[1] for path in built} == {"quiz-2"}


def test_an_assignment_that_is_not_there_is_told(repository, capsys):
    with pytest.raises(AssignmentError, match=r"There is no assignment quiz-9: quiz-1, "):
        build(repository, only=["quiz-2", "quiz-9"])


# An instructor's own questions

OWN = """\
- id: {id}
  covers: []
  difficulty: hard
  quiz: {quiz}
  prompt: How much is two and two?
  options:
    - text: four
      right: true
      feedback: So it is.
    - text: five
      feedback: One too many.
  hint: Count.
  explanation: Two and two are four.
  proof: assert 2 + 2 == 4
"""


def own_questions(folder: Path, text: str) -> Path:
    (folder / "own").mkdir()
    (folder / "own" / "mine.yaml").write_text(text, encoding="utf-8")
    return folder / "own"


def test_an_own_question_is_added_to_its_quiz(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="two-and-two", quiz="quiz-2"))
    ours, theirs = source_notebooks(repository), source_notebooks(repository, own)
    assert len(graded_cells(theirs["quiz-2"])) == len(graded_cells(ours["quiz-2"])) + 1
    assert "How much is two and two?" in theirs["quiz-2"].cells[-3].source
    assert theirs["quiz-1"] == ours["quiz-1"]


def test_an_own_question_takes_the_place_of_the_one_with_its_id(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="transforms-is-a-factory", quiz="quiz-2"))
    ours, theirs = source_notebooks(repository), source_notebooks(repository, own)
    assert len(graded_cells(theirs["quiz-2"])) == len(graded_cells(ours["quiz-2"]))
    assert "How much is two and two?" in "".join(cell.source for cell in theirs["quiz-2"].cells[:5])
    assert "takes 1 positional argument" not in nbformat.writes(theirs["quiz-2"])


def test_an_own_question_of_a_quiz_that_nobody_announced_is_told(repository, tmp_path):
    own = own_questions(tmp_path, OWN.format(id="two-and-two", quiz="quiz-9"))
    with pytest.raises(AssignmentError, match="quiz-9, which quizzes.yaml does not announce"):
        source_notebooks(repository, own)


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_bad_yaml_in_an_own_file_gives_file_line_and_reason(tmp_path, capsys, check):
    own = own_questions(
        tmp_path, OWN.format(id="two-and-two", quiz="quiz-2").replace("hint: Count.", "hint: Count: it")
    )
    assert main([*check, "--questions", str(own)]) == 1
    assert capsys.readouterr().err == (
        "1 problem in the question bank:\nmine.yaml, line 12: mapping values are not allowed in this context\n"
    )


def test_a_folder_of_own_questions_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["--questions", str(tmp_path / "nowhere")]) == 1
    assert "There is no folder" in capsys.readouterr().err
