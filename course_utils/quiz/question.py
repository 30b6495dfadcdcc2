"""A question of the bank, its letters and its key."""

import hashlib
from dataclasses import dataclass
from typing import TypeVar

KINDS = ("one", "several", "number", "order", "line")
DIFFICULTIES = ("easy", "medium", "hard")
POINTS = {"easy": 1, "medium": 2, "hard": 3}  # of a graded question
LETTERS = "abcdefgh"  # so there are at most eight options

T = TypeVar("T")


@dataclass(frozen=True)
class Option:
    """One answer to choose: `text` or `code` (kinds one, several, order), a `value` (number) or a `line` (line)."""

    feedback: str
    text: str = ""
    code: str = ""
    right: bool = False
    value: float | None = None
    line: int | None = None
    proof: str = ""

    @property
    def words(self) -> str:
        """What the option says, whether it is text or code."""
        return self.text or self.code


@dataclass(frozen=True)
class Question:
    """One question. For kind "order", `options` are the steps in their right order."""

    id: str
    lesson: str
    kind: str
    difficulty: str
    covers: tuple[str, ...]
    prompt: str
    options: tuple[Option, ...]
    hint: str
    explanation: str
    code: str = ""
    answer: float | None = None
    tolerance: float = 0.0
    unit: str = ""
    quiz: str = ""
    proof: str = ""
    no_proof: str = ""
    needs: str = ""
    variant: str = ""  # one student's order of the options; "" is everybody's


def lettered(question: Question) -> list[tuple[str, Option]]:
    """Return the options with their letters, in the order in which they are shown.

    The order depends on the question's id, its variant and the places of the options in the file, on nothing else.
    Empty for the kinds "number" and "line", which are answered without letters.
    """
    if question.kind in ("number", "line"):
        return []
    name = f"{question.id}#{question.variant}" if question.variant else question.id
    places = sorted(range(len(question.options)), key=lambda place: hashlib.sha256(f"{name}#{place}".encode()).digest())
    if question.kind == "order" and places == sorted(places):
        places = places[1:] + places[:1]  # steps shown in their right order would give the answer away
    return [(letter, question.options[place]) for letter, place in zip(LETTERS, places, strict=False)]


def given(value: T | None) -> T:
    """Return a value that its kind of question always has: `checking.py` lets no question into the bank without it."""
    assert value is not None
    return value


def answer_key(question: Question) -> str | float | int:
    """Return the right answer: letters as `letters_key` gives them, a number or a line."""
    if question.kind == "number":
        return given(question.answer)
    if question.kind == "line":
        return line_key(question)
    return letters_key(question)


def line_key(question: Question) -> int:
    """Return the number of the right line, counted from 1, of a question of the kind "line"."""
    return next(given(option.line) for option in question.options if option.right)


def letters_key(question: Question) -> str:
    """Return the letters of the right options ("b", "ac"); of the kind "order", all in their right order."""
    letter_of = {option: letter for letter, option in lettered(question)}
    if question.kind == "order":
        return "".join(letter_of[step] for step in question.options)
    return "".join(sorted(letter_of[option] for option in question.options if option.right))
