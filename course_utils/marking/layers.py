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

FORWARD, TRAIN = "_remote_forward", "_remote_train"  # attributes that hold methods of the other side's layer
# What a class may have of its own without computing anything else.
NO_ARITHMETIC = {
    *("train", "eval", "__init__", "__module__", "__qualname__", "__doc__"),
    *("__firstlineno__", "__static_attributes__", "__annotations__", "__classcell__"),
}
INTERNAL = frozenset(vars(nn.Module()))  # what torch itself keeps in a layer
HOOKS = tuple(sorted(name for name in INTERNAL if "hooks" in name and isinstance(vars(nn.Module())[name], dict)))
PARTS = {"parameters": nn.Parameter, "buffers": Tensor, "modules": nn.Module}
# Attributes that are always carried over: one that does not arrive was deleted on the other side.
CARRIED = (bool, int, float, str, type(None), Tensor, nn.Module)


class RemoteModule(nn.Module):
    """A layer of a class that only the other process knows. Its weights are here, its own methods run there."""

    def forward(self, *args: object, **kwargs: object) -> object:
        return (self.__dict__.get(FORWARD) or super().forward)(*args, **kwargs)

    def train(self, mode: bool = True) -> "RemoteModule":
        if TRAIN not in self.__dict__:
            return super().train(mode)
        self.__dict__[TRAIN](mode)
        return self


def shape_of(value: object, write: Writer) -> list[Json] | None:
    """The shape of a layer; None for everything else."""
    if not is_really(value, nn.Module):
        return None
    if known := _known_class(type(value), layers_only=write.trusts):
        return ["module", known.__module__, known.__qualname__]
    return ["remote module", type_name(value)]


def _known_class(kind: type[nn.Module], layers_only: bool) -> type[nn.Module] | None:
    """The class that both sides know and that computes what ``kind`` does, which may change the mode in its own way."""
    for place, known in enumerate(kind.__mro__):
        if is_known(known, layers_only=layers_only):
            own = {name for other in kind.__mro__[:place] for name in vars(other)}
            return known if known is not nn.Module and own <= NO_ARITHMETIC else None
    return None


def _class_of(layer: nn.Module, write: Writer) -> Json:
    """What the other side cannot know of a layer: the name of its class, and the methods that are its own."""
    kind = type(layer)
    if not write.trusts or is_known(kind, layers_only=True):
        return None

    def forward(*args: object, **kwargs: object) -> object:
        return layer.forward(*args, **kwargs)

    def train(mode: bool) -> None:
        layer.train(mode)

    methods = [] if _known_class(kind, layers_only=True) else [[FORWARD, list(write.export(forward))]]
    if kind.train is not nn.Module.train:
        methods.append([TRAIN, list(write.export(train))])
    return [type_name(layer), methods]


def _is_own(name: str) -> bool:
    return name not in INTERNAL and name not in (FORWARD, TRAIN)


def _state(layer: nn.Module, write: Writer) -> Json:
    inside = vars(layer)
    attributes = []
    for name, value in inside.items():
        if _is_own(name):
            with contextlib.suppress(Unsendable), write.whole():
                attributes.append([name, write(value)])
    return {
        "class": _class_of(layer, write),
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
    _, name = shape
    return _empty(type(safe_name(name), (RemoteModule,), {}))


def _take_class(layer: nn.Module, node: object, read: Reader) -> None:
    """Let a layer be what it is on the other side, where somebody may have given it a class of their own."""
    name, methods = expect(node, list)
    if not isinstance(layer, RemoteModule):
        layer.__class__ = type(safe_name(name), (RemoteModule, type(layer)), {})
    for attribute, method in pairs(methods):
        if attribute not in (FORWARD, TRAIN):
            raise Refused("a method that is not asked over there")
        mine, number = expect(method, list)
        layer.__dict__[str(attribute)] = read.function(mine, number, name)


def _empty(kind: type[nn.Module]) -> nn.Module:
    layer = kind.__new__(kind)
    nn.Module.__init__(layer)
    return layer


def _update(layer: nn.Module, state: object, read: Reader) -> None:
    inside, fields = vars(layer), expect(state, dict)
    if fields["class"] is not None:
        _take_class(layer, fields["class"], read)
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
    parts: list = [type(layer), bool(layer.training), *sorted(inside["_non_persistent_buffers_set"])]
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
