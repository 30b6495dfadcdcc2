"""Hints for the problem sets: `hint("ps1.2")` tells one more about step 2 of problem set 1 at each call.

The hints are written in the problem scripts; `course_utils.authoring.hints` gathers them in ``hints.json``.
"""

import json
import re
from functools import cache
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.quiz.markdown import led_by

HINTS_FILE = Path(__file__).with_name("hints.json")
_told: dict[str, int] = {}  # how many hints of a step were given since the kernel started


class UnknownStep(CourseError, LookupError):
    """There are no hints for this step; the message names steps that have some."""


def is_step(name: object) -> bool:
    """Whether `name` looks like a step of a problem set, "ps1.2", and not like the id of a question."""
    return isinstance(name, str) and re.fullmatch(r"ps\d+(\.\d+)?", name.strip().lower()) is not None


def next_hint(step: str) -> str:
    """Return the next hint for a step as Markdown, after the last one the first again. Raises UnknownStep."""
    step = step.strip().lower()
    hints = load_hints()
    if step not in hints:
        alike = [name for name in hints if name.split(".")[0] == step.split(".")[0]]
        raise UnknownStep(f"There are no hints for {step!r}. There are some for {', '.join(alike or hints)}.")
    number = _told.get(step, 0) % len(hints[step])
    _told[step] = number + 1
    more = "" if number + 1 < len(hints[step]) else " (the last one)"
    return led_by(f"Hint {number + 1} of {len(hints[step])}{more}:", hints[step][number])


@cache
def load_hints() -> dict[str, list[str]]:
    """Return the hints of every step, in order: {"ps1.1": ["...", "..."], ...}."""
    return json.loads(HINTS_FILE.read_text(encoding="utf-8"))
