"""The instructor's whole path through nbgrader itself: release, hand in, grade, feedback, CSV.

Answers in ``exercises/answers/`` are students. They are handed in, graded by one ``nbgrader autograde`` an assignment,
and must get exactly the points and the sentences that their file says. A kernel for each takes minutes, so these are a
few of each assignment; the quizzes after the first, and the problem sets, are notebooks of one assignment.
What differs from student to student is graded in test_answers.py, every answer, without kernels.
"""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from exercise_files import ASSIGNMENTS, EXERCISES, notebook

pytest.importorskip("nbgrader", reason="the grading extra is not installed")

from nbgrader.api import Gradebook

from course_utils.authoring.answers import Answer, fill_in, is_answer, read_answers
from course_utils.quiz.bank import whole_bank
from course_utils.quiz.markdown import to_text
from course_utils.quiz.question import answer_key, lettered

pytestmark = pytest.mark.slow
ANSWERS = {name: read_answers(EXERCISES / "answers" / name) for name in ASSIGNMENTS}
ALWAYS = ("untouched", "right_reference", "wrong_everywhere", "odd_forms")
# What only a kernel shows: noise on stderr, an endless loop, exit(), a cell with a syntax error.
KERNEL = ("right_noisy", "wrong_never_ends", "odd_cells", "odd_equal_to_everything")
# The assignments of nbgrader's: one is a quiz as it is, the others hold several of ours.
RUNS = {
    "quiz-1": ["quiz-1"],
    "later-quizzes": [name for name in ASSIGNMENTS if name.startswith("quiz-") and name != "quiz-1"],
    "problem-sets": [name for name in ASSIGNMENTS if name.startswith("ps")],
}
for name in ASSIGNMENTS:
    ANSWERS[name] = [answer for answer in ANSWERS[name] if answer.name in ALWAYS + KERNEL]


CASES = [pytest.param(name, answer, id=f"{name}-{answer.name}") for name in ASSIGNMENTS for answer in ANSWERS[name]]


@cache
def right_submission(name: str) -> nbformat.NotebookNode:
    return fill_in(notebook("release", name), notebook("source", name), Answer("right", "", 0))


def without_a_test_cell(name: str) -> nbformat.NotebookNode:
    """The right answers, but the student has deleted the second test cell."""
    book = nbformat.from_dict(right_submission(name))
    tests = [cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    book.cells.remove(tests[1])
    return book


def with_easier_tests(name: str) -> nbformat.NotebookNode:
    """Nothing answered, but every test cell says that it is worth a fortune."""
    book = notebook("release", name)
    for cell in book.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "1000.0"
            cell.metadata.nbgrader.points = 1000
    return book


def back_from_colab(name: str) -> nbformat.NotebookNode:
    """The right answers in the form in which Colab saves a notebook: no cell ids, metadata of its own, a cell more."""
    book = nbformat.from_dict(right_submission(name))
    book.nbformat_minor = 0
    book.metadata["colab"] = {"provenance": []}
    for number, cell in enumerate(book.cells):
        del cell["id"]
        cell.metadata["id"] = f"colab{number}"
    own = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": "2 + 2"}
    book.cells.append(nbformat.from_dict(own))
    return book


def with_noise(name: str) -> nbformat.NotebookNode:
    """The right answers after a cell that writes to stderr, now and once more when every cell runs."""
    book = nbformat.from_dict(right_submission(name))
    loud = (
        "import sys, warnings\n"
        "print('careful', file=sys.stderr)\n"
        "get_ipython().events.register('pre_run_cell', lambda *_: print('careful', file=sys.stderr))"
    )
    book.cells.insert(1, nbformat.v4.new_code_cell(loud))
    return book


HANDMADE = {
    "deleted_test_cell": without_a_test_cell,
    "easier_tests": with_easier_tests,
    "from_colab": back_from_colab,
    "noise": with_noise,
}


@dataclass(frozen=True)
class Course:
    """A copy of the course after one assignment was graded, and the scores of its CSV export by student."""

    assignment: str
    folder: Path
    scores: dict[str, float]

    def feedback(self, student: str, notebook: str) -> str:
        """What the student reads: the text of the feedback page."""
        page = (self.folder / "feedback" / student / self.assignment / f"{notebook}.html").read_text(encoding="utf-8")
        page = re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.DOTALL)
        return squeezed(html.unescape(re.sub(r"<[^>]+>", "", page)))

    def autograded(self, student: str, notebook: str) -> nbformat.NotebookNode:
        """The notebook as nbgrader ran it."""
        path = self.folder / "autograded" / student / self.assignment / f"{notebook}.ipynb"
        return nbformat.read(path, as_version=4)

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def courses(request, tmp_path_factory) -> dict[str, Course]:
    """The graded courses that are asked for, two at a time: a kernel needs one core, and nearly all the time."""
    cases = selected_cases(request)
    wanted = {"quiz-1", *(case.get("name") for case in cases), *(case.get("run") for case in cases)}
    runs = [run for run, names in RUNS.items() if wanted.intersection([run, *names])]
    folders = {run: tmp_path_factory.mktemp(run) for run in runs}
    asked = {name: students(request, name) for name in ASSIGNMENTS}
    with ThreadPoolExecutor(2) as pool:
        graded = pool.map(lambda run: grade_everybody(run, folders[run], asked), runs)
        return {name: course for course in graded for name in RUNS[course.assignment]}


def selected_cases(request) -> list[dict]:
    """The parameters of the tests of this file that are going to run."""
    items = [item for item in request.session.items if item.path == request.path]
    return [item.callspec.params for item in items if hasattr(item, "callspec")]


