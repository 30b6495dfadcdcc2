"""Answers to the questions of a graded quiz: `q1 = "b"`, `q2 = "ac"`, `q3 = 87.5`.

A test cell carries its question packed by `seal`: options, feedback and key. So it grades what the students were
asked even if the question bank was edited since, and nobody reads the key in passing. Packed is not encrypted:
nbgrader keeps the packed text out of the released notebook and out of the feedback.
"""

import base64
import bz2
import json
import math
import re
import textwrap
from dataclasses import asdict, replace

from course_utils.bank import Option, Question, lettered
from course_utils.grading.points import Unmet, expect
from course_utils.quiz import AnswerError, judge

FORM = {  # of the answer to each kind of question
    "one": 'a letter in quotes, for example "b"',
    "several": 'the letters of all right answers in quotes, for example "ac"',
    "order": 'the letters in their right order in quotes, for example "bac"',
    "number": "a number, for example 3.5",
    "line": "the number of a line, for example 2",
}


def choices(question: Question) -> str | list[int]:
    """What an answer is made of: the letters ("abcd"), the numbers of the lines of code, or nothing for a number."""
    if question.kind == "line":
        return [option.line for option in question.options]
    return "".join(letter for letter, _ in lettered(question))


def understood(answer: object, kind: str, offered: str | list[int]) -> str | float:
    """Return the letters, the number or the line that `answer` holds: "b", "B" and " b) " are all b.

    Raises `Unmet` with a sentence on the form expected when it is anything else.
    """
    expect(answer is not None, f"There is no answer yet. Replace None by {FORM[kind]}.")
    return _number(answer, kind, offered) if kind in ("number", "line") else _letters(answer, kind, offered)


def form_is_right(answer: object, kind: str, offered: str | list[int]) -> str:
    """The visible check: it says which answer was understood, not whether it is right."""
    found = understood(answer, kind, offered)
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
    found = understood(answer, question.kind, choices(question))
    try:
        verdict = judge(question, found)
    except AnswerError as error:
        raise Unmet(str(error)) from None
    said = re.sub(r"^(Right|Not yet)\.\s*", "", verdict.text)
    expect(verdict.right, said)
    return said


def _letters(answer: object, kind: str, offered: str) -> str:
    """The letters of "b", "a, c" or ["a", "c"], each once."""
    collections = {"several": (list, tuple, set), "order": (list, tuple)}.get(kind, ())  # a set has no order
    if type(answer) in collections and all(type(part) is str for part in answer):
        answer = "".join(answer)
    found = type(answer).__name__
    expect(type(answer) is str, f"The answer is {FORM[kind]}. Yours is of the type {found}.")
    letters = re.sub(r"[\s,;.:()\[\]]+", "", answer).lower()
    if kind == "one":
        expect(len(letters) == 1, 'Give one letter, the one in front of the option you choose, for example "b".')
    expect(letters, f"The answer is {FORM[kind]}. Yours is empty.")
    for letter in letters:
        expect(letter in offered, f"There is no option {letter!r}; the letters go from {offered[0]} to {offered[-1]}.")
        expect(letters.count(letter) == 1, f"The letter {letter} appears twice in your answer.")
    if kind == "order":
        expect(len(letters) == len(offered), f"All {len(offered)} steps are needed: {len(offered)} letters.")
    return letters if kind == "order" else "".join(sorted(letters))


def _number(answer: object, kind: str, offered: list[int]) -> float:
    """A plain number from 87.5, "87.5 %", a NumPy number or "line 4"."""
    if type(answer) is str:
        digits = re.fullmatch(r"(?:line)?\s*([-+]?[\d._]+(?:e[-+]?\d+)?)\s*[^\d]*", answer.strip().lower())
        answer = digits[1] if digits else answer
    try:
        number = math.nan if isinstance(answer, bool) else float(answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        number = math.nan
    shown = repr(answer) if type(answer) in (str, bool, float) else f"of the type {type(answer).__name__}"
    expect(math.isfinite(number), f"The answer is {FORM[kind]}. Yours is {shown}.")
    if kind == "line":
        expect(number in offered, f"There is no code on line {number:g}; the lines go from 1 to {offered[-1]}.")
    return int(number) if number == int(number) else number


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
