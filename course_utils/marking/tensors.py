"""Tensors and arrays that both sides have in common. Their numbers travel as blobs."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.marking.kinds import Kind
from course_utils.marking.values import DTYPES, NUMPY_KINDS, dtype_name, numpy_dtype
from course_utils.marking.wire import Json, Reader, Refused, Writer, expect, is_really, lengths

COMPARED_BYTES = 2**28  # tensors above are compared by their version only
MOST_BYTES = 2**32
BLANK = "_blank"  # attribute of a tensor whose numbers nobody has written: its version at that time


def shape_of(value: object) -> list[Json] | None:
    """The shape of a plain tensor or array; None for everything else."""
    if is_really(value, Tensor):
        if value.layout != torch.strided or value.is_quantized or dtype_name(value.dtype) not in DTYPES:
            return None
        if value.device.type not in ("cpu", "meta"):
            return None
        is_parameter = isinstance(value, nn.Parameter)
        return ["tensor", "parameter" if is_parameter else "inference" if value.is_inference() else "tensor"]
    if type(value) is np.ndarray and value.dtype.kind in NUMPY_KINDS:
        return ["array"]
    return None


def mark_blank(layer: nn.Module) -> nn.Module:
    """Say of a network that its numbers were never written, so that nobody carries them around."""
    for parameter in layer.parameters():
        setattr(parameter, BLANK, parameter._version)
    return layer


def _is_blank(tensor: Tensor) -> bool:
    return not tensor.is_inference() and getattr(tensor, BLANK, None) == tensor._version


def _bytes_of(tensor: Tensor) -> memoryview:
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")


@dataclass(frozen=True)
class _State:
    """A tensor as it is described; ``data`` is the place of its blob, None where it has no numbers yet."""

    dtype: str
    shape: list[int]
    device: str
    learns: bool
    data: int | None
    hooks: list


def _state(tensor: Tensor, write: Writer) -> Json:
    state = _State(
        dtype=dtype_name(tensor.dtype),
        shape=list(tensor.shape),
        device=tensor.device.type,
        learns=tensor.requires_grad,
        data=None if tensor.is_meta or _is_blank(tensor) else write.blob(_bytes_of(tensor)),
        hooks=[write(hook) for hook in (tensor._backward_hooks or {}).values()],
    )
    return vars(state)


def _read_state(node: object) -> _State:
    fields = expect(node, dict)
    return _State(
        dtype=expect(fields["dtype"], str),
        shape=lengths(fields["shape"]),
        device=expect(fields["device"], str),
        learns=expect(fields["learns"], bool),
        data=None if fields["data"] is None else expect(fields["data"], int),
        hooks=expect(fields["hooks"], list),
    )


def _tensor(state: _State, read: Reader) -> Tensor:
    dtype, shape = DTYPES[state.dtype], state.shape
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count * dtype.itemsize > MOST_BYTES:
        raise Refused("a tensor that is too large")
    if state.device == "meta":
        return torch.empty(shape, dtype=dtype, device="meta")
    if state.data is None:  # the judge's memory is nothing to hand out
        return torch.empty(shape, dtype=dtype) if read.trusts else torch.zeros(shape, dtype=dtype)
    content = read.blob(state.data)
    if len(content) != count * dtype.itemsize:
        raise Refused("a tensor whose numbers do not fill its shape")
    if not count:
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool and max(content) > 1:
        raise Refused("a truth value that is neither")
    return torch.frombuffer(bytearray(content) if isinstance(content, bytes) else content, dtype=dtype).reshape(shape)


def _make(shape: list[object], node: object, read: Reader) -> Tensor:
    state = _read_state(node)
    tensor = _tensor(state, read)
    if shape[1] == "parameter":
        tensor = nn.Parameter(tensor, requires_grad=state.learns)
    elif shape[1] == "inference":
        with torch.inference_mode():
            tensor = tensor.clone()
    if state.data is None and not tensor.is_meta:
        setattr(tensor, BLANK, tensor._version)
    return tensor


def _update(tensor: Tensor, node: object, read: Reader) -> None:
    state = _read_state(node)
    found = _tensor(state, read)
    is_alike = found.shape == tensor.shape and found.dtype == tensor.dtype
    with torch.no_grad():
        if is_alike and state.data is None:
            pass  # numbers that nobody has written yet
        elif is_alike and found.device == tensor.device:
            if not tensor.is_inference():
                tensor.detach().copy_(found)
        else:
            tensor.data = found
    _finish(tensor, node, read)


def _finish(tensor: Tensor, node: object, read: Reader) -> None:
    """Say whether the tensor learns, and add hooks that it does not have."""
    state = _read_state(node)
    if tensor.requires_grad != state.learns and tensor.is_leaf and not tensor.is_inference():
        tensor.requires_grad_(state.learns)
    known = list((tensor._backward_hooks or {}).values())
    for hook in map(read, state.hooks):
        if not callable(hook):
            raise Refused("a hook that cannot be called")
        if hook not in known and tensor.requires_grad:
            tensor.register_hook(hook)


def _facts(tensor: Tensor) -> tuple:
    """What tells most changes of a tensor without a look at its numbers."""
    place = 0 if tensor.is_meta else tensor.data_ptr()
    version = None if tensor.is_inference() else tensor._version
    return version, place, tensor.shape, tensor.dtype, tensor.requires_grad, len(tensor._backward_hooks or ())


def _picture(tensor: Tensor) -> list:
    compared = not tensor.is_meta and not _is_blank(tensor) and tensor.nbytes < COMPARED_BYTES
    return [_facts(tensor), tensor.detach().clone() if compared else None]


def _counted_picture(tensor: Tensor) -> list:
    """The picture of a tensor of ours: torch counts how often a parameter has changed, and a test goes by torch."""
    return [_facts(tensor), None] if isinstance(tensor, nn.Parameter) else _picture(tensor)


def _is_as(tensor: Tensor, before: list) -> bool:
    facts, content = before
    return _facts(tensor) == facts and (content is None or _same_numbers(tensor, content))


def _same_numbers(one: Tensor, other: Tensor) -> bool:
    """Whether every bit is equal; NaN equals NaN."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if torch.equal(one, other):  # also for -0.0 and 0.0, which no test can tell apart
        return True
    return _bytes_of(one) == _bytes_of(other)


def _array(state: object, read: Reader) -> np.ndarray:
    kind, shape, place = expect(state, list)
    return np.frombuffer(bytearray(read.blob(place)), numpy_dtype(kind)).reshape(lengths(shape))


def _update_array(array: np.ndarray, state: object, read: Reader) -> None:
    found = _array(state, read)
    if found.shape == array.shape and array.flags.writeable:
        array[...] = found


def _array_state(array: np.ndarray, write: Writer) -> Json:
    return [array.dtype.str, list(array.shape), write.blob(np.ascontiguousarray(array).tobytes())]


# Any: kinds of several types stand in one table; each gets only what it has made itself, or found the shape of.
KINDS: dict[str, Kind[Any]] = {
    "tensor": Kind(state=_state, make=_make, update=_update, finish=_finish, picture=_picture, same=_is_as),
    "array": Kind(
        state=_array_state,
        make=lambda shape, state, read: _array(state, read),
        update=_update_array,
        picture=lambda array: [array.dtype.str, array.shape, array.tobytes()],
    ),
}
# In the judge, where only tests change a tensor, a parameter's numbers need not be compared.
KINDS_OF_THE_JUDGE = KINDS | {"tensor": replace(KINDS["tensor"], picture=_counted_picture)}
