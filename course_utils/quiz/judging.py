"""How an answer is understood and judged: one way for lessons, graded quizzes and the students' own checks.

`understood` turns what somebody typed into letters, a number or a line, or says in one sentence why it cannot.
`judge` compares that with the bank.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from course_utils.errors import CourseError
from course_utils.quiz.markdown import led_by
from course_utils.quiz.question import Question, given, lettered, letters_key

FORM = {  # of the answer to each kind of question
    "one": 'a letter in quotes, for example "b"',
    "several": 'the letters of all right answers in quotes, for example "ac"',
    "order": 'the letters in their right order in quotes, for example "bac"',
    "number": "a number, for example 3.5",
    "line": "the number of a line, for example 2",
}
LONGEST_ECHO = 40  # characters of an answer that are shown again

# 5400, 5 400, 5_400, -0.5, 1e-3, with "line" before it and a unit behind it: "line 4", "87.5 %", "5 epochs".
_NUMBER = re.compile(
    r"(?:line\s*)?([-+]?(?:\d{1,3}(?:[ _\u00a0\u2009\u202f]\d{3})+|\d*)(?:\.\d*)?(?:e[-+]?\d+)?)\s*([^\d.,]*)", re.ASCII
)
_MULTIPLES = {"thousand", "million", "millions", "billion", "billions", "k", "m", "bn", "tsd", "mio", "mrd"}


class AnswerError(CourseError, ValueError):
    """An answer that cannot be an answer to this question; the message says what one looks like."""


@dataclass(frozen=True)
class Verdict:
    """What an answer came to: `text` is Markdown that begins with "Right." or "Not yet."."""

    right: bool
    text: str


def judge(question: Question, answer: object) -> Verdict:
    """Compare an answer with the bank. Raises AnswerError for something that cannot be an answer."""
    return _JUDGES[question.kind](question, understood(answer, question.kind, choices(question)))


def choices(question: Question) -> str | list[int]:
    """What an answer is made of: the letters ("abcd"), the numbers of the lines of code, or nothing for a number."""
    if question.kind == "line":
        return [option.line for option in question.options if option.line is not None]
    return "".join(letter for letter, _ in lettered(question))


def understood(answer: object, kind: str, offered: str | Sequence[int]) -> str | float:
    """Return the letters, the number or the line that ``answer`` holds: "b", "B" and " b) " are all b.

    ``offered`` is what `choices` gives for the question. Raises `AnswerError` with a sentence on the form expected
    when it is anything else.
    """
    if answer is None:
        raise AnswerError(f"There is no answer yet. Replace None by {FORM[kind]}.")
    if kind in ("number", "line"):
        return _number(answer, kind, [] if isinstance(offered, str) else offered)
    return _letters(answer, kind, str(offered))


def _letters(answer: object, kind: str, offered: str) -> str:
    """The letters of "b", "a, c" or ["a", "c"], each once; sorted, unless their order is the answer."""
    collections = (list, tuple) if kind == "order" else (list, tuple, set, frozenset)  # a set has no order
    parts = list(cast(Iterable[object], answer)) if type(answer) in collections else [answer]
    texts = [text for part in parts if (text := _text(part)) is not None]
    if len(texts) < len(parts):
        raise AnswerError(f"The answer is {FORM[kind]}. Yours is {_echo(answer)}.")
    letters = re.sub(r"[\s,;.:()\[\]]+", "", "".join(texts)).lower()
    if not letters:
        raise AnswerError(f"The answer is {FORM[kind]}. Yours is empty.")
    if kind == "one" and len(letters) > 1:
        raise AnswerError('Give one letter, the one in front of the option you choose, for example "b".')
    for letter in letters:
        if letter not in offered:
            raise AnswerError(f"There is no option {letter!r}; the letters go from {offered[0]} to {offered[-1]}.")
        if letters.count(letter) > 1:
            raise AnswerError(f"The letter {letter} appears twice in your answer.")
    if kind == "order" and len(letters) < len(offered):
        raise AnswerError(f"All {len(offered)} steps are needed: give {len(offered)} letters, the first step first.")
    return letters if kind == "order" else "".join(sorted(letters))


def _number(answer: object, kind: str, offered: Sequence[int]) -> float:
    """A finite number from 87.5, "87.5 %", "5 400", "5 epochs", a NumPy number or "line 4"."""
    advice = ""
    if type(answer) is tuple and len(answer) == 2 and all(type(part) is int and 0 <= part < 10**9 for part in answer):
        whole, part = answer  # 0,31 is a tuple in Python
        raise AnswerError(f"Write a decimal point and no comma: {whole}.{part} instead of {whole},{part}.")
    if (text := _text(answer)) is not None:
        found = _NUMBER.fullmatch(text.strip().lower().replace("\u2212", "-"))
        if found and found[2].strip() in _MULTIPLES:
            advice, found = " Write all digits of the number.", None
        elif "," in text:
            advice = " Write a decimal point, and nothing between thousands."
        answer = re.sub(r"[ _\u00a0\u2009\u202f]", "", found[1]) if found else text
    try:
        number = math.nan if isinstance(answer, bool) else float(cast(Any, answer))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise AnswerError(f"The answer is {FORM[kind]}. Yours is {_echo(answer if text is None else text)}.{advice}")
    if kind == "line" and number not in offered:
        raise AnswerError(f"There is no code on line {number:.10g}; the lines go from {offered[0]} to {offered[-1]}.")
    return int(number) if number == int(number) else number


def _text(answer: object) -> str | None:
    """The characters of a string or of NumPy's; None for anything else, classes of the student's own included."""
    return str.__str__(cast(str, answer)) if type(answer) in (str, np.str_) else None


def _echo(answer: object) -> str:
    """An answer as it may stand in a sentence: on one line, cut where it is long."""
    text = _text(answer)
    if text is None:
        if type(answer) in (bool, float) or (type(answer) is int and abs(answer) < 10**LONGEST_ECHO):
            return repr(answer)
        return f"of the type {type(answer).__name__[:LONGEST_ECHO]}"
    if not text.strip():
        return "empty"
    return repr(text if len(text) <= LONGEST_ECHO else text[:LONGEST_ECHO] + " ...")


def _judge_one(question: Question, letter: str) -> Verdict:
    option = dict(lettered(question))[letter]
    return _verdict(question, option.right, [option.feedback])


def _judge_several(question: Question, letters: str) -> Verdict:
    options = dict(lettered(question))
    chosen = {letter: options[letter] for letter in sorted(letters)}
    missing = sum(option.right for option in options.values()) - sum(option.right for option in chosen.values())
    right = missing == 0 and all(option.right for option in chosen.values())
    remarks = [led_by(f"{letter}:", option.feedback) for letter, option in chosen.items() if right or not option.right]
    if missing:
        remarks.append(f"{'One right answer is' if missing == 1 else f'{missing} right answers are'} not chosen yet.")
    return _verdict(question, right, remarks)


def _judge_order(question: Question, letters: str) -> Verdict:
    key = letters_key(question)
    if letters == key:
        return _verdict(question, True, ["Each step stands where it must."])
    place = next(i for i in range(len(key)) if letters[i] != key[i])
    too_early = dict(lettered(question))[letters[place]]
    return _verdict(question, False, [led_by(f"Step {place + 1} is not {letters[place]}.", too_early.feedback)])


def _judge_number(question: Question, value: float) -> Verdict:
    def fits(number: float) -> bool:
        return abs(value - number) <= question.tolerance + 1e-9 * abs(number)

    if fits(given(question.answer)):
        return _verdict(question, True, [])
    nearest = min(question.options, key=lambda option: abs(value - given(option.value)), default=None)
    if nearest and fits(given(nearest.value)):
        return _verdict(question, False, [nearest.feedback])
    return _verdict(question, False, [led_by(f"{value:.10g} is not the number asked for.", question.hint)])


def _judge_line(question: Question, number: float) -> Verdict:
    option = next(option for option in question.options if option.line == number)
    return _verdict(question, option.right, [option.feedback])


_JUDGES = {
    "one": _judge_one,
    "several": _judge_several,
    "order": _judge_order,
    "number": _judge_number,
    "line": _judge_line,
}


def _verdict(question: Question, right: bool, remarks: list[str]) -> Verdict:
    opening = "Right." if right else "Not yet."
    text = led_by(opening, remarks[0]) if len(remarks) == 1 else "\n\n".join([opening, *remarks])
    return Verdict(right, f"{text}\n\n{question.explanation}" if right else text)
