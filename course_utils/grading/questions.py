"""Answers to the questions of a graded quiz: `q1 = "b"`, `q2 = "ac"`, `q3 = 87.5`.

A test cell carries its question packed by `seal`: options, feedback and key. So it grades what the students were
asked even if the question bank was edited since, and nobody reads the key in passing. Packed is not encrypted:
nbgrader keeps the packed text out of the released notebook and out of the feedback.
"""

import base64
import binascii
import bz2
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, replace

from course_utils.errors import CourseError
from course_utils.grading.points import Unmet, expect
from course_utils.quiz.judging import AnswerError, judge, understood
from course_utils.quiz.markdown import to_text
from course_utils.quiz.question import Option, Question

SEAL = 2  # the form of a packed question; 1 said nothing of its form


class SealError(CourseError, Unmet):
    """A packed question cannot be read; the message says why, and what the instructor can do."""


def form_is_right(answer: object, kind: str, offered: str | list[int]) -> str:
    """The visible check: it says which answer was understood, not whether it is right."""
    found = _understood(answer, kind, offered)
    if kind == "number":
        return f"Your number is {found:.10g}."
    opening = {"order": "Your order is", "line": "You chose line"}.get(kind, "You chose")
    return f"{opening} {found if kind == 'line' else ', '.join(str(found))}."


def answer_is_right(answer: object, sealed: str) -> str:
    """The hidden check: return the explanation as plain text, or raise `Unmet` with the feedback for this answer."""
    question = unseal(sealed)
    try:
        verdict = judge(question, answer)
    except AnswerError as error:
        raise Unmet(str(error)) from None
    said = to_text(re.sub(r"^(Right|Not yet)\.\s*", "", verdict.text))
    expect(verdict.right, said)
    return said


def _understood(answer: object, kind: str, offered: str | list[int]) -> str | float:
    try:
        return understood(answer, kind, offered)
    except AnswerError as error:
        raise Unmet(str(error)) from None


def given(cell: Mapping[str, object], name: str) -> object:
    """Return the answer `name` of the notebook whose `globals()` are ``cell``. Raises `Unmet` where there is none."""
    if name not in cell:
        raise Unmet(
            f"{name} has no value: its cell ended in an error, or was not run. Letters need quotes, as in "
            f'{name} = "b"; a number needs a decimal point and no unit, as in {name} = 3.5.'
        )
    return cell[name]


def seal(question: Question) -> str:
    """Pack what grading needs of a question as lines of letters and digits, the same on every machine."""
    # The prompt stands above the answer cell, and proofs belong to the tests of the bank.
    slim = replace(
        question,
        prompt="",
        proof="",
        no_proof="",
        options=tuple(replace(option, proof="") for option in question.options),
    )
    content = {"seal": SEAL} | asdict(slim)
    if not question.variant:
        del content["variant"]
    packed = bz2.compress(json.dumps(content, ensure_ascii=False).encode("utf-8"))
    return "\n".join(textwrap.wrap(base64.b64encode(packed).decode("ascii"), 100))


def unseal(sealed: str) -> Question:
    """Undo `seal`, also where an earlier version of the course did it. Raises SealError for anything else."""
    try:
        fields = json.loads(bz2.decompress(base64.b64decode(sealed)).decode("utf-8"))
        version = fields.pop("seal", 1)
    except (binascii.Error, OSError, ValueError, EOFError, AttributeError):
        raise SealError(
            "The question packed in this test cell is damaged. Take the assignment anew from the course's files."
        ) from None
    if not isinstance(version, int) or version > SEAL:
        raise SealError(
            f"This assignment was built by a newer course (its questions are packed in form {version}, this one reads "
            f"up to {SEAL}). Bring the course on this computer up to date, then grade again."
        )
    fields["options"] = tuple(Option(**option) for option in fields["options"])
    fields["covers"] = tuple(fields["covers"])
    return Question(**fields)