def students(request, name: str) -> list[Answer]:
    """The answers that the selected tests ask about, and those that tests without a parameter know by name."""
    asked = {case["answer"].name for case in selected_cases(request) if case.get("name") == name and "answer" in case}
    return [answer for answer in ANSWERS[name] if answer.name in asked.union(ALWAYS)]


def grade_everybody(run: str, folder: Path, answers: dict[str, list[Answer]]) -> Course:
    shutil.copy(EXERCISES / "nbgrader_config.py", folder)
    for name in RUNS[run]:
        for step in ("source", "release"):  # both are there in a fresh clone
            shutil.copytree(EXERCISES / step / name, folder / step / run, dirs_exist_ok=True)
        released, source = notebook("release", name), notebook("source", name)
        for answer in answers[name]:
            hand_in(folder, answer.name, run, name, fill_in(released, source, answer))
        for student, make in HANDMADE.items() if name == "quiz-1" else ():
            hand_in(folder, student, run, name, make(name))
    nbgrader(folder, "generate_assignment", run, "--force")
    nbgrader(folder, "autograde", run)
    nbgrader(folder, "generate_feedback", run)
    nbgrader(folder, "export", "--to=grades.csv")
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    return Course(run, folder, scores)


def nbgrader(folder: Path, *command: str) -> None:
    """Run a plain nbgrader command in the course folder, as an instructor would."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=folder,
        env={**os.environ, "PATH": tools, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"nbgrader {' '.join(command)}\n{done.stderr[-3000:]}"


def hand_in(folder: Path, student: str, assignment: str, name: str, book: nbformat.NotebookNode) -> None:
    target = folder / "submitted" / student / assignment
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{name}.ipynb").write_text(nbformat.writes(book), encoding="utf-8")


@pytest.mark.parametrize(("name", "answer"), CASES)
def test_an_answer_gets_the_points_that_it_deserves(courses, name, answer):
    with courses[name].gradebook() as gradebook:
        grades = gradebook.find_submission_notebook(name, courses[name].assignment, answer.name).grades
        by_cell = {grade.name.removeprefix("test-"): grade.score for grade in grades}
    assert {cell: by_cell[cell] for cell in answer.points} == answer.points
    assert sum(by_cell.values()) == pytest.approx(answer.score)  # 2.33 + 0.33 in any order


@pytest.mark.parametrize("run", RUNS)
def test_the_csv_export_says_the_same(courses, run):
    course = courses[RUNS[run][0]]
    expected = {}
    for answer in (answer for name in RUNS[run] for answer in ANSWERS[name] if answer.name in course.scores):
        expected[answer.name] = expected.get(answer.name, 0) + answer.score
    assert {name: score for name, score in course.scores.items() if name not in HANDMADE} == pytest.approx(expected)


@pytest.mark.parametrize(("name", "answer"), CASES)
def test_its_feedback_says_what_helps(courses, name, answer):
    said = courses[name].feedback(answer.name, name)
    assert [sentence for sentence in answer.feedback if squeezed(sentence) not in said] == []


@pytest.mark.parametrize(("name", "answer"), CASES)
def test_its_feedback_shows_neither_hidden_tests_nor_where_they_ran(courses, name, answer):
    said = courses[name].feedback(answer.name, name)
    assert not [
        mark for mark in ("HIDDEN TESTS", "answer_is_right", "sealed", "def _extra_heads_follow") if mark in said
    ]
    assert str(courses[name].folder) not in said


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_released_notebook_runs_from_top_to_bottom(courses, name):
    book = courses[name].autograded("untouched", name)
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs
    assert [output for output in outputs if output.output_type == "error"] == []


@pytest.mark.parametrize("run", RUNS)
def test_every_student_is_graded_without_work_by_hand(courses, run):
    course = courses[RUNS[run][0]]
    handed_in = {path.name for path in (course.folder / "submitted").iterdir()}
    with course.gradebook() as gradebook:
        submissions = gradebook.assignment_submissions(run)
        assert {submission.student.id for submission in submissions} == handed_in
        assert [submission.student.id for submission in submissions if submission.needs_manual_grade] == []


def test_a_wrong_letter_gets_its_own_feedback_and_not_the_right_one(courses):
    said = courses["quiz-1"].feedback("wrong_everywhere", "quiz-1")
    for question in (question for question in whole_bank().values() if question.quiz == "quiz-1"):
        right = answer_key(question)
        chosen = dict(lettered(question))["a" if right != "a" else "b"]
        assert squeezed(to_text(chosen.feedback)) in said, question.id
        assert squeezed(to_text(question.explanation)) not in said, question.id
        assert squeezed(to_text(dict(lettered(question))[right].feedback)) not in said, question.id


def test_a_deleted_test_cell_is_put_back_and_still_counts(courses):
    assert courses["quiz-1"].scores["deleted_test_cell"] == courses["quiz-1"].scores["right_reference"]


def test_changed_test_cells_and_points_are_restored(courses):
    assert courses["quiz-1"].scores["easier_tests"] == 0


def test_a_notebook_that_was_in_colab_is_graded_in_full(courses):
    assert courses["quiz-1"].scores["from_colab"] == courses["quiz-1"].scores["right_reference"]


def test_words_on_stderr_cost_nothing(courses):
    assert courses["quiz-1"].scores["noise"] == courses["quiz-1"].scores["right_reference"]


def test_an_answer_cell_is_graded_as_the_student_left_it(courses):
    first = next(cell for cell in courses["quiz-1"].autograded("odd_forms", "quiz-1").cells if is_answer(cell))
    assert first.source == "q1 = None"
