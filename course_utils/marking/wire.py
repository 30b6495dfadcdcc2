"""A message between judge and student while it is written or read: plain data (JSON), and blobs for what is large.

`Writer` and `Reader` go through the parts of a value and bound how deep they are nested. What is read comes from a
process that may lie, so each piece is taken with `expect`, `lengths` or `pairs`, which refuse everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard, TypeVar

from course_utils.marking.protocol import Blob

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
T = TypeVar("T")

MOST_DEPTH = 60
MOST_DIMENSIONS = 64  # of a tensor, also for torch and NumPy


class Unsendable(TypeError):
    """A value that cannot be handed to the other process; the message names its type."""


class Refused(Exception):
    """The other side described something that is not made here."""


@dataclass
class Writer:
    """A message that is being written: calling it describes one value.

    ``trusts`` says whether we are the student's side, ``export`` gives a number to a function of ours, and what is
    described within ``whole`` counts as handed over only if nothing in there is unsendable.
    """

    describe: "Callable[[object, Writer], Json]"
    export: Callable[[Callable], tuple[bool, int]]
    whole: Callable[[], AbstractContextManager[None]]
    trusts: bool
    blobs: list[Blob] = field(default_factory=list)
    depth: int = 0

    def __call__(self, value: object) -> Json:
        """Describe a value. Raises Unsendable."""
        if value is None or isinstance(value, bool) or type(value) is float:
            return value
        self.depth += 1
        try:
            if self.depth > MOST_DEPTH:
                return self.unsendable(value, "a value that is nested too deep")
            return self.describe(value, self)
        finally:
            self.depth -= 1

    def blob(self, content: Blob) -> int:
        """Add a blob, and return its place."""
        self.blobs.append(content)
        return len(self.blobs) - 1

    def unsendable(self, value: object, what: str) -> Json:
        """What stands for a value that is not carried over: the judge sees its type, the student gets an error."""
        if self.trusts:
            return ["opaque", type_name(value)]
        raise Unsendable(what)


@dataclass
class Reader:
    """A message that is being read: calling it makes the value that a piece of JSON describes.

    ``remote`` makes a function callable that is ours (True) or theirs, has this number, and a type of this name.
    """

    make: "Callable[[list[object], Reader], object]"
    remote: Callable[[bool, int, str], Callable]
    trusts: bool
    blobs: Sequence[Blob]
    depth: int = 0

    def __call__(self, node: object) -> object:
        """Make a value. Raises Refused, or an error of Python where the description has gaps."""
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise Refused("an object of JSON stands for nothing")
            return node
        self.depth += 1
        try:
            if self.depth > 3 * MOST_DEPTH:
                raise Refused("nested too deep")
            return self.make(node, self)
        finally:
            self.depth -= 1

    def blob(self, place: object) -> Blob:
        """The blob at a place."""
        return self.blobs[expect(place, int)]

    def function(self, mine: object, number: object, name: object) -> Callable:
        """A function that was handed over as three pieces: whether it is ours, its number, the name of its type."""
        return self.remote(expect(mine, bool), expect(number, int), safe_name(name))


def expect(node: object, kind: type[T]) -> T:
    """Return what was sent, if it is of this type. Raises Refused."""
    if not isinstance(node, kind):
        raise Refused(f"{kind.__name__} was expected, not {type_name(node)}")
    return node


def is_really(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether a value is of a type, whatever it says of itself: `isinstance` believes an attribute ``__class__``."""
    return issubclass(type(value), kind)


def lengths(node: object) -> list[int]:
    """Return a list of lengths, as many and as large as a tensor may have. Raises Refused."""
    found = [expect(length, int) for length in expect(node, list)]
    if len(found) > MOST_DIMENSIONS or any(not 0 <= length < 2**63 for length in found):
        raise Refused("lengths that no tensor has")
    return found


def pairs(node: object) -> list[tuple[object, object]]:
    """Return a list of pairs. Raises Refused."""
    found = [expect(pair, list) for pair in expect(node, list)]
    if any(len(pair) != 2 for pair in found):
        raise Refused("a pair was expected")
    return [(one, other) for one, other in found]


def type_name(value: object) -> str:
    """The name of a value's type, short enough for a message."""
    return str(type(value).__name__)[:60]


def safe_name(name: object) -> str:
    """A name that came from the other side, if Python would take it as one."""
    name = str(name)[:60]
    return name if name.isidentifier() else "object"
