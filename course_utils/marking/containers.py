"""Lists, sets and dicts that both sides have in common."""

import collections
from typing import Any

from course_utils.marking.kinds import Kind
from course_utils.marking.wire import Json, Reader, Writer, expect, pairs

MAPPINGS = {"dict": dict, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter}


def shape_of(value: object) -> list[Json] | None:
    """The shape of a list, set or dict; None for everything else."""
    kind = type(value)
    if kind in (list, set):
        return [kind.__name__]
    if kind in MAPPINGS.values() or kind is collections.defaultdict:
        return ["dict", kind.__name__ if kind.__name__ in MAPPINGS else "dict"]
    return None


def _items(value: list | set, write: Writer) -> Json:
    return [write(item) for item in list(value)]


def _update_list(value: list, state: object, read: Reader) -> None:
    value[:] = [read(item) for item in expect(state, list)]


def _update_set(value: set, state: object, read: Reader) -> None:
    items = [read(item) for item in expect(state, list)]
    value.clear()
    value.update(items)


def _update_dict(value: dict, state: object, read: Reader) -> None:
    items = [(read(key), read(item)) for key, item in pairs(state)]
    value.clear()
    for key, item in items:
        value[key] = item


# Any: kinds of several types stand in one table; each gets only what it has made itself, or found the shape of.
KINDS: dict[str, Kind[Any]] = {
    "list": Kind(
        state=_items,
        make=lambda shape, state, read: [],
        update=_update_list,
        finish=_update_list,
        picture=list,
    ),
    "set": Kind(
        state=_items,
        make=lambda shape, state, read: set(),
        update=_update_set,
        finish=_update_set,
        picture=list,
    ),
    "dict": Kind(
        state=lambda value, write: [[write(key), write(item)] for key, item in list(value.items())],
        make=lambda shape, state, read: MAPPINGS[expect(shape[1], str)](),
        update=_update_dict,
        finish=_update_dict,
        picture=lambda value: [item for pair in value.items() for item in pair],
    ),
}
