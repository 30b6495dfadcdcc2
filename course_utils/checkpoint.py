"""Files of a training run: weights for others to load, and checkpoints to go on from. None is ever half written."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.files import write_whole


class CheckpointError(CourseError, ValueError):
    """A file cannot be used; the message says why and what to do."""


class Stateful(Protocol):
    """What models, optimizers and gradient scalers have in common."""

    def state_dict(self) -> dict:
        """Return what has to be kept."""
        ...

    def load_state_dict(self, state_dict: dict) -> object:
        """Take back what `state_dict` returned."""
        ...


def half_precision(model: nn.Module) -> dict[str, Tensor]:
    """Return the state dict on the CPU with 16-bit numbers, half the size; counters stay as they are."""
    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def full_precision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the same state dict with 32-bit numbers; counters stay as they are."""
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def save_weights(path: Path, model: nn.Module, header: dict[str, object]) -> None:
    """Write `half_precision` weights as safetensors; the file's own header takes ``header``, text or JSON."""
    metadata = {name: value if isinstance(value, str) else json.dumps(value) for name, value in header.items()}
    content = safetensors.torch.save(half_precision(model), metadata)
    # safetensors writes the metadata in a random order; sorted, the same weights give the same bytes and SHA-256.
    size = int.from_bytes(content[:8], "little")  # of the JSON that follows, padded with spaces
    entries = json.loads(content[8 : 8 + size])
    entries["__metadata__"] = dict(sorted(entries["__metadata__"].items()))
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode().ljust(size)
    write_whole(path, lambda partial: partial.write_bytes(content[:8] + text + content[8 + size :]))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a .safetensors or a .pt file, as 32-bit numbers on the CPU."""
    try:
        if path.suffix == ".safetensors":
            state = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        return full_precision(state)
    except (
        OSError,
        EOFError,
        AttributeError,
        RuntimeError,
        pickle.UnpicklingError,
        safetensors.SafetensorError,
    ) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"No weights can be read from {path} ({reason}).") from error


def load_head(path: str | Path) -> tuple[nn.Linear, list[str]]:
    """Read a head that the page "Show it a picture" has trained: the layer, and the names of its classes.

    The safetensors file holds ``weight`` (classes, features) and ``bias`` (classes,), and the names in its header.
    `features.install_head` puts the layer into the network that the page used. Raises `CheckpointError`.
    """
    path = Path(path)
    state = read_weights(path)
    try:
        with safetensors.safe_open(path, "pt") as file:
            categories = json.loads((file.metadata() or {})["categories"])
        weight, bias = state["weight"], state["bias"]
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or len(categories) != len(bias):
            raise ValueError("its numbers and names do not fit together")
    except (safetensors.SafetensorError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no head from the page “Show it a picture”; download one there, in the part “Take it with you”."
        ) from error
    with torch.device("meta"):  # no random numbers for what the file replaces at once
        head = nn.Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return head, [str(name) for name in categories]


def save_checkpoint(path: Path, parts: dict[str, Stateful], identity: dict, so_far: dict[str, object]) -> None:
    """Write all that a run needs to go on: the state of its ``parts``, and what it knows ``so_far``.

    ``identity`` is what has to be the same when it goes on, such as its settings. It and ``so_far`` hold numbers, text,
    tensors, and lists and dicts of them. Raises OSError where the file cannot be written; the one before then stays.
    """
    content = {"identity": identity, **so_far, **{name: part.state_dict() for name, part in parts.items()}}
    path.parent.mkdir(parents=True, exist_ok=True)
    in_memory = io.BytesIO()  # because torch hides why a disk does not take its bytes
    torch.save(content, in_memory)
    write_whole(path, lambda partial: partial.write_bytes(in_memory.getbuffer()))


def load_checkpoint(
    path: Path, parts: dict[str, Stateful], identity: dict, device: torch.device | str = "cpu"
) -> dict[str, Any]:
    """Put ``parts`` back to where `save_checkpoint` left them, and return what was known then (``so_far``).

    Tensors come to ``device``. Raises `CheckpointError` for a file that is damaged, or whose ``identity`` is another.
    """
    try:
        with zipfile.ZipFile(path) as records:  # torch itself does not look at the checksums
            if damaged := records.testzip():
                raise zipfile.BadZipFile(damaged)
        saved = torch.load(path, map_location=device, weights_only=True)
        there = saved["identity"]
        different = [
            f"{name} ({there.get(name)!r} there, {identity.get(name)!r} here)"
            for name in identity | there
            if there.get(name) != identity.get(name)
        ]
        if not different:
            for name, part in parts.items():
                part.load_state_dict(saved[name])
    except Exception as error:  # a damaged file raises whatever its readers stumble over
        raise CheckpointError(
            f"{path.name} is damaged, or is no checkpoint of this program. Delete it to start over."
        ) from error
    if different:
        raise CheckpointError(
            f"The checkpoint {path.name} belongs to a run with other settings: {', '.join(different)}. "
            "Give another file name, or delete the file to start over."
        )
    return {name: value for name, value in saved.items() if name != "identity" and name not in parts}
