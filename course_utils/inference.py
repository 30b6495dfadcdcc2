"""From pictures to answers: run a trained classifier and read its scores, with names (`predict`) or as they are."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from PIL import Image
from torch import nn
from torchvision.models import WeightsEnum

from course_utils.batches import in_batches, labels_of, preprocess
from course_utils.data import Pictures
from course_utils.device import batched, check_model, get_device
from course_utils.fast_pass import fast_copy
from course_utils.images import open_image

WORTH_A_COPY = 16  # pictures; making a `fast_copy` takes about as long as a few of them
Picture = Image.Image | str | os.PathLike | bytes | torch.Tensor


@dataclass(frozen=True)
class Prediction:
    """One answer of a classifier.

    ``probability`` is the softmax score, between 0 and 1. It ranks the answers that the model knows; nobody has
    checked that a score of 0.9 is right nine times out of ten.
    """

    label: str
    index: int
    probability: float

    def __str__(self) -> str:
        return f"{self.label} ({self.probability:.1%})"


def predict(
    model: nn.Module,
    weights: WeightsEnum,
    images: Picture | Sequence[Picture],
    k: int = 5,
    *,
    categories: Sequence[str] | None = None,
    device: torch.device | str | None = None,
    batch_size: int = 32,
) -> list[list[Prediction]]:
    """Return the ``k`` most likely categories of each picture, the best first.

    ``images`` is one picture or a sequence of them: PIL images, paths, URLs, or uint8 tensors of shape (3, H, W);
    a uint8 tensor of shape (N, 3, H, W) is N pictures. One picture also gives a list with one list in it.
    ``weights`` brings the preprocessing, ``weights.transforms()``, and the names, ``weights.meta["categories"]``;
    give ``categories`` when the head was replaced and the model now answers with other names.
    The model runs in eval mode on ``device`` (None: `get_device`) and gets its own mode and device back.
    A ``k`` that is too large, names that do not match the model's outputs, and pictures that are none of the
    above are each a ValueError.
    """
    names = _category_names(weights, categories)
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= len(names):
        raise ValueError(f"k must be a whole number from 1 to {len(names)}, the number of categories; got {k!r}.")
    pictures = _as_list(images)
    transform = weights.transforms()
    device = get_device(device)

    def top_k(some: Sequence[Picture]) -> list[list[Prediction]]:
        batch = torch.stack([transform(_readable(picture)) for picture in some])
        logits = network(batch.to(device))
        _check_logits(logits, names)
        best = logits.float().softmax(dim=1).topk(k)
        rows = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        return [
            [Prediction(names[index], index, probability) for probability, index in zip(*row, strict=True)]
            for row in rows
        ]

    with torch.inference_mode(), for_passes(model, device, len(pictures)) as network:
        return [answers for some in batched(top_k, pictures, batch_size) for answers in some]


def evaluate(
    model: nn.Module,
    transform: Callable,
    pictures: Pictures,
    *,
    device: torch.device | str | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the model's logits (N, classes) and the labels (N,) of all pictures, both on the CPU.

    The model runs without gradients and in eval mode, and gets its own modes and device back.
    """
    labels = labels_of(pictures)
    device = get_device(device)

    def logits_of(indices: Sequence[int]) -> torch.Tensor:
        return network(preprocess(transform, pictures, indices).to(device)).float().cpu()

    with torch.no_grad(), for_passes(model, device, len(pictures)) as network:
        return in_batches(logits_of, len(pictures), batch_size, "Evaluating", progress), labels


@contextmanager
def for_passes(model: nn.Module, device: torch.device | str, pictures: int) -> Iterator[nn.Module]:
    """Inside ``with``, give the network to send ``pictures`` through: the model, `evaluating`, or its `fast_copy`."""
    with evaluating(model, device):
        on_cpu = torch.device(device).type == "cpu"
        yield fast_copy(model) if on_cpu and pictures >= WORTH_A_COPY else model


@contextmanager
def evaluating(model: nn.Module, device: torch.device | str) -> Iterator[None]:
    """Put a model on ``device`` and in eval mode for the length of a ``with`` block.

    Afterwards each module has its own mode back (a frozen backbone stays in eval, whatever the rest does) and
    the model is on the device where it was, so that a tensor made by hand still meets it there.
    """
    check_model(model)
    modes = [(module, module.training) for module in model.modules()]
    first = next(model.parameters(), None)
    home = first.device if first is not None else torch.device("cpu")
    try:
        model.to(device).eval()
        yield
    finally:
        model.to(home)
        for module, training in modes:
            module.training = training


def _category_names(weights: WeightsEnum, categories: Sequence[str] | None) -> list[str]:
    names = categories if categories is not None else weights.meta.get("categories")
    if not names:
        raise ValueError(
            f"{weights} name no categories, so they belong to no classifier; choose other weights, "
            "or give the names yourself: predict(..., categories=[...])."
        )
    return list(names)


def _as_list(images: Picture | Sequence[Picture]) -> list[Picture]:
    one = isinstance(images, Image.Image | str | os.PathLike | bytes)
    if one or (isinstance(images, torch.Tensor) and images.ndim == 3):
        return [images]
    try:
        return list(images)
    except TypeError:
        raise ValueError(
            f"Give one picture or a list of them (PIL image, path or uint8 tensor), not {type(images).__name__}."
        ) from None


def _readable(picture: Picture) -> Image.Image | torch.Tensor:
    """Check a tensor, open anything else: the preset would read (H, W, 3) as a picture with H channels."""
    if not isinstance(picture, torch.Tensor):
        return open_image(picture)
    if picture.dtype != torch.uint8 or picture.ndim != 3 or picture.shape[0] != 3:
        raise ValueError(
            f"A picture as a tensor must be torch.uint8 of shape (3, H, W), got {picture.dtype} of shape "
            f"{tuple(picture.shape)}. Give predict the raw picture: it does the preprocessing itself."
        )
    return picture


def _check_logits(logits: object, names: list[str]) -> None:
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        found = f"shape {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ValueError(f"predict needs a classifier that returns logits of shape (N, classes), got {found}.")
    if logits.shape[1] != len(names):
        raise ValueError(
            f"The model gives {logits.shape[1]} scores for a picture, but there are {len(names)} category names. "
            "Was the head replaced? Then say what its outputs mean: predict(..., categories=[...])."
        )
    if not logits.isfinite().all():
        raise ValueError(
            "The model's scores are not finite (NaN or infinity): its weights, or the pictures, are broken."
        )
