"""Objects that two processes have in common: what one hands over, the other sees, and changes travel back.

A test hands a network to a student's function and looks at what came back. Here the function runs in another process,
on a copy, and whatever it changes in the copy is changed in the original: numbers, layers, modes, hooks. Each object
keeps its identity: what comes back as "the same layer" is the same layer. Everything travels as plain data (JSON and
raw bytes of numbers), never as pickle, and only the types that `values`, `names` and the kinds of `containers`,
`tensors`, `pictures` and `layers` name are ever made from it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from course_utils.marking import containers, layers, names, pictures, tensors, values
from course_utils.marking.kinds import Kind
from course_utils.marking.protocol import Blob
from course_utils.marking.wire import Json, Reader, Refused, Unsendable, Writer, expect, pairs

KINDS = containers.KINDS | tensors.KINDS | pictures.KINDS | layers.KINDS
KINDS_OF_THE_JUDGE = KINDS | tensors.KINDS_OF_THE_JUDGE
READ = values.READ | names.READ


@dataclass(frozen=True)
class Common:
    """An object that both sides know, and its picture from when they last agreed."""

    value: object
    kind: Kind[Any]
    agreed: list


def _change(common: Common, write: Writer) -> Json:
    short = common.kind.change(common.value, common.agreed) if common.kind.change else None
    return common.kind.state(common.value, write) if short is None else short


class Graph:
    """The objects in common, by number. Ours and theirs get even and odd ones.

    ``export`` gives a number to a function of ours, ``remote`` makes one of theirs callable. ``trusts`` says whether
    the other side may name any function of a library, or only classes of layers.
    """

    def __init__(
        self,
        first: int,
        export: Callable[[Callable], tuple[bool, int]],
        remote: Callable[[bool, int, str], Callable],
        trusts: bool,
    ) -> None:
        self._next = first
        self._export, self._remote, self._trusts = export, remote, trusts
        self._kinds = KINDS if trusts else KINDS_OF_THE_JUDGE
        self._common: dict[int, Common] = {}
        self._numbers: dict[int, int] = {}  # of each object in common, by its id

    def forget(self) -> None:
        """Both sides start again with nothing in common."""
        self._common.clear()
        self._numbers.clear()

    def pack(self, value: object) -> tuple[dict[str, Json], list[Blob]]:
        """Describe a value, and every change of a common object since the last message. Raises Unsendable."""
        write = Writer(self._describe, self._export, self._whole, self._trusts)
        before = dict(self._common)
        try:
            with self._whole():
                changes = [[number, _change(common, write)] for number, common in self._changed()]
                return {"changes": changes, "value": write(value)}, write.blobs
        except Exception as error:  # nothing is sent, so the other side agrees to nothing
            self._common = before
            told = str(error) if isinstance(error, Unsendable) else f"something that raises {type(error).__name__}"
            raise Unsendable(told) from None

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """After an error in here, no object that was described in here is known over there."""
        first = self._next
        try:
            yield
        except Exception:
            for number in range(first, self._next, 2):
                if common := self._common.pop(number, None):
                    del self._numbers[id(common.value)]
            raise

    def _changed(self) -> Iterator[tuple[int, Common]]:
        """The common objects that have changed, each with its picture from before."""
        for number, common in list(self._common.items()):
            if not common.kind.is_as(common.value, common.agreed):
                self._common[number] = replace(common, agreed=common.kind.picture(common.value))
                yield number, common

    def _add(self, number: int, value: object, kind: Kind[Any]) -> None:
        self._common[number] = Common(value, kind, kind.picture(value))
        self._numbers[id(value)] = number

    def _describe(self, value: object, write: Writer) -> Json:
        if written := values.writer_of(value):
            return written(value, write)
        if (number := self._numbers.get(id(value))) is not None:
            return ["@", number]
        shape = (
            containers.shape_of(value)
            or tensors.shape_of(value)
            or pictures.shape_of(value)
            or layers.shape_of(value, write)
        )
        if not shape:
            return names.write_name(value, write)
        number, self._next = self._next, self._next + 2
        kind = self._kinds[str(shape[0])]
        self._add(number, value, kind)
        return ["new", number, shape, kind.state(value, write)]

    def unpack(self, message: dict, blobs: Sequence[Blob]) -> object:
        """Apply the changes, and return the value. Raises Refused for anything that is not as `pack` writes it."""
        read = Reader(self._make, self._remote, self._trusts, blobs)
        try:
            for key, state in pairs(message["changes"]):
                number = expect(key, int)
                common = self._common[number]
                common.kind.update(common.value, state, read)
                self._add(number, common.value, common.kind)
            return read(message["value"])
        except Refused:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from None

    def _make(self, node: list[object], read: Reader) -> object:
        tag, *rest = node
        tag = expect(tag, str)
        if tag == "@":
            return self._common[expect(rest[0], int)].value
        if tag == "new":
            return self._new(*rest, read=read)
        if tag not in READ:
            raise Refused(f"nothing is called {tag[:20]!r}")
        return READ[tag](rest, read)

    def _new(self, key: object, form: object, state: object, read: Reader) -> object:
        number, shape = expect(key, int), expect(form, list)
        if number in self._common or number % 2 == self._next % 2:
            raise Refused("a number that is taken")
        name = expect(shape[0], str)
        if name not in self._kinds:
            raise Refused(f"nothing is called {name[:20]!r}")
        kind = self._kinds[name]
        value = kind.make(shape, state, read)
        self._common[number] = Common(value, kind, [])  # what is inside may lead back to it
        kind.finish(value, state, read)
        self._add(number, value, kind)
        return value
