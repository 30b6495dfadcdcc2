"""What travels by its name or number alone: classes and functions of libraries, functions, iterators, the unknown.

Here stands what the judge may be made to look up: classes of layers of torch and torchvision, and nothing else.
"""

import sys
from collections.abc import Callable, Iterable, Iterator

from torch import fx, nn

from course_utils.marking.wire import Json, Reader, Refused, Writer, expect, safe_name, type_name

# Where the layers come from that may be rebuilt by the name of their class.
LAYERS = ("torch.nn.modules.", "torchvision.models.", "torchvision.ops.", "torchvision.transforms.")
LIBRARIES = ("torch", "torchvision", "numpy", "builtins", "math")


class Opaque:
    """Stands for a value of a type that is not carried over. Only the name of the type is known."""

    def __repr__(self) -> str:
        return f"<an object of the type {type(self).__name__}>"


class RemoteIterator:
    """Items that the other process hands out one by one."""

    def __init__(self, following: Callable) -> None:
        self._following = following

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        return self._following()


def is_known(value: object, layers_only: bool) -> bool:
    """Whether the other side finds the same function or class under its name, and may use it."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        return False
    if layers_only:
        if not (isinstance(value, type) and module.startswith(LAYERS)):
            return False
        if issubclass(value, fx.GraphModule):  # it compiles a text that it holds
            return False
    return module.partition(".")[0] in LIBRARIES and _found(module, name) is value


def _found(module: str, name: str) -> object:
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def named(module: object, name: object, layers_only: bool) -> object:
    """Return the function or class of this name; with ``layers_only`` only classes of layers. Raises Refused."""
    module, name = expect(module, str), expect(name, str)
    if layers_only and not module.startswith(LAYERS):
        raise Refused(f"{module}.{name} is not a layer"[:80])
    found = _found(module, name)
    if found is None:
        raise Refused(f"there is no {module}.{name}"[:80])
    is_layer = isinstance(found, type) and issubclass(found, nn.Module) and is_known(found, layers_only=True)
    # A module leads to others: "torch.nn.modules.module" has an attribute `torch`.
    own_name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if layers_only and not (is_layer and own_name == (module, name)):
        raise Refused(f"{module}.{name} is not a layer"[:80])
    return found


def write_name(value: object, write: Writer) -> Json:
    """Describe a value of which no more than the name, or a number to call it by, is handed over."""
    is_class = isinstance(value, type)
    if (is_class or (callable(value) and not write.trusts)) and is_known(value, layers_only=write.trusts):
        return ["name", value.__module__, value.__qualname__]
    if callable(value):
        return ["function", *write.export(value), type_name(value)]
    if isinstance(value, Iterator) or (isinstance(value, Iterable) and not write.trusts):
        return ["iterator", *write.export(iter(value).__next__), type_name(value)]
    return write.unsendable(value, f"something of the type {type_name(value)}")


READ: dict[str, Callable[[list[object], Reader], object]] = {
    "name": lambda rest, read: named(*rest, layers_only=not read.trusts),
    "function": lambda rest, read: read.function(*rest),
    "iterator": lambda rest, read: RemoteIterator(read.function(*rest)),
    "opaque": lambda rest, read: type(safe_name(rest[0]), (Opaque,), {})(),
}
