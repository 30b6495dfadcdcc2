"""Multiple-choice answers in a graded notebook: `q1 = "b"`.

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

from course_utils.bank import Option, Question
from course_utils.grading.points import expect
from course_utils.quiz import judge


def chosen_letter(answer: object, offered: str) -> str:
    """Return the letter that `answer` holds: "b", "B", " b) " are all b.

    Raises `Unmet` with a sentence on the form expected when it is anything but one of the letters in `offered`.
    """
    expect(answer is not None, 'There is no answer yet. Replace None by a letter in quotes, for example "b".')
    expect(
        type(answer) is str,
        f'The answer is a letter in quotes, for example "b". Yours is of the type {type(answer).__name__}.',
    )
    letter = re.sub(r"[\s.:()\[\]]+", "", answer).lower()
    expect(len(letter) == 1, 'Give one letter, the one in front of the option you choose, for example "b".')
    expect(letter in offered, f"There is no option {letter!r}; the letters go from {offered[0]} to {offered[-1]}.")
    return letter


def form_is_right(answer: object, offered: str) -> str:
    """The visible check: it says which letter was understood, not whether it is right."""
    return f"You chose {chosen_letter(answer, offered)}."


def answer_is_right(answer: object, sealed: str) -> str:
    """The hidden check: return the explanation, or raise `Unmet` with the feedback of the chosen option."""
    question = unseal(sealed)
    letter = chosen_letter(answer, "abcdefgh"[: len(question.options)])
    verdict = judge(question, letter)
    said = re.sub(r"^(Right|Not yet)\.\s*", "", verdict.text)
    expect(verdict.right, said)
    return said


def seal(question: Question) -> str:
    """Pack what grading needs of a question as lines of letters and digits, the same on every machine."""
    if question.kind != "one":
        raise ValueError(f"A graded quiz holds questions with one right answer; {question.id!r} is {question.kind!r}.")
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
