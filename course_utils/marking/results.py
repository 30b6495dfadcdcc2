"""What marking one submission came to: the one record that gradebook, journal, CSV, JSON and summary are made from."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MOST_OUTPUT = 20_000  # characters of what one cell printed that are kept


class Status(StrEnum):
    """How marking a submission ended. Only the first two are a final score without a person looking at it."""

    GRADED = "graded"
    STUDENT_ERROR = "student error"  # graded; one of the student's cells raised an error
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    NEEDS_A_LOOK = "needs a look"
    UNREADABLE = "unreadable"
    MISSING = "missing"

    @property
    def is_final(self) -> bool:
        return self in (Status.GRADED, Status.STUDENT_ERROR)


NEXT_STEP = {
    Status.TIMED_OUT: "Look at the cell that is named; grade it again with a longer --timeout if it is right but slow.",
    Status.CRASHED: "Marks earned before are kept. Run the notebook by hand, or ask the student.",
    Status.NEEDS_A_LOOK: "Open the notebook and decide; then grade it in Formgrader, or again with --again.",
    Status.UNREADABLE: "Ask the student for the file again, and run the same command.",
    Status.MISSING: "Nothing was handed in, or it lies elsewhere: submitted/<student>/<assignment>/<assignment>.ipynb.",
}


@dataclass(frozen=True)
class CellResult:
    """One test cell: points earned of the maximum, or None where it was not judged; what the checks say."""

    grade_id: str
    maximum: float
    earned: float | None
    output: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Record:
    """One submission: where it ended, why, and each test cell.

    ``outputs`` holds what the student's cells printed, by their place in the marked notebook; ``notes`` what the
    submission doctor found; ``key`` the hash of everything that the marks depend on.
    """

    student: str
    assignment: str
    key: str
    status: Status
    reason: str = ""
    cells: tuple[CellResult, ...] = ()
    notes: tuple[str, ...] = ()
    outputs: tuple[tuple[int, str], ...] = ()
    seconds: float = 0.0

    @property
    def earned(self) -> float:
        """The points of all cells that were judged, whatever the status."""
        return round(sum(cell.earned or 0.0 for cell in self.cells), 4)

    @property
    def score(self) -> float | None:
        """The points to be written down; None where no number would be fair."""
        if self.status in (Status.NEEDS_A_LOOK, Status.UNREADABLE, Status.MISSING):
            return None
        if not self.status.is_final and all(cell.earned is None for cell in self.cells):
            return None
        return self.earned

    @property
    def next_step(self) -> str:
        return NEXT_STEP.get(self.status, "")

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict) -> "Record":
        """Undo `to_json`, also after a journey through JSON. Raises KeyError, TypeError or ValueError."""
        return cls(
            **{
                **fields,
                "status": Status(fields["status"]),
                "cells": tuple(CellResult(**cell) for cell in fields["cells"]),
                "notes": tuple(fields["notes"]),
                "outputs": tuple((int(place), str(text)) for place, text in fields["outputs"]),
            }
        )


def clamped(found: Any, maximum: float) -> float:
    """What a test cell gave, within 0 and the maximum; anything that is no number is 0."""
    try:
        points = float(found)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(points, 0.0), maximum) if points == points else 0.0


def capped(text: str, most: int = MOST_OUTPUT) -> str:
    """At most so many characters, from the beginning and the end, without control characters."""
    text = "".join(char if char in "\n\t" or char.isprintable() else "\ufffd" for char in text[: most * 2])[: most * 2]
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n[... cut: {len(text) - most} characters or more ...]\n{text[-most // 2 :]}"
