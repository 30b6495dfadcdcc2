"""Where the arithmetic happens: choose a device, describe it, move things to it, survive a full one."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from course_utils.errors import CourseError, shown


class DeviceError(CourseError, RuntimeError):
    """The device that was asked for is not there."""


class ModelError(CourseError, ValueError):
    """This is no model that can compute; the message says why and what to do."""


def get_device(prefer: torch.device | str | None = None) -> torch.device:
    """Return the best device of this machine: a CUDA GPU, else Apple's GPU (MPS), else the CPU.

    ``prefer`` names one instead (``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``); without it the environment
    variable ``COURSE_DEVICE`` does. A device that is asked for by name and is not there is a `DeviceError`:
    quietly training on the CPU for hours helps nobody.
    """
    name = str(prefer or os.environ.get("COURSE_DEVICE", "").strip())
    if not name:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")

    asked_by = "device" if prefer else "COURSE_DEVICE"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in {"cpu", "cuda", "mps"}:
        raise DeviceError(f"{asked_by} is '{shown(name)}'; use 'cpu', 'cuda', 'cuda:1' (a GPU by number) or 'mps'.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"{asked_by} is {name!r}, but torch sees {torch.cuda.device_count()} CUDA GPUs here. "
            "In Colab choose Runtime > Change runtime type > GPU; at home check the driver, or use 'cpu'."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"{asked_by} is 'mps', but this machine has no Apple GPU that torch can use; use 'cpu'.")
    return device


def describe_device(device: torch.device | str | None = None) -> str:
    """Say in one line what a device is, for example ``cpu (8 threads)`` or ``cuda:0 (NVIDIA L4, 22.5 GiB)``."""
    device = get_device() if device is None else torch.device(device)
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        return f"cuda:{device.index or 0} ({gpu.name}, {gpu.total_memory / 2**30:.1f} GiB)"
    if device.type == "mps":
        return "mps (Apple GPU)"
    threads = torch.get_num_threads()
    return f"{device.type} ({threads} thread{'s' if threads != 1 else ''})"


def check_model(model: nn.Module) -> None:
    """Raise a `ModelError` for what cannot take pictures as float32: no model, or one without such numbers."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"A model (an nn.Module) is needed here, got {shown(type(model).__name__)}.")
    for name, parameter in model.named_parameters():
        if parameter.is_meta:
            raise ModelError(
                f"The model's {name} is on the meta device, where tensors have a shape but no numbers: "
                "load weights into a model that was built without torch.device('meta')."
            )
        if parameter.is_complex() or (parameter.is_floating_point() and parameter.dtype != torch.float32):
            raise ModelError(
                f"The model's {name} holds {parameter.dtype}, but pictures come as torch.float32: call model.float()."
            )


def to_device(batch: Any, device: torch.device | str) -> Any:
    """Move a tensor, a module, or any nesting of lists, tuples and dicts of them; leave everything else alone.

    Apple's GPU has no 64-bit floats: a tensor of them becomes float32 there.
    """
    if isinstance(batch, torch.Tensor) and batch.dtype == torch.float64 and torch.device(device).type == "mps":
        batch = batch.float()
    if isinstance(batch, torch.Tensor | nn.Module):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):  # a named tuple wants its values one by one
        return type(batch)(*(to_device(value, device) for value in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(to_device(value, device) for value in batch)
    return batch


def batched(function: Callable, items: Sequence, batch_size: int) -> Iterator:
    """Yield ``function(items[i : i + batch_size])`` for one slice after the other.

    When CUDA runs out of memory the slice is tried again with half the size, and the smaller size is kept;
    a batch of one that still does not fit raises torch's own ``OutOfMemoryError``.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    start = 0
    while start < len(items):
        try:
            result = function(items[start : start + batch_size])
        except torch.cuda.OutOfMemoryError:
            if batch_size == 1:
                raise
            batch_size //= 2
            print(f"The GPU ran out of memory; going on with batches of {batch_size}.")
        else:
            yield result
            start += batch_size
            continue
        # Outside the except block, so that the traceback no longer keeps the failed batch alive.
        torch.cuda.empty_cache()
