"""Answers to the questions of a graded quiz: `q1 = "b"`, `q2 = "ac"`, `q3 = 87.5`.

A test cell carries its question packed by `seal`: options, feedback and key. So it grades what the students were
asked even if the question bank was edited since, and nobody reads the key in passing. Packed is not encrypted:
nbgrader keeps the packed text out of the released notebook and out of the feedback.
"""

import base64
import bz2
import json
import re
import textwrap
from dataclasses import asdict, replace

from course_utils.grading.points import Unmet, expect
from course_utils.quiz.judging import AnswerError, judge, understood
from course_utils.quiz.question import Option, Question


def form_is_right(answer: object, kind: str, offered: str | list[int]) -> str:
    """The visible check: it says which answer was understood, not whether it is right."""
    found = _understood(answer, kind, offered)
    return {
        "one": f"You chose {found}.",
        "several": f"You chose {', '.join(str(found))}.",
        "order": f"Your order is {', '.join(str(found))}.",
        "number": f"Your number is {found}.",
        "line": f"You chose line {found}.",
    }[kind]


def answer_is_right(answer: object, sealed: str) -> str:
    """The hidden check: return the explanation, or raise `Unmet` with the feedback for this answer."""
    question = unseal(sealed)
    try:
        verdict = judge(question, answer)
    except AnswerError as error:
        raise Unmet(str(error)) from None
    said = re.sub(r"^(Right|Not yet)\.\s*", "", verdict.text)
    expect(verdict.right, said)
    return said


def _understood(answer: object, kind: str, offered: str | list[int]) -> str | float:
    try:
        return understood(answer, kind, offered)
    except AnswerError as error:
        raise Unmet(str(error)) from None


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
    packed = bz2.compress(json.dumps(asdict(slim), ensure_ascii=False).encode("utf-8"))
    return "\n".join(textwrap.wrap(base64.b64encode(packed).decode("ascii"), 100))


def unseal(sealed: str) -> Question:
    """Undo `seal`."""
    fields = json.loads(bz2.decompress(base64.b64decode(sealed)).decode("utf-8"))
    fields["options"] = tuple(Option(**option) for option in fields["options"])
    fields["covers"] = tuple(fields["covers"])
    return Question(**fields)
