"""Quizzes: answers read from the text of the notebook, judged here against the sealed key. Nothing is run."""

import re
from functools import lru_cache

from course_utils.marking import cells, literals
from course_utils.marking.results import CellResult
from course_utils.marking.submission import Assignment, Submission


def is_quiz(assignment: Assignment) -> bool:
    """Whether every test cell of the assignment only judges the answer to a question of the bank."""
    return bool(assignment.tests) and all("questions.answer_is_right(" in part.source for part in assignment.tests)


def judge_literals(submission: Submission, assignment: Assignment) -> tuple[list[CellResult], bool]:
    """Return the result of each test cell, and whether a cell would have raised an error.

    Raises literals.NotLiteral when an answer cannot be read from the text alone: then the sandbox has to run it.
    """
    answers = frozenset(re.sub("^test-", "", part.grade_id) for part in assignment.tests)
    names: dict[str, object] = {}
    results, errors = [], False
    for step in submission.steps:
        if step.kind != "code":
            continue
        if step.part is not None and step.part.points is not None:
            name = step.part.grade_id.removeprefix("test-")
            known = name in names
            try:
                results.append(
                    _judged(step.part.source, step.part.grade_id, step.part.points, name, known, names.get(name))
                )
            except TypeError:  # a list cannot be a key of the cache
                results.append(_run(step.part.source, step.part.grade_id, step.part.points, {name: names[name]}))
        elif step.is_students:
            errors |= not literals.apply(step.source, names, answers)
    return results, errors


@lru_cache(maxsize=10_000, typed=True)  # 1, 1.0 and True are equal, and not the same answer
def _judged(source: str, grade_id: str, points: float, name: str, known: bool, value: object) -> CellResult:
    return _run(source, grade_id, points, {name: value} if known else {})


def _run(source: str, grade_id: str, points: float, names: dict) -> CellResult:
    return cells.run_test(source, grade_id, points, {"__name__": "__main__", **names})
