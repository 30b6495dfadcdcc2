"""Objects that two processes have in common: what one hands over, the other sees, and changes travel back.

A test hands a network to a student's function and looks at what came back. Here the function runs in another process,
on a copy, and whatever it changes in the copy is changed in the original: numbers, layers, modes, hooks. Each object
keeps its identity: what comes back as "the same layer" is the same layer. Everything travels as plain data (JSON and
raw bytes of numbers), never as pickle, and only the types that are named here are ever made from it.
"""

import collections
import enum
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
        *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool),
    )
}
MODES = {
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "PA",
    "RGBa",
    "La",
    "RGBX",
    "I;16",
}
MAPPINGS = {"dict": dict, "OrderedDict": collections.OrderedDict, "Counter": collections.Counter}
# Where the layers come from that may be rebuilt by the name of their class.
LAYERS = ("torch.nn.modules.", "torchvision.models.", "torchvision.ops.", "torchvision.transforms.")
INTERNAL = frozenset(vars(nn.Module()))  # what torch itself keeps in a layer
HOOKS = tuple(sorted(name for name in INTERNAL if "hooks" in name and isinstance(vars(nn.Module())[name], dict)))
MOST_DEPTH = 60
MOST_DIGITS = 4000  # of a whole number; Python itself refuses to write more
COMPARED_BYTES = 2**28  # tensors above are compared by their version only


class Unsendable(TypeError):
    """A value that cannot be handed to the other process; the message names its type."""


class Refused(Exception):
    """The other side described something that is not made here."""


class Opaque:
    """Stands for a value of a type that is not carried over. Only the name of the type is known."""

    def __repr__(self) -> str:
        return f"<an object of the type {type(self).__name__}>"


class RemoteModule(nn.Module):
    """A layer of a class that only the other process knows. Its weights are here, its `forward` runs there."""

    def forward(self, *args: object, **kwargs: object) -> object:
        return self.__dict__["_remote_forward"](*args, **kwargs)


