"""Submissions and courses for the tests of marking, made from the released notebooks and the stored answers."""

import atexit
import contextlib
import copy
import json
import shutil
from functools import cache
from pathlib import Path

import nbformat
from exercise_files import ASSIGNMENTS, EXERCISES, notebook

from course_utils.authoring.answers import Answer, fill_in, read_answers
from course_utils.marking.engine import Limits, mark_bytes, trusted_modules
from course_utils.marking.results import Record
from course_utils.marking.sandbox import Sandbox
from course_utils.marking.submission import Assignment, read_assignment

LIMITS = Limits(seconds_a_cell=10, memory=1536)


@cache
def assignment(name: str) -> Assignment:
    return read_assignment(EXERCISES / "source" / name / f"{name}.ipynb")


@cache
def _answered(name: str, answer: str) -> nbformat.NotebookNode:
    found = {one.name: one for one in read_answers(EXERCISES / "answers" / name)}
    chosen = found[answer] if answer != "right" else Answer("right", "", 0)
    return fill_in(notebook("release", name), notebook("source", name), chosen)


def answered(name: str, answer: str = "right") -> nbformat.NotebookNode:
    """A submission with one of the stored answers, or with the reference solution."""
    return copy.deepcopy(_answered(name, answer))


def untouched(name: str) -> nbformat.NotebookNode:
    return copy.deepcopy(notebook("release", name))


def cell(book: nbformat.NotebookNode, grade_id: str) -> nbformat.NotebookNode:
    return next(one for one in book.cells if one.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


@cache
def warm_sandbox(memory: int = LIMITS.memory) -> Sandbox:
    """The one sandbox of this process for all assignments: its start takes seconds."""
    modules = {module for name in ASSIGNMENTS for module in trusted_modules(assignment(name))}
    sandbox = Sandbox("safe", memory, sorted(modules))
    atexit.register(sandbox.close)
    return sandbox


def as_bytes(book: nbformat.NotebookNode) -> bytes:
    return json.dumps(book).encode()


def marked(book: nbformat.NotebookNode | bytes, name: str, sandbox: Sandbox, limits: Limits = LIMITS) -> Record:
    content = book if isinstance(book, bytes) else as_bytes(book)
    return mark_bytes(content, "ada", assignment(name), limits, sandbox)


def total(name: str) -> float:
    return sum(part.points for part in assignment(name).tests)


@cache
def _ask_alembic_once() -> None:
    """nbgrader starts a process for each new gradebook, to be told a number that is always the same."""
    with contextlib.suppress(ImportError):
        from nbgrader import api

        api.get_alembic_version = cache(api.get_alembic_version)


def new_course(folder: Path, name: str, submissions: dict[str, nbformat.NotebookNode | bytes]) -> Path:
    """A course folder with one assignment and a submission for each student."""
    _ask_alembic_once()
    (folder / "source" / name).mkdir(parents=True)
    shutil.copy(EXERCISES / "nbgrader_config.py", folder)
    shutil.copy(EXERCISES / "source" / name / f"{name}.ipynb", folder / "source" / name)
    for student, book in submissions.items():
        hand_in(folder, student, name, book)
    return folder


def hand_in(course: Path, student: str, name: str, book: nbformat.NotebookNode | bytes, file: str = "") -> Path:
    place = course / "submitted" / student / name
    place.mkdir(parents=True, exist_ok=True)
    path = place / (file or f"{name}.ipynb")
    path.write_bytes(book if isinstance(book, bytes) else as_bytes(book))
    return path
