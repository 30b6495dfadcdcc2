"""Layers that both sides have in common: parameters, buffers, inner layers, mode, hooks and further attributes."""

import contextlib
from collections.abc import Callable
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
# Attributes that would stand before a method of every layer, such as `state_dict`: each side asks its own.
METHODS = frozenset(dir(nn.Module)) - {"forward", "train", "eval"}
# Hooks of what a layer does, and none of what it says it holds.
HOOKS = tuple(
    sorted(
        name
        for name, value in vars(nn.Module()).items()
        if "hooks" in name and "state_dict" not in name and isinstance(value, dict)
    )
)
HELD = ("_parameters", "_buffers", "_modules", *HOOKS)  # what a layer keeps in dictionaries
PARTS = {"parameters": nn.Parameter, "buffers": Tensor, "modules": nn.Module}
# Attributes that are always carried over: one that does not arrive was deleted on the other side.
SCALARS = (bool, int, float, str, type(None))
CARRIED = (*SCALARS, Tensor, nn.Module)


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
    """The shape of a layer: its nearest class that both sides know, and what it is beyond; None for everything else."""
    if not is_really(value, nn.Module):
        return None
    known = next(kind for kind in type(value).__mro__ if is_known(kind, layers_only=write.trusts))
    return ["module", known.__module__, known.__qualname__, _own_class(value, write)]


def _own_class(layer: nn.Module, write: Writer) -> Json:
    """The name of a class that the other side does not know, and its methods to call over here; None if it does."""
    place = [is_known(kind, layers_only=write.trusts) for kind in type(layer).__mro__].index(True)
    if place == 0:
        return None
    methods: dict[str, Callable] = {name: vars(layer)[name] for name in (FORWARD, TRAIN) if name in vars(layer)}
    if not isinstance(layer, RemoteModule):
        known, own = type(layer).__mro__[place], {name for kind in type(layer).__mro__[:place] for name in vars(kind)}
        if known is nn.Module or not own <= NO_ARITHMETIC:
            methods[FORWARD] = lambda *args, **kwargs: layer.forward(*args, **kwargs)
        if type(layer).train is not nn.Module.train:
            methods[TRAIN] = lambda mode: _without_result(layer.train, mode)
    return [type_name(layer), [[name, list(write.export(method))] for name, method in methods.items()]]


def _without_result(function: Callable, *args: object) -> None:
    """Call a function for what it does; the layer that `train` returns need not travel."""
    function(*args)


def _is_own(name: str) -> bool:
    return name not in INTERNAL and name not in METHODS and name not in (FORWARD, TRAIN)


def _state(layer: nn.Module, write: Writer) -> Json:
    inside = vars(layer)
    attributes = []
    for name, value in inside.items():
        if _is_own(name):
            # A plain value has nothing inside that could be half described.
            with contextlib.suppress(Unsendable), contextlib.nullcontext() if type(value) in SCALARS else write.whole():
                attributes.append([name, write(value)])
    return {
        # The judge gives no layer of the student's another class.
        "class": _own_class(layer, write) if write.trusts and not isinstance(layer, RemoteModule) else None,
        "training": bool(layer.training),
        **{part: [[name, write(item)] for name, item in inside[f"_{part}"].items()] for part in PARTS},
        "temporary": sorted(inside["_non_persistent_buffers_set"]),
        "hooks": {name: [[key, write(hook)] for key, hook in inside[name].items()] for name in HOOKS if inside[name]},
        "attributes": attributes,
    }


def _make(shape: list[object], state: object, read: Reader) -> nn.Module:
    _, module, name, own_class = shape
    kind = named(module, name, layers_only=not read.trusts)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise Refused(f"{module}.{name} is not a layer"[:80])
    layer = kind.__new__(kind)
    nn.Module.__init__(layer)
    _take_class(layer, own_class, read)
    return layer


def _take_class(layer: nn.Module, own_class: object, read: Reader) -> None:
    """Let a layer be of a class that only the other side knows: it may have been made so, or have become so."""
    if own_class is None:
        return
    name, methods = expect(own_class, list)
    if not isinstance(layer, RemoteModule):
        layer.__class__ = type(safe_name(name), (RemoteModule, type(layer)), {})
    for attribute, method in pairs(methods):
        if attribute not in (FORWARD, TRAIN):
            raise Refused("a method that is not asked over there")
        mine, number = expect(method, list)
        layer.__dict__[str(attribute)] = read.function(mine, number, name)


def _new_mode(layer: nn.Module, before: list) -> bool | None:
    """The mode of a layer of which nothing else has changed, as after `model.eval()`; None for any other."""
    found, inside = _picture(layer), list(vars(layer))
    place = 1 + len(inside) + inside.index("training")
    changed = [position for position, (new, old) in enumerate(zip(found, before, strict=False)) if new is not old]
    is_mode = changed == [place] and len(found) == len(before) and isinstance(layer.training, bool)
    return layer.training if is_mode else None


def _update(layer: nn.Module, state: object, read: Reader) -> None:
    if isinstance(state, bool):
        layer.training = state
        return
    inside, fields = vars(layer), expect(state, dict)
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
    held = {name for part in PARTS for name in inside[f"_{part}"]}  # Python would find an attribute before these
    attributes = {name: item for name, item in attributes.items() if name not in held}
    for name in [name for name in inside if _is_own(name)]:
        if name in held or (name not in attributes and isinstance(inside[name], CARRIED)):
            del inside[name]
    inside.update((name, item) for name, item in attributes.items() if _is_own(name))


def _picture(layer: nn.Module) -> list:
    inside = vars(layer)
    parts = [type(layer), *inside, *inside.values(), *sorted(inside["_non_persistent_buffers_set"])]
    for name in HELD:
        if held := inside[name]:
            parts += (name, *held, *held.values())
    return parts


# Any: as in the tables of the other kinds.
KINDS: dict[str, Kind[Any]] = {
    "module": Kind(state=_state, make=_make, update=_update, finish=_update, picture=_picture, change=_new_mode)
}
