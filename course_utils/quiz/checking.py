"""From the fields of a question file to a `Question`: what each kind has, and what is wrong with a bad one.

The tables say which fields there are, what each holds and which are needed. `schema.py` writes the JSON Schema for
editors from the same tables. What no table can say of a question (one right option, a mistaken value that would count
as right) stands in `_WHOLE`, one function a kind.
"""

import ast
import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from course_utils.quiz.question import DIFFICULTIES, KINDS, LETTERS, Option, Question, given
from course_utils.quiz.reading import Mapping

# Written as an escape, "\x1b", YAML lets them in; neither XML nor a browser does.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Field:
    """What a field holds ("text", "code", "number", ...), whether it must be there, and a sentence for editors."""

    holds: str
    about: str
    required: bool = False
    allowed: tuple[str, ...] = ()


_FEEDBACK = Field("text", "Why this tempts, and what is true.", required=True)
_PROOF = Field("python", "Python that fails when this option were right.")
_CHOICE = {
    "text": Field("text", "What the option says, as Markdown. Or give `code`."),
    "code": Field("code", "What the option says, as code. Or give `text`."),
    "right": Field("truth", "Whether this is a right answer."),
    "feedback": _FEEDBACK,
    "proof": _PROOF,
}
OPTION_FIELDS: dict[str, dict[str, Field]] = {
    "one": _CHOICE,
    "several": _CHOICE,
    "number": {
        "value": Field("number", "A number that people come to by mistake.", required=True),
        "feedback": _FEEDBACK,
        "proof": _PROOF,
    },
    "order": {
        "text": _CHOICE["text"],
        "code": _CHOICE["code"],
        "feedback": Field("text", "Why this step cannot come earlier. The first step needs none."),
    },
    "line": {
        "line": Field("line", "The number of a line of the code, from 1.", required=True),
        "right": _CHOICE["right"],
        "feedback": _FEEDBACK,
        "proof": _PROOF,
    },
}
_COMMON = {
    "id": Field("id", "Lower-case words joined by hyphens, once in the whole bank.", required=True),
    "covers": Field("facts", "The numbers of the facts that it asks about."),
    "difficulty": Field("choice", "Decides the points: 1, 2 or 3.", required=True, allowed=DIFFICULTIES),
    "kind": Field("choice", "How it is answered; `one` where nothing is said.", allowed=KINDS),
    "quiz": Field("id", "The graded quiz that asks it. Such a question stays out of the package."),
    "prompt": Field("text", "The question, as Markdown.", required=True),
    "code": Field("code", "Code below the prompt."),
    "hint": Field("text", "One step of help.", required=True),
    "explanation": Field("text", "Why the right answer is right.", required=True),
    "proof": Field("python", "Python that fails when the stated answer is false."),
    "no_proof": Field("text", "Why there is no proof."),
    "needs": Field("module", "A package that the proofs import and the course does not require."),
}
_OPTIONS = {"options": Field("options", "The answers to choose from.", required=True)}
QUESTION_FIELDS: dict[str, dict[str, Field]] = {
    "one": _COMMON | _OPTIONS,
    "several": _COMMON | _OPTIONS,
    "number": _COMMON
    | {
        "answer": Field("number", "The right number.", required=True),
        "tolerance": Field("distance", "How far off an answer may be and still count as right."),
        "unit": Field("text", "What the number counts."),
    }
    | _OPTIONS,
    "order": _COMMON | {"steps": Field("options", "The steps in their right order.", required=True)},
    "line": _COMMON | {"code": Field("code", "The code with the bug.", required=True)} | _OPTIONS,
}
PATTERNS = {  # of what stands on one line and has a form
    "id": (r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by hyphens, like `vgg-head`"),
    "module": (r"[A-Za-z_]\w*(\.\w+)*", "the name of a package as in `import`"),
}


def question_from(fields: Mapping, lesson: str) -> tuple[Question | None, list[tuple[int, str]]]:
    """Return the question that `fields` describe, or None, and what is wrong with it, each with its line."""
    check = Check(fields.get("id"))
    kind = fields.get("kind", "one")
    if kind not in KINDS:
        check.choice(fields, "kind", KINDS)
        return None, check.problems
    values = check.all(fields, QUESTION_FIELDS[kind], f"a question of kind `{kind}`")
    if ("proof" in fields) == ("no_proof" in fields):
        check.wrong(fields.line, "give either `proof` or `no_proof` with the reason")
    where = "steps" if kind == "order" else "options"
    entries = values.pop(where) or []
    options = tuple(_option(check, entry, kind, number) for number, entry in enumerate(entries))
    if check.problems:
        return None, check.problems
    question = Question(**{"covers": (), **values, "kind": kind, "lesson": lesson, "options": options})
    for problem in _WHOLE[kind](question):
        check.wrong(fields.line_of(where), problem)
    return (None if check.problems else question), check.problems


def _option(check: "Check", entry: Mapping, kind: str, number: int) -> Option:
    values = check.all(entry, OPTION_FIELDS[kind], f"an option of a question of kind `{kind}`")
    if kind in ("one", "several", "order") and ("text" in entry) == ("code" in entry):
        check.wrong(entry.line, "give this entry either `text` or `code`")
    if kind == "order" and number > 0 and "feedback" not in entry:
        check.wrong(entry.line, "`feedback` is missing")
    return Option(**{"feedback": "", **values})


# What can only be judged once a whole question is there: one function a kind.


def _lettered(question: Question) -> Iterator[str]:
    if not 2 <= len(question.options) <= len(LETTERS):
        yield f"there must be 2 to {len(LETTERS)} entries; found {len(question.options)}"
    if len({" ".join(option.words.split()) for option in question.options}) < len(question.options):
        yield "two entries say the same"


def _one(question: Question) -> Iterator[str]:
    yield from _lettered(question)
    yield from _one_is_right(question)


def _one_is_right(question: Question) -> Iterator[str]:
    if (right := sum(option.right for option in question.options)) != 1:
        yield f"one option must be `right: true`; found {right}"


def _several(question: Question) -> Iterator[str]:
    yield from _lettered(question)
    right = sum(option.right for option in question.options)
    if right < 2:
        yield f"kind `several` needs two or more options with `right: true`; found {right}"
    if right == len(question.options):
        yield "one option at least must be wrong"


def _number(question: Question) -> Iterator[str]:
    values = [given(option.value) for option in question.options]
    if len(values) > len(LETTERS):
        yield f"there can be at most {len(LETTERS)} mistaken values; found {len(values)}"
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield f"the mistaken value {value:g} appears twice"
    for value in values:
        if abs(value - given(question.answer)) <= question.tolerance:
            yield f"the mistaken value {value:g} would count as right"


def _line(question: Question) -> Iterator[str]:
    of_code = [number for number, text in enumerate(question.code.splitlines(), start=1) if text.strip()]
    if sorted(given(option.line) for option in question.options) != of_code:
        yield f"there must be one option for each line of the code that is not blank: {of_code}"
    yield from _one_is_right(question)


_WHOLE: dict[str, Callable[[Question], Iterator[str]]] = {
    "one": _one,
    "several": _several,
    "number": _number,
    "order": _lettered,
    "line": _line,
}


class Check:
    """Reads the fields of one question and collects what is wrong, so that one run tells all of it."""

    def __init__(self, name: object) -> None:
        self.name = name if isinstance(name, str) and name else "question"
        self.problems: list[tuple[int, str]] = []

    def wrong(self, line: int, problem: str) -> None:
        self.problems.append((line, f"`{self.name}`: {problem}"))

    def all(self, mapping: Mapping, table: dict[str, Field], where: str) -> dict[str, Any]:
        """The values of the fields that are there; strangers and missing ones are told."""
        for key in mapping.keys() - table.keys():
            self.wrong(mapping.line_of(key), f"{where} has no field `{key}`; it can have {', '.join(sorted(table))}")
        values: dict[str, Any] = {}
        for key, field in table.items():
            if key in mapping:
                values[key] = _READERS[field.holds](self, mapping, key, field.allowed)
            elif field.required:
                self.wrong(mapping.line, f"`{key}` is missing")
                values[key] = None
        return values

    def text(self, mapping: Mapping, key: str, _: tuple = ()) -> str:
        value = mapping[key]
        if not isinstance(value, str):
            self.wrong(mapping.line_of(key), f"`{key}` must be text")
            return ""
        if not value.strip():
            self.wrong(mapping.line_of(key), f"`{key}` is empty")
        if found := _UNSHOWABLE.search(value):
            self.wrong(
                mapping.line_of(key), f"`{key}` holds U+{ord(found[0]):04X}, which cannot be shown; leave it out"
            )
        return value.strip()

    def code(self, mapping: Mapping, key: str, _: tuple = ()) -> str:
        self.text(mapping, key)
        return mapping[key].rstrip() if isinstance(mapping[key], str) else ""

    def python(self, mapping: Mapping, key: str, _: tuple = ()) -> str:
        source = self.code(mapping, key)
        try:
            with warnings.catch_warnings(action="ignore"):
                ast.parse(source)
        except (SyntaxError, ValueError) as error:
            self.wrong(mapping.line_of(key), f"`{key}` is not Python ({error.args[0]})")
        return source

    def formed(self, mapping: Mapping, key: str, _: tuple = ()) -> str:
        value = self.text(mapping, key)
        pattern, form = PATTERNS["module" if key == "needs" else "id"]
        if value and not re.fullmatch(pattern, value, re.ASCII):
            self.wrong(mapping.line_of(key), f"`{key}` must be {form}; found {value[:40]!r}")
        return value

    def choice(self, mapping: Mapping, key: str, allowed: tuple[str, ...]) -> str:
        value = mapping[key]
        if value not in allowed:
            self.wrong(mapping.line_of(key), f"`{key}` must be one of {', '.join(allowed)}; found {value!r}")
        return value

    def truth(self, mapping: Mapping, key: str, _: tuple = ()) -> bool:
        return self.choice(mapping, key, ("true", "false")) == "true"

    def number(self, mapping: Mapping, key: str, _: tuple = ()) -> float:
        try:
            value = float(mapping[key])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            self.wrong(mapping.line_of(key), f"`{key}` must be a number; found {mapping[key]!r}")
        return value

    def distance(self, mapping: Mapping, key: str, _: tuple = ()) -> float:
        value = self.number(mapping, key)
        if value < 0:
            self.wrong(mapping.line_of(key), f"`{key}` must be 0 or more; found {mapping[key]!r}")
        return value

    def line(self, mapping: Mapping, key: str, _: tuple = ()) -> int:
        value = mapping[key]
        if not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9]{0,3}", value):
            self.wrong(mapping.line_of(key), f"`{key}` must be the number of a line, such as 2; found {value!r}")
            return 0
        return int(value)

    def facts(self, mapping: Mapping, key: str, _: tuple = ()) -> tuple[str, ...]:
        value = mapping[key]
        fits = isinstance(value, list) and all(isinstance(v, str) and re.fullmatch(r"S[1-9]\d*", v) for v in value)
        if not fits or len(set(value)) < len(value):
            self.wrong(mapping.line_of(key), f"`{key}` must be a list of fact numbers, each once, like [S45, S46]")
            return ()
        return tuple(value)

    def texts(self, mapping: Mapping, key: str, _: tuple = ()) -> tuple[str, ...]:
        value = mapping[key]
        fits = isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)
        if not fits or not 2 <= len(value) <= len(LETTERS) or len(set(value)) < len(value):
            self.wrong(mapping.line_of(key), f"`{key}` must be a list of 2 to {len(LETTERS)} different texts")
            return ()
        return tuple(value)

    def options(self, mapping: Mapping, key: str, _: tuple = ()) -> list[Mapping]:
        value = mapping[key]
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            self.wrong(mapping.line_of(key), f"`{key}` must be a list, each entry with its own `feedback`")
            return []
        return value


_READERS = {
    "text": Check.text,
    "code": Check.code,
    "python": Check.python,
    "id": Check.formed,
    "module": Check.formed,
    "choice": Check.choice,
    "truth": Check.truth,
    "number": Check.number,
    "distance": Check.distance,
    "line": Check.line,
    "facts": Check.facts,
    "texts": Check.texts,
    "options": Check.options,
}
