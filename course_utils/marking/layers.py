"""Layers that both sides have in common: parameters, buffers, inner layers, mode, hooks and further attributes."""

import contextlib
from typing import Any

from torch import Tensor, nn

from course_utils.marking.kinds import Kind
from course_utils.marking.names import is_known, named
from course_utils.marking.wire import (
    Json,
    Reader,
    Refused,
    Unsendable,
    Writer,
    expect,
    is_really,
    pairs,
    safe_name,
    type_name,
)

FORWARD = "_remote_forward"  # attribute that holds the other side's `forward`
INTERNAL = frozenset(vars(nn.Module()))  # what torch itself keeps in a layer
HOOKS = tuple(sorted(name for name in INTERNAL if "hooks" in name and isinstance(vars(nn.Module())[name], dict)))
PARTS = {"parameters": nn.Parameter, "buffers": Tensor, "modules": nn.Module}
# Attributes that are always carried over: one that does not arrive was deleted on the other side.
CARRIED = (bool, int, float, str, type(None), Tensor, nn.Module)


class RemoteModule(nn.Module):
    """A layer of a class that only the other process knows. Its weights are here, its `forward` runs there."""

    def forward(self, *args: object, **kwargs: object) -> object:
        return self.__dict__[FORWARD](*args, **kwargs)


def shape_of(value: object, write: Writer) -> list[Json] | None:
    """The shape of a layer; None for everything else."""
    if not is_really(value, nn.Module):
        return None
    kind = type(value)
    if is_known(kind, layers_only=write.trusts):
        return ["module", kind.__module__, kind.__qualname__]
    return ["remote module", type_name(value), *write.export(lambda *args, **kwargs: value.forward(*args, **kwargs))]


def _is_own(name: str) -> bool:
    return name not in INTERNAL and name != FORWARD


def _state(layer: nn.Module, write: Writer) -> Json:
    inside = vars(layer)
    attributes = []
    for name, value in inside.items():
        if _is_own(name):
            with contextlib.suppress(Unsendable), write.whole():
                attributes.append([name, write(value)])
    return {
        "training": bool(layer.training),
        **{part: [[name, write(item)] for name, item in inside[f"_{part}"].items()] for part in PARTS},
        "temporary": sorted(inside["_non_persistent_buffers_set"]),
        "hooks": {name: [[key, write(hook)] for key, hook in inside[name].items()] for name in HOOKS if inside[name]},
        "attributes": attributes,
    }


def _make_known(shape: list[object], state: object, read: Reader) -> nn.Module:
    _, module, name = shape
    kind = named(module, name, layers_only=not read.trusts)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise Refused(f"{module}.{name} is not a layer"[:80])
    return _empty(kind)


def _make_remote(shape: list[object], state: object, read: Reader) -> nn.Module:
    _, name, mine, number = shape
    layer = _empty(type(safe_name(name), (RemoteModule,), {}))
    layer.__dict__[FORWARD] = read.function(mine, number, name)
    return layer


def _empty(kind: type[nn.Module]) -> nn.Module:
    layer = kind.__new__(kind)
    nn.Module.__init__(layer)
    return layer


def _update(layer: nn.Module, state: object, read: Reader) -> None:
    inside, fields = vars(layer), expect(state, dict)
    for part, kind in PARTS.items():
        items = [(str(name), read(item)) for name, item in pairs(fields[part])]
        if any(item is not None and not isinstance(item, kind) for _, item in items):
            raise Refused(f"something that is none of the {part}")
        inside[f"_{part}"].clear()
        inside[f"_{part}"].update(items)
    inside["training"] = expect(fields["training"], bool)
    inside["_non_persistent_buffers_set"] = {expect(name, str) for name in expect(fields["temporary"], list)}
    hooks = expect(fields["hooks"], dict)
    for name in HOOKS:
        items = [(expect(key, int), read(hook)) for key, hook in pairs(hooks.get(name, []))]
        inside[name].clear()
        inside[name].update(items)
    attributes = {str(name): read(item) for name, item in pairs(fields["attributes"])}
    for name in [name for name in inside if _is_own(name)]:
        if name not in attributes and isinstance(inside[name], CARRIED):
            del inside[name]
    inside.update((name, item) for name, item in attributes.items() if _is_own(name))


def _picture(layer: nn.Module) -> list:
    inside = vars(layer)
    parts: list = [bool(layer.training), *sorted(inside["_non_persistent_buffers_set"])]
    for name in (*(f"_{part}" for part in PARTS), *HOOKS):
        parts.append(name)
        for pair in inside[name].items():
            parts += pair
    for name, item in inside.items():
        if name not in INTERNAL:
            parts += [name, item]
    return parts


# Any: as in the tables of the other kinds.
KINDS: dict[str, Kind[Any]] = {
    name: Kind(state=_state, make=make, update=_update, finish=_update, picture=_picture)
    for name, make in {"module": _make_known, "remote module": _make_remote}.items()
}
