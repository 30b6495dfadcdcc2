"""Files of a training run: weights for others to load, and checkpoints to go on from. None is ever half written."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from course_utils.errors import CourseError
from course_utils.files import write_whole


class CheckpointError(CourseError, RuntimeError):
    """A file cannot be used; the message says why and what to do."""


class Stateful(Protocol):
    """What models, optimizers and gradient scalers have in common."""

    def state_dict(self) -> dict: ...

    def load_state_dict(self, state_dict: dict) -> object: ...


def half_precision(model: nn.Module) -> dict[str, Tensor]:
    """The state dict on the CPU with 16-bit numbers, half the size; counters stay as they are."""
    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def full_precision(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same state dict with 32-bit numbers; counters stay as they are."""
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


def save_checkpoint(path: Path, parts: dict[str, Stateful], identity: dict, history: list[dict]) -> None:
    """Write all that a run needs to go on after the last epoch of ``history``."""
    states = {name: part.state_dict() for name, part in parts.items()}
    content = io.BytesIO()  # because torch hides why a disk does not take its bytes
    torch.save({"identity": identity, "history": history, **states}, content)
    write_whole(path, lambda partial: partial.write_bytes(content.getbuffer()))


def load_checkpoint(path: Path, parts: dict[str, Stateful], identity: dict) -> list[dict]:
    """Put ``parts`` back to where `save_checkpoint` left them, and return the history.

    Raises `CheckpointError` for a file that is damaged, or whose ``identity`` (recipe and data) is another.
    """
    try:
        with zipfile.ZipFile(path) as records:  # torch itself does not look at the checksums
            damaged = records.testzip()
        if damaged:
            raise zipfile.BadZipFile(damaged)
        saved = torch.load(path, map_location="cpu", weights_only=True)
        differences = [
            f"{name} was {saved['identity'].get(name)!r} and is now {value!r}"
            for name, value in identity.items()
            if saved["identity"].get(name) != value
        ]
        if not differences:
            for name, part in parts.items():
                part.load_state_dict(saved[name])
        history = list(saved["history"])
    except Exception as error:  # a damaged file raises whatever its readers stumble over
        raise CheckpointError(f"{path} is not a whole checkpoint of this program: delete it to start again.") from error
    if differences:
        raise CheckpointError(f"{path} belongs to another run: {'; '.join(differences)}.")
    return history