class Graph:
    """The objects in common, by number, with what each looked like when both sides last agreed.

    ``export`` gives a number to a function of ours, ``remote`` makes one of theirs callable. ``trusts`` says whether
    the other side may name any function of a library, or only classes of layers.
    """

    def __init__(self, first: int, export: Callable, remote: Callable, trusts: bool) -> None:
        self._next = first
        self._export, self._remote, self._trusts = export, remote, trusts
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._agreed: dict[int, object] = {}
        self._blobs: list = []
        self._depth = 0
        self.opaque_seen = False

    def forget(self) -> None:
        """Both sides start again with nothing in common."""
        self._objects.clear()
        self._numbers.clear()
        self._agreed.clear()

    # Writing.

    def pack(self, value: object) -> tuple[dict, list[bytes]]:
        """Describe a value, and every change of a common object since the last message. Raises Unsendable."""
        self._blobs, self._depth = [], 0
        first, agreed = self._next, dict(self._agreed)
        try:
            changes = [[number, self._state(thing)] for number, thing in self._changed()]
            message = {"changes": changes, "value": self._write(value)}
        except Exception as error:  # nothing is sent, so nothing that was described for it is known over there
            for number in range(first, self._next, 2):
                self._numbers.pop(id(self._objects.pop(number)))
            self._agreed = agreed
            told = str(error) if isinstance(error, Unsendable) else f"something that raises {type(error).__name__}"
            raise Unsendable(told) from None
        blobs, self._blobs = self._blobs, []
        return message, blobs

    def _changed(self) -> Iterator[tuple[int, object]]:
        for number, thing in list(self._objects.items()):
            if not self._is_as_agreed(thing, self._agreed[number]):
                self._agreed[number] = self._picture(thing)
                yield number, thing

    def _blob(self, content: object) -> int:
        self._blobs.append(content)
        return len(self._blobs) - 1

    def _write(self, value: object) -> object:
        self._depth += 1
        try:
            if self._depth > MOST_DEPTH:
                return self._unsendable(value, "a value that is nested too deep")
            return self._written(value)
        finally:
            self._depth -= 1

    def _written(self, value: object) -> object:
        kind = type(value)
        if value is None or kind in (bool, float, str):
            return value.encode("utf-8", "replace").decode() if kind is str else value
        if kind is int:
            if value.bit_length() > 3 * MOST_DIGITS:
                return self._unsendable(value, "a whole number of thousands of digits")
            return value
        if kind is tuple or (isinstance(value, tuple) and kind is not torch.Size and hasattr(kind, "_fields")):
            return ["tuple", [self._write(item) for item in tuple.__iter__(value)]]
        if isinstance(value, tuple) and kind.__module__ == "torch.return_types":
            return ["tuple", [self._write(item) for item in value]]
        if kind is frozenset:
            return ["frozenset", [self._write(item) for item in value]]
        if kind in (bytes, bytearray):
            return ["bytes", self._blob(bytes(value))]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind is range:
            return ["range", value.start, value.stop, value.step]
        if kind is slice:
            return ["slice", self._write(value.start), self._write(value.stop), self._write(value.step)]
        if kind is torch.Size:
            return ["size", list(value)]
        if kind is torch.dtype:
            return ["dtype", str(value).removeprefix("torch.")]
        if kind is torch.device:
            return ["device", str(value)]
        if isinstance(value, PurePath):
            return ["path", str(value)]
        if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind in "biufcUS":
            return ["number", value.dtype.str, self._blob(value.tobytes())]
        if isinstance(value, enum.Enum) and kind.__module__.startswith("torchvision.models."):
            return ["weights", kind.__module__, kind.__qualname__, value.name]
        if (number := self._numbers.get(id(value))) is not None:
            return ["@", number]
        if shape := self._shape(value):
            number, self._next = self._next, self._next + 2
            self._remember(number, value)
            return ["new", number, shape, self._state(value)]
        if isinstance(value, type) and self._is_known(value):
            return ["name", value.__module__, value.__qualname__]
        if callable(value):
            if self._trusts is False and self._is_known(value):
                return ["name", value.__module__, value.__qualname__]
            return ["function", *self._export(value), _type_name(value)]
        if hasattr(kind, "__next__") or (not self._trusts and hasattr(kind, "__iter__")):
            return ["iterator", *self._export(iter(value).__next__), _type_name(value)]
        return self._unsendable(value, f"something of the type {_type_name(value)}")

    def _unsendable(self, value: object, what: str) -> list:
        if self._trusts:  # we are the student's side: the judge sees what kind of thing it is, and no more
            return ["opaque", _type_name(value)]
        raise Unsendable(what)

    def _is_known(self, value: object) -> bool:
        """Whether the other side finds the same function or class under its name, and may use it."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
            return False
        if self._trusts and not (isinstance(value, type) and module.startswith(LAYERS)):
            return False
        if module.partition(".")[0] not in ("torch", "torchvision", "numpy", "builtins", "math"):
            return False
        found = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        return found is value

    def _shape(self, value: object) -> list | None:
        """What has to be known to make an empty object of this kind; None for what is no common object."""
        kind = type(value)
        if kind in (list, set):
            return [kind.__name__]
        if kind in MAPPINGS.values() or kind is collections.defaultdict:
            return ["dict", kind.__name__ if kind.__name__ in MAPPINGS else "dict"]
        if issubclass(kind, Tensor):
            plain = value.layout == torch.strided and str(value.dtype).removeprefix("torch.") in DTYPES
            if not plain or value.device.type not in ("cpu", "meta") or value.is_quantized:
                return None
            with_grad = isinstance(value, nn.Parameter)
            return ["tensor", "parameter" if with_grad else "inference" if value.is_inference() else "tensor"]
        if kind is np.ndarray and value.dtype.kind in "biufcUS":
            return ["array"]
        if issubclass(kind, Image.Image) and value.mode in MODES:
            return ["image"]
        if issubclass(kind, nn.Module):  # an object may say of itself that it is of another class
            if self._is_known(kind):
                return ["module", kind.__module__, kind.__qualname__]
            forward = self._export(lambda *args, **kwargs: value.forward(*args, **kwargs))
            return ["remote module", _type_name(value), *forward]
        return None

    def _state(self, value: object) -> object:
        if isinstance(value, list | set):
            return [self._write(item) for item in list(value)]
        if isinstance(value, dict):
            return [[self._write(key), self._write(item)] for key, item in list(value.items())]
        if isinstance(value, Tensor):
            return {
                "dtype": str(value.dtype).removeprefix("torch."),
                "shape": list(value.shape),
                "device": value.device.type,
                "learns": value.requires_grad,
                "data": None if value.is_meta or _is_blank(value) else self._blob(_bytes_of(value)),
                "hooks": [self._write(hook) for hook in (value._backward_hooks or {}).values()],
            }
        if isinstance(value, np.ndarray):
            return [value.dtype.str, list(value.shape), self._blob(np.ascontiguousarray(value).tobytes())]
        if isinstance(value, Image.Image):
            palette = value.getpalette("RGB") if value.mode in ("P", "PA") else None
            info = {key: item for key, item in value.info.items() if type(item) in (int, float, str, bytes, tuple)}
            if exif := value.getexif():  # which way up a photo lies, for example
                info["exif"] = exif.tobytes()
            items = [[str(key), self._write(item)] for key, item in info.items()]
            return [value.mode, list(value.size), self._blob(value.tobytes()), palette, items]
        return self._layer_state(value)

    def _layer_state(self, layer: nn.Module) -> dict:
        inside = vars(layer)
        attributes = []
        for name, value in inside.items():
            if name not in INTERNAL and name != "_remote_forward":
                try:
                    attributes.append([name, self._write(value)])
                except Unsendable:
                    continue
        return {
            "training": bool(layer.training),
            **{
                part: [[name, self._write(item)] for name, item in inside[f"_{part}"].items()]
                for part in ("parameters", "buffers", "modules")
            },
            "temporary": sorted(inside["_non_persistent_buffers_set"]),
            "hooks": {
                name: [[key, self._write(hook)] for key, hook in inside[name].items()] for name in HOOKS if inside[name]
            },
            "attributes": attributes,
        }

    # What an object looked like when both sides agreed.

    def _remember(self, number: int, value: object) -> None:
        self._objects[number] = value
        self._numbers[id(value)] = number
        self._agreed[number] = self._picture(value)

    def _picture(self, value: object) -> object:
        if isinstance(value, list | set):
            return list(value)
        if isinstance(value, dict):
            return [item for pair in value.items() for item in pair]
        if isinstance(value, Tensor):
            compared = not value.is_meta and not _is_blank(value) and value.nbytes < COMPARED_BYTES
            return [_tensor_facts(value), value.detach().clone() if compared else None]
        if isinstance(value, np.ndarray):
            return [value.dtype.str, value.shape, value.tobytes()]
        if isinstance(value, Image.Image):
            return [value.mode, value.size, value.tobytes()]
        inside = vars(value)
        parts = [bool(value.training), *sorted(inside["_non_persistent_buffers_set"])]
        for name in ("_parameters", "_buffers", "_modules", *HOOKS):
            parts.append(name)
            for pair in inside[name].items():
                parts += pair
        for name, item in inside.items():
            if name not in INTERNAL:
                parts += [name, item]
        return parts

    def _is_as_agreed(self, value: object, before: list) -> bool:
        if isinstance(value, Tensor):
            facts, content = before
            if _tensor_facts(value) != facts:
                return False
            return content is None or _same_numbers(value, content)
        found = self._picture(value)
        return len(found) == len(before) and all(
            one is other or (type(one) is type(other) and type(one) in _PLAIN and one == other)
            for one, other in zip(found, before, strict=True)
        )

    # Reading.

    def unpack(self, message: dict, blobs: list[bytes]) -> object:
        """Apply the changes, and return the value. Raises Refused for anything that is not as `pack` writes it."""
        self._depth = 0
        try:
            for number, state in message["changes"]:
                thing = self._objects[number]
                self._fill(thing, state, blobs)
                self._agreed[number] = self._picture(thing)
            return self._read(message["value"], blobs)
        except Refused:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from None

    def _read(self, node: object, blobs: list[bytes]) -> object:
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise Refused("an object of JSON stands for nothing")
            return node
        self._depth += 1
        if self._depth > 3 * MOST_DEPTH:
            raise Refused("nested too deep")
        try:
            return self._made(node, blobs)
        finally:
            self._depth -= 1

    def _made(self, node: list, blobs: list[bytes]) -> object:
        tag, *rest = node
        if tag == "@":
            return self._objects[rest[0]]
        if tag == "new":
            return self._new(*rest, blobs)
        if tag in ("tuple", "frozenset"):
            items = [self._read(item, blobs) for item in rest[0]]
            return tuple(items) if tag == "tuple" else frozenset(items)
        if tag == "bytes":
            return bytes(blobs[rest[0]])
        if tag == "complex":
            return complex(float(rest[0]), float(rest[1]))
        if tag == "range":
            return range(*(int(number) for number in rest[:3]))
        if tag == "slice":
            return slice(*(self._read(item, blobs) for item in rest[:3]))
        if tag == "size":
            return torch.Size(int(length) for length in rest[0])
        if tag == "dtype":
            return DTYPES[rest[0]]
        if tag == "device":
            return torch.device(str(rest[0]))
        if tag == "path":
            return Path(str(rest[0]))
        if tag == "number":
            return np.frombuffer(bytes(blobs[rest[1]]), _numpy_type(rest[0]), count=1)[0]
        if tag == "weights":
            return self._weights(*rest)
        if tag == "name":
            return self._named(*rest)
        if tag == "function":
            mine, number, name = rest
            return self._remote(bool(mine), int(number), _safe_name(name))
        if tag == "iterator":
            mine, number, name = rest
            return _RemoteIterator(self._remote(bool(mine), int(number), _safe_name(name)))
        if tag == "opaque":
            self.opaque_seen = True
            return type(_safe_name(rest[0]), (Opaque,), {})()
        raise Refused(f"nothing is called {str(tag)[:20]!r}")

    def _weights(self, module: str, name: str, member: str) -> enum.Enum:
        if not module.startswith("torchvision.models."):
            raise Refused("no weights of torchvision")
        kind = getattr(sys.modules[module], name)
        if not (isinstance(kind, type) and issubclass(kind, enum.Enum)):
            raise Refused("no weights of torchvision")
        return kind[member]

    def _named(self, module: str, name: str) -> object:
        found = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise Refused(f"there is no {module}.{name}"[:80])
        if not self._trusts:  # we are the judge
            is_layer = isinstance(found, type) and issubclass(found, nn.Module)
            if not (is_layer and module.startswith(LAYERS)):
                raise Refused(f"{module}.{name} is not a layer"[:80])
        return found

    def _new(self, number: int, shape: list, state: object, blobs: list[bytes]) -> object:
        if not isinstance(number, int) or number in self._objects or number % 2 == self._next % 2:
            raise Refused("a number that is taken")
        kind = shape[0]
        if kind in ("list", "set"):
            value = [] if kind == "list" else set()
        elif kind == "dict":
            value = MAPPINGS[shape[1]]()
        elif kind == "tensor":
            value = _tensor(state, blobs)
            if shape[1] == "parameter":
                value = nn.Parameter(value, requires_grad=bool(state["learns"]))
            elif shape[1] == "inference":
                with torch.inference_mode():
                    value = value.clone()
        elif kind == "array":
            value = _array(state, blobs)
        elif kind == "image":
            value = _image(state, blobs)
        elif kind == "module":
            value = self._empty_layer(self._named(shape[1], shape[2]))
        elif kind == "remote module":
            value = self._empty_layer(type(_safe_name(shape[1]), (RemoteModule,), {}))
            value.__dict__["_remote_forward"] = self._remote(bool(shape[2]), int(shape[3]), _safe_name(shape[1]))
        else:
            raise Refused(f"nothing is called {str(kind)[:20]!r}")
        if kind == "tensor" and state["data"] is None and not value.is_meta:
            value._blank = value._version
        self._objects[number] = value
        self._numbers[id(value)] = number
        if kind in ("list", "set", "dict", "module", "remote module"):
            self._fill(value, state, blobs)
        elif kind == "tensor":
            self._fill_tensor(value, state)
        elif kind == "image":
            self._fill_info(value, state, blobs)
        self._agreed[number] = self._picture(value)
        return value

    @staticmethod
    def _empty_layer(kind: type[nn.Module]) -> nn.Module:
        layer = kind.__new__(kind)
        nn.Module.__init__(layer)
        return layer

    def _fill(self, value: object, state: object, blobs: list[bytes]) -> None:
        if isinstance(value, list):
            value[:] = [self._read(item, blobs) for item in state]
        elif isinstance(value, set):
            items = [self._read(item, blobs) for item in state]
            value.clear()
            value.update(items)
        elif isinstance(value, dict):
            items = [(self._read(key, blobs), self._read(item, blobs)) for key, item in state]
            value.clear()
            for key, item in items:
                value[key] = item
        elif isinstance(value, Tensor):
            self._refill_tensor(value, state, blobs)
        elif isinstance(value, np.ndarray):
            found = _array(state, blobs)
            if found.shape == value.shape and value.flags.writeable:
                value[...] = found
        elif isinstance(value, Image.Image):
            found = _image(state, blobs)
            value.im, value._mode, value._size = found.im, found.mode, found.size
            if found.palette is not None:
                value.palette = found.palette
            self._fill_info(value, state, blobs)
        else:
            self._fill_layer(value, state, blobs)

    def _fill_info(self, image: Image.Image, state: list, blobs: list[bytes]) -> None:
        image.info = {str(key): self._read(item, blobs) for key, item in state[4]}

    def _refill_tensor(self, value: Tensor, state: dict, blobs: list[bytes]) -> None:
        found = _tensor(state, blobs)
        with torch.no_grad():
            if state["data"] is None and found.shape == value.shape and found.dtype == value.dtype:
                pass  # numbers that nobody has written yet
            elif found.shape == value.shape and found.dtype == value.dtype and found.device == value.device:
                value.detach().copy_(found) if not value.is_inference() else None
            else:
                value.data = found
        self._fill_tensor(value, state)

    def _fill_tensor(self, value: Tensor, state: dict) -> None:
        learns = bool(state["learns"])
        if value.requires_grad != learns and value.is_leaf and not value.is_inference():
            value.requires_grad_(learns)
        known = list((value._backward_hooks or {}).values())
        for node in state["hooks"]:
            hook = self._read(node, [])
            if hook not in known and value.requires_grad:
                value.register_hook(hook)

    def _fill_layer(self, layer: nn.Module, state: dict, blobs: list[bytes]) -> None:
        inside = vars(layer)
        kinds = {"parameters": nn.Parameter, "buffers": Tensor, "modules": nn.Module}
        for part, kind in kinds.items():
            items = [(str(name), self._read(item, blobs)) for name, item in state[part]]
            if any(item is not None and not isinstance(item, kind) for _, item in items):
                raise Refused(f"something that is none of the {part}")
            inside[f"_{part}"].clear()
            inside[f"_{part}"].update(items)
        inside["training"] = bool(state["training"])
        inside["_non_persistent_buffers_set"] = {str(name) for name in state["temporary"]}
        for name in HOOKS:
            hooks = [(int(key), self._read(hook, blobs)) for key, hook in state["hooks"].get(name, ())]
            inside[name].clear()
            inside[name].update(hooks)
        attributes = {str(name): self._read(item, blobs) for name, item in state["attributes"]}
        for name in [name for name in inside if name not in INTERNAL and name != "_remote_forward"]:
            if name not in attributes and isinstance(inside[name], _CARRIED):
                del inside[name]
        inside.update((name, item) for name, item in attributes.items() if name not in INTERNAL)


class _RemoteIterator:
    """Items that the other process hands out one by one."""

    def __init__(self, following: Callable) -> None:
        self._following = following

    def __iter__(self) -> "_RemoteIterator":
        return self

    def __next__(self) -> object:
        return self._following()


_PLAIN = (bool, int, float, str, bytes, tuple, torch.Size)
# Attributes that are always carried over: one that does not arrive was deleted on the other side.
_CARRIED = (bool, int, float, str, type(None), Tensor, nn.Module)


def _type_name(value: object) -> str:
    return str(type(value).__name__)[:60]


def _safe_name(name: object) -> str:
    name = str(name)[:60]
    return name if name.isidentifier() else "object"


def _tensor_facts(tensor: Tensor) -> tuple:
    place = 0 if tensor.is_meta else tensor.data_ptr()
    version = None if tensor.is_inference() else tensor._version
    return version, place, tensor.shape, tensor.dtype, tensor.requires_grad, len(tensor._backward_hooks or ())


def _same_numbers(one: Tensor, other: Tensor) -> bool:
    """Whether every bit is equal; NaN equals NaN."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if torch.equal(one, other):  # also for -0.0 and 0.0, which no test can tell apart
        return True
    return bool(_bytes_of(one) == _bytes_of(other))


