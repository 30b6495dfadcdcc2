"""What an object in common is: one that keeps its identity on both sides, and whose changes travel.

Each module of such objects says the same of each kind, gathered in a `Kind`, and finds the shape of one: a list of what
has to be known to make an empty one, beginning with the name of its kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import is_
from typing import Generic, TypeVar

import torch

from course_utils.marking.wire import Json, Reader, Writer

T = TypeVar("T")

PLAIN = (bool, int, float, str, bytes, tuple, torch.Size)


def same_parts(found: list, before: list) -> bool:
    """Whether two pictures have the same objects, or equal plain values, at every place."""
    if len(found) != len(before):
        return False
    return all(map(is_, found, before)) or all(
        one is other or (type(one) is type(other) and type(one) in PLAIN and one == other)
        for one, other in zip(found, before, strict=True)
    )


def nothing(value: object, state: object, read: Reader) -> None:
    """Leave the object as it was made."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How one kind of common object travels."""

    state: Callable[[T, Writer], Json]  # describes all that is in it
    make: Callable[[list[object], object, Reader], T]  # from shape and state, without what may lead back to it
    update: Callable[[T, object, Reader], None]  # makes one that is there look as a state describes it
    picture: Callable[[T], list]  # what it looks like, to see later whether it has changed
    finish: Callable[[T, object, Reader], None] = nothing  # adds what `make` left out
    same: Callable[[T, list], bool] | None = None  # compares with an earlier picture; as a rule, part by part
    change: Callable[[T, list], Json] | None = None  # describes what is new since a picture in short, or gives None

    def is_as(self, value: T, before: list) -> bool:
        """Whether an object looks as in an earlier picture."""
        return self.same(value, before) if self.same else same_parts(self.picture(value), before)
