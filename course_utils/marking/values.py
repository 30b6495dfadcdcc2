"""Values without an identity of their own: numbers, texts, tuples, ranges, shapes, types of numbers.

They are described anew wherever they occur, as JSON's own values or as a list that begins with a tag. Writing goes by
the exact type, so that no class of the student's passes for one of these.
"""

import enum
import re
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch

from course_utils.marking.wire import Json, Reader, Refused, Writer, expect, is_really, lengths

MOST_DIGITS = 4000  # of a whole number; Python itself refuses to write more
NUMPY_KINDS = "biufcUS"  # what numpy may hold: no object, no date, no record
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool),
    )
}


def dtype_name(dtype: torch.dtype) -> str:
    """The name of a type of numbers without "torch."."""
    return str(dtype).removeprefix("torch.")


def _whole_number(value: int, write: Writer) -> Json:
    if value.bit_length() > 3 * MOST_DIGITS:
        return write.unsendable(value, "a whole number of thousands of digits")
    return value


def _weights(value: enum.Enum, write: Writer) -> Json:
    return ["weights", type(value).__module__, type(value).__qualname__, value.name]


# Any: each function is called with values of the type beside it, which no annotation of a table can say.
Write = Callable[[Any, Writer], Json]
WRITE: dict[type, Write] = {
    type(None): lambda value, write: None,
    bool: lambda value, write: value,
    float: lambda value, write: value,
    str: lambda value, write: value.encode("utf-8", "replace").decode(),
    int: _whole_number,
    tuple: lambda value, write: ["tuple", [write(item) for item in tuple.__iter__(value)]],
    frozenset: lambda value, write: ["frozenset", [write(item) for item in value]],
    bytes: lambda value, write: ["bytes", write.blob(value)],
    bytearray: lambda value, write: ["bytes", write.blob(bytes(value))],
    complex: lambda value, write: ["complex", value.real, value.imag],
    range: lambda value, write: ["range", value.start, value.stop, value.step],
    slice: lambda value, write: ["slice", write(value.start), write(value.stop), write(value.step)],
    torch.Size: lambda value, write: ["size", list(value)],
    torch.dtype: lambda value, write: ["dtype", dtype_name(value)],
    torch.device: lambda value, write: ["device", str(value)],
    PurePath: lambda value, write: ["path", str(value)],
    np.generic: lambda value, write: ["number", value.dtype.str, write.blob(value.tobytes())],
    enum.Enum: _weights,
}
COLUMNS = ("Series", "Index")  # of pandas; to a test they are lists


def writer_of(value: object) -> Write | None:
    """Return what describes such a value, None for one that has an identity or is not carried over."""
    kind = type(value)
    if kind in WRITE:
        return WRITE[kind]
    if issubclass(kind, tuple) and (hasattr(kind, "_fields") or kind.__module__ == "torch.return_types"):
        return WRITE[tuple]
    if issubclass(kind, PurePath):
        return WRITE[PurePath]
    if is_really(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in NUMPY_KINDS:
        return WRITE[np.generic]
    if issubclass(kind, enum.Enum) and kind.__module__.startswith("torchvision.models."):
        return WRITE[enum.Enum]
    if kind.__name__ in COLUMNS and kind.__module__.partition(".")[0] == "pandas":
        return lambda value, write: write(value.tolist())
    return None


def numpy_dtype(node: object) -> np.dtype:
    """A type of numbers as numpy writes it, "<f4" for example. Raises Refused."""
    text = expect(node, str)
    if not re.fullmatch(rf"[<>|][{NUMPY_KINDS}][0-9]{{1,8}}", text) or (kind := np.dtype(text)).itemsize > 2**20:
        raise Refused("a kind of number that is not carried")
    return kind


def _read_weights(rest: list[object], read: Reader) -> enum.Enum:
    module, name, member = (expect(part, str) for part in rest)
    if not module.startswith("torchvision.models."):
        raise Refused("no weights of torchvision")
    kind = getattr(sys.modules[module], name)
    if not (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        raise Refused("no weights of torchvision")
    return kind[member]


def _items(rest: list[object], read: Reader) -> list[object]:
    return [read(item) for item in expect(rest[0], list)]


READ: dict[str, Callable[[list[object], Reader], object]] = {
    "tuple": lambda rest, read: tuple(_items(rest, read)),
    "frozenset": lambda rest, read: frozenset(_items(rest, read)),
    "bytes": lambda rest, read: bytes(read.blob(rest[0])),
    "complex": lambda rest, read: complex(expect(rest[0], float), expect(rest[1], float)),
    "range": lambda rest, read: range(*(expect(number, int) for number in rest[:3])),
    "slice": lambda rest, read: slice(*(read(item) for item in rest[:3])),
    "size": lambda rest, read: torch.Size(lengths(rest[0])),
    "dtype": lambda rest, read: DTYPES[expect(rest[0], str)],
    "device": lambda rest, read: torch.device(expect(rest[0], str)),
    "path": lambda rest, read: Path(expect(rest[0], str)),
    "number": lambda rest, read: np.frombuffer(bytes(read.blob(rest[1])), numpy_dtype(rest[0]), count=1)[0],
    "weights": _read_weights,
}