def mark_blank(layer: nn.Module) -> nn.Module:
    """Say of a network that its numbers were never written, so that nobody carries them around."""
    for parameter in layer.parameters():
        parameter._blank = parameter._version
    return layer


def _is_blank(tensor: Tensor) -> bool:
    return not tensor.is_inference() and getattr(tensor, "_blank", None) == tensor._version


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else memoryview(b"")


def _tensor(state: dict, blobs: list[bytes]) -> Tensor:
    dtype, shape = DTYPES[state["dtype"]], [int(length) for length in state["shape"]]
    if any(length < 0 for length in shape):
        raise Refused("a negative length")
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count * dtype.itemsize > 2**32:
        raise Refused("a tensor that is too large")
    if state["device"] == "meta":
        return torch.empty(shape, dtype=dtype, device="meta")
    if state["data"] is None:
        return torch.empty(shape, dtype=dtype)
    content = blobs[state["data"]]
    if len(content) != count * dtype.itemsize:
        raise Refused("a tensor whose numbers do not fill its shape")
    if not count:
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool and max(content) > 1:
        raise Refused("a truth value that is neither")
    return torch.frombuffer(bytearray(content) if isinstance(content, bytes) else content, dtype=dtype).reshape(shape)


def _numpy_type(text: object) -> np.dtype:
    kind = np.dtype(str(text))
    if kind.kind not in "biufcUS" or kind.hasobject or kind.itemsize > 2**20:
        raise Refused("a kind of number that is not carried")
    return kind


def _array(state: list, blobs: list[bytes]) -> np.ndarray:
    kind, shape, place = _numpy_type(state[0]), tuple(int(length) for length in state[1]), state[2]
    return np.frombuffer(bytearray(blobs[place]), kind).reshape(shape)


def _image(state: list, blobs: list[bytes]) -> Image.Image:
    mode, (width, height), place, palette, _ = state
    if mode not in MODES or not 0 <= int(width) * int(height) <= 2**26:
        raise Refused("a picture of an unknown kind")
    picture = Image.frombytes(mode, (int(width), int(height)), bytes(blobs[place]))
    if palette is not None:
        picture.putpalette([int(level) for level in palette][:768])
        if picture.mode != mode:
            raise Refused("a picture of an unknown kind")
    return picture
