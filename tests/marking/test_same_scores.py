"""Plain nbgrader is the oracle: every stored answer must score, cell by cell, what its file says nbgrader gives.

``tests/instructor/test_nbgrader_loop.py`` grades the same answers with nbgrader itself and compares with those files,
so that both ways agree wherever both tests pass. One test here asks nbgrader directly.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from exercise_files import ASSIGNMENTS, EXERCISES, notebook
from marking_tools import marked, new_course, warm_sandbox

from course_utils.authoring.answers import Answer, fill_in, read_answers
from course_utils.marking.engine import Limits
from course_utils.marking.sandbox import why_not_safe

pytestmark = pytest.mark.skipif(bool(why_not_safe()), reason=why_not_safe() or "there is a sandbox")

LIMITS = Limits(seconds_a_cell=120, memory=4096)
CASES = [
    pytest.param(name, answer, id=f"{name}-{answer.name}", marks=[] if name.startswith("quiz") else [pytest.mark.slow])
    for name in ASSIGNMENTS
    for answer in read_answers(EXERCISES / "answers" / name)
]


def submission(name: str, answer: Answer):
    return fill_in(notebook("release", name), notebook("source", name), answer)


@pytest.mark.parametrize(("name", "answer"), CASES)
def test_every_answer_scores_what_its_file_says(name, answer):
    record = marked(submission(name, answer), name, warm_sandbox(LIMITS.memory), LIMITS)
    earned = {cell.grade_id.removeprefix("test-"): cell.earned for cell in record.cells}
    wrong = {
        cell: (earned[cell], points) for cell, points in answer.points.items() if abs(earned[cell] - points) > 0.011
    }
    assert not wrong, [cell.output for cell in record.cells if cell.grade_id.removeprefix("test-") in wrong]
    if answer.points.keys() == earned.keys():  # a file leaves out a step whose points hang on the machine
        assert record.score == pytest.approx(answer.score, abs=0.011)
    said = " ".join(" ".join(cell.output.split()) for cell in record.cells)
    for sentence in answer.feedback:
        assert " ".join(sentence.split()) in said


def mixtures(name: str, count: int) -> list[Answer]:
    """Submissions that take each answer cell from another stored answer."""
    choose = random.Random(f"{name} mixtures")
    answers = [one for one in read_answers(EXERCISES / "answers" / name) if "never_ends" not in one.name]
    cells = sorted({cell for one in answers for cell in one.cells})
    mixed = []
    for number in range(count):
        taken = {cell: choose.choice(answers).cells.get(cell) for cell in cells}
        mixed.append(
            Answer(f"mix{number:03}", "", 0, cells={cell: text for cell, text in taken.items() if text is not None})
        )
    return mixed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("quiz-1", 12), ("ps4-metrics", 8), ("ps2-preprocessing", 6)])
def test_mixtures_of_answers_score_as_with_nbgrader_itself(name, count, tmp_path):
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    from nbgrader.api import Gradebook

    books = {one.name: submission(name, one) for one in mixtures(name, count)}
    course = new_course(tmp_path, name, books)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command in ("generate_assignment", "autograde"):
        arguments = [sys.executable, "-m", "nbgrader", command, name, *(["--force"] if "gen" in command else [])]
        done = subprocess.run(arguments, cwd=course, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    with Gradebook(f"sqlite:///{course}/gradebook.db", "pretrained-vision") as gradebook:
        theirs = {
            student: {
                grade.name: grade.auto_score for grade in gradebook.find_submission(name, student).notebooks[0].grades
            }
            for student in books
        }
    ours = {
        student: {cell.grade_id: cell.earned for cell in marked(book, name, warm_sandbox(LIMITS.memory), LIMITS).cells}
        for student, book in books.items()
    }
    assert ours == theirs
