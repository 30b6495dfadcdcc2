"""Variants of quizzes: the options stand in another order for each student.

The order follows from the student's id and a seed that stays in the course's folder, ``variants/seed.txt``. A notebook
in ``variants/<student>/<quiz>/`` says that this student has a variant: `mark` then judges by that order, whatever the
notebook that was handed in says of itself. Cells keep their names. The options of a question move, and the steps to be
put in order; numbers and lines of code stay, because the proofs of the bank hold for the numbers as they are.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import write_text
from course_utils.grading.questions import seal, unseal
from course_utils.marking.reader import UnreadableNotebook, read_bytes
from course_utils.marking.submission import Assignment
from course_utils.quiz.markdown import for_notebook
from course_utils.quiz.question import Question
from course_utils.quiz.words import question_choices

_SEALED = re.compile(r'_sealed = """\n(.*?)\n"""', re.DOTALL)


class VariantError(CourseError, ValueError):
    """A variant cannot be made or marked; the message says why and what to do."""


def assignment_for(student: str, assignment: Assignment, course: Path) -> Assignment:
    """Return the assignment as this student has it: a variant, or the assignment itself. Raises VariantError."""
    if not _place(course, student, assignment.name).is_file():
        return assignment
    return variant_of(assignment, _variant(_seed(course), student))


def handed_out(course: Path, name: str) -> bool:
    """Whether anybody has a variant of this assignment."""
    return any((course / "variants").glob(f"*/{name}/{name}.ipynb"))


def _variant(seed: str, student: str) -> str:
    """The name of a student's variant; it tells nothing of the seed, nor of other variants."""
    return hashlib.sha256(f"{seed}/{student}".encode()).hexdigest()[:32]


def variant_of(assignment: Assignment, variant: str) -> Assignment:
    """Return a quiz with its options in another order, in the questions and in the keys. Raises VariantError."""
    changed: dict[str, str] = {}
    for asked, test, question in _questions(assignment):
        other = replace(question, variant=variant)
        before, after = (for_notebook(question_choices(one)) for one in (question, other))
        if asked.count(before) != 1:
            raise VariantError(
                f"The options of a question of {assignment.name} do not stand in its text as they were built. Build it "
                f"again: python -m course_utils.authoring.assignments {assignment.name}"
            )
        changed[asked] = asked.replace(before, after)
        changed[test] = _SEALED.sub(lambda _, other=other: f'_sealed = """\n{seal(other)}\n"""', test)
    return replace(
        assignment,
        cells=tuple(replace(cell, source=changed.get(cell.source, cell.source)) for cell in assignment.cells),
        parts=tuple(replace(part, source=changed.get(part.source, part.source)) for part in assignment.parts),
        sha256=hashlib.sha256(f"{assignment.sha256} {variant}".encode()).hexdigest(),
    )


def _questions(assignment: Assignment) -> Iterator[tuple[str, str, Question]]:
    """The text that asks each question, its test cell, and what is packed there."""
    asked = ""
    for cell in assignment.cells:
        if cell.kind == "markdown":
            asked = cell.source
        elif found := _SEALED.search(cell.source):
            yield asked, cell.source, unseal(found[1])


def released_variant(released: dict, assignment: Assignment, variant: str) -> dict:
    """Return the JSON of the released notebook with the variant's questions. Raises VariantError."""
    other = variant_of(assignment, variant)
    texts = {
        before.source: after.source
        for before, after in zip(assignment.cells, other.cells, strict=True)
        if before.kind == "markdown" and before.source != after.source
    }
    cells, missing = [], set(texts)
    for cell in released["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and text in texts:
            missing.discard(text)
            cell = {**cell, "source": texts[text].splitlines(keepends=True)}
        cells.append(cell)
    if missing:
        raise VariantError(
            f"The released {assignment.name} does not ask what its source does. Build it again: "
            f"python -m course_utils.authoring.assignments {assignment.name}"
        )
    return {**released, "cells": cells}


def write_variant(student: str, assignment: Assignment, course: Path) -> Path:
    """Write this student's notebook into ``variants/``, and return its path. Raises VariantError."""
    if not student.strip() or student.startswith(".") or re.search(r"[/\\\0]", student) or student == "seed.txt":
        raise VariantError(f"{shown(student)!r} cannot be the name of a student's folder in submitted/.")
    release = course / "release" / assignment.name / f"{assignment.name}.ipynb"
    try:
        released = json.loads(read_bytes(release))
    except (UnreadableNotebook, ValueError) as error:
        raise VariantError(f"The released notebook {release} cannot be read: {shown(error)}") from None
    path = _place(course, student, assignment.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        book = released_variant(released, assignment, _variant(_seed(course, new=True), student))
        write_text(path, json.dumps(book, indent=1, ensure_ascii=False) + "\n")
    except (OSError, UnicodeEncodeError) as error:
        raise VariantError(f"{shown(path)} cannot be written: {reason_of(error)}.") from None
    return path


def _place(course: Path, student: str, name: str) -> Path:
    return course / "variants" / student / name / f"{name}.ipynb"


def _seed(course: Path, new: bool = False) -> str:
    """The course's seed; a ``new`` one is made where no variant was handed out yet. Raises VariantError."""
    path = course / "variants" / "seed.txt"
    try:
        if new and not path.exists() and not handed_out(course, "*"):
            write_text(path, secrets.token_hex(16) + "\n")
        seed = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise VariantError(
            f"The seed {path} cannot be read ({reason_of(error)}), and without it nobody knows in which order the "
            "options were handed out. Bring it back from a copy, or move the folder variants/ away and hand out anew."
        ) from None
    if not seed:
        raise VariantError(f"The seed {path} is empty. Bring it back from a copy of the course.")
    return seed
