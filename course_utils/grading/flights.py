"""Made-up flights over a meadow for test cells: what a network said, what was really there, and pictures.

Everything is drawn by arithmetic from a seed, the same on every machine. `numbers`, `number` and `words` read an
answer in whatever form it comes: plain lists, NumPy arrays and tensors are all fine.
"""

import math
from typing import Any

import numpy as np
import sklearn.metrics  # noqa: F401  (here, so that the import takes no time from the first check of an answer that uses it)
import torch
from PIL import Image
from torch import Tensor

from course_utils.grading.points import expect


def scored(count: int, num_classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return logits (count, num_classes), float32, and labels (count,), int64, of a network that is mostly right."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (count,), generator=random)
    logits = 2 * torch.randn(count, num_classes, generator=random)
    logits[torch.arange(count), labels] += 3
    return logits, labels


def batches(sizes: list[int], num_classes: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Return pairs (logits, labels), one of each size, as a network and a data loader would give them."""
    logits, labels = scored(sum(sizes), num_classes, seed)
    return list(zip(logits.split(sizes), labels.split(sizes), strict=True))


def rare(count: int, fawns: int, seed: int, skill: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of a fawn for each picture (count,), float64, and whether there is one (count,), bool.

    The probabilities are multiples of 1/1024, so that float32 holds them too, and some are equal.
    """
    random = np.random.default_rng(seed)
    is_fawn = random.permutation(count) < fawns
    evidence = random.normal(skill * is_fawn - 1.5, 1.0)
    return np.round(1024 / (1 + np.exp(-evidence))) / 1024, is_fawn


def frame(seed: int, width: int = 24, height: int = 16) -> Image.Image:
    """Return an RGB picture that no other seed gives."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def numbers(answer: object, what: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return an answer of this shape as a float64 array; `what` begins the sentence when it is something else."""
    expect(answer is not None, f"{what}: there is only None. Is a `return` missing?")
    found = answer.detach().cpu() if isinstance(answer, Tensor) else answer
    try:
        texts = [value for value in np.array(found, dtype=object).ravel() if isinstance(value, str | bytes)]
        expect(not texts, f"{what} should be numbers. {texts[0]!r} is a text." if texts else "")
        array = np.array(found, dtype=float)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a list of tensors that require gradients
        array = None
    expect(array is not None, f"{what} should be numbers in a list, an array or a tensor, not {_kind(answer)}.")
    assert array is not None  # `expect` has raised
    expect(array.shape == shape, f"{what} should have the shape {shape}, not {array.shape}.")
    return array


def number(answer: object, what: str) -> float:
    """Return an answer that is one number, NaN included."""
    return float(numbers(answer, what, ()))


def words(answer: Any, what: str, count: int) -> list[str]:
    """Return an answer that is `count` names."""
    is_list = hasattr(answer, "__len__") and hasattr(answer, "__getitem__") and not isinstance(answer, str | dict)
    expect(is_list, f"{what} should be a list, with one name for each picture, not {_kind(answer)}.")
    expect(len(answer) == count, f"{what} should be {count}, one for each picture. Yours are {len(answer)}.")
    for word in answer:
        expect(isinstance(word, str), f"{what} should be words such as 'fawn'. One of yours is {_kind(word)}.")
    return [str(word) for word in answer]


def same(one: float, other: float, tolerance: float = 1e-6) -> bool:
    """Whether two numbers are equal but for rounding; NaN equals NaN."""
    return (math.isnan(one) and math.isnan(other)) or abs(one - other) <= tolerance


def _kind(answer: object) -> str:
    return "None" if answer is None else f"something of the type {type(answer).__name__}"
