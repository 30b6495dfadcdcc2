"""Random crops, flips, mixup and CutMix for a whole batch at once, on any device.

A crop is four numbers, and cutting it out, resizing it and flipping it is one product of matrices:
rows @ picture @ columns. So thousands of pictures a second are augmented where they already are, on the GPU.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as in torchvision's own transforms


def random_boxes(count: int, min_area: float, generator: torch.Generator) -> Tensor:
    """Draw crops as ``(left, top, right, bottom)`` in 0..1, shape ``(count, 4)``; half have left and right swapped.

    The area is uniform in ``min_area``..1 and the aspect ratio log-uniform in 3/4..4/3.
    """
    u = torch.rand(count, 5, generator=generator)
    area = min_area + (1 - min_area) * u[:, 0]
    aspect = torch.exp(math.log(4 / 3) * (2 * u[:, 1] - 1))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    left, top = u[:, 2] * (1 - width), u[:, 3] * (1 - height)
    right, bottom = left + width, top + height
    flip = u[:, 4] < 0.5
    return torch.stack([torch.where(flip, right, left), top, torch.where(flip, left, right), bottom], 1)


def resize_matrix(start: Tensor, stop: Tensor, size_in: int, size_out: int) -> Tensor:
    """Return matrices ``(N, size_out, size_in)`` that resize one axis from ``start`` to ``stop`` (0..1).

    ``start`` above ``stop`` flips. Each row holds the weights of an antialiased bilinear (triangle) filter around one
    output pixel.
    """
    scale = (stop - start).abs()[:, None, None] * size_in / size_out
    steps = (torch.arange(size_out, device=start.device) + 0.5) / size_out
    centers = (start[:, None] + (stop - start)[:, None] * steps) * size_in
    pixels = torch.arange(size_in, device=start.device) + 0.5
    weights = (1 - (pixels - centers[:, :, None]).abs() / scale.clamp(min=1)).clamp(min=0)
    return weights / weights.sum(2, keepdim=True)


def crop_and_resize(images: Tensor, boxes: Tensor, px: int) -> Tensor:
    """Cut ``boxes`` ``(N, 4)`` out of ``images`` ``(N, 3, H, W)``: floats ``(N, 3, px, px)``, still in 0..255."""
    left, top, right, bottom = boxes.unbind(1)
    rows = resize_matrix(top, bottom, images.shape[2], px)
    columns = resize_matrix(left, right, images.shape[3], px)
    return rows[:, None] @ images.float() @ columns.transpose(1, 2)[:, None]


def normalize(images: Tensor) -> Tensor:
    """Turn 0..255 into the range that the network sees: ImageNet's mean and standard deviation become 0 and 1."""
    mean = torch.tensor(MEAN, device=images.device).view(3, 1, 1) * 255
    std = torch.tensor(STD, device=images.device).view(3, 1, 1) * 255
    return (images.float() - mean) / std


def mix(images: Tensor, share: float, center: tuple[float, float] | None) -> tuple[Tensor, float]:
    """Mix each picture with the one at the mirrored place of the batch: mixup, or CutMix around ``center`` (0..1).

    Returns the pictures and the share that each keeps of itself; the loss mixes the labels in the same way.
    Sources: Zhang et al. 2018 (mixup), Yun et al. 2019 (CutMix).
    """
    partners = images.flip(0)
    if center is None:
        return images.lerp(partners, 1 - share), share
    px, half = images.shape[-1], math.sqrt(1 - share) / 2
    (top, bottom), (left, right) = ((max(0, round((c - half) * px)), min(px, round((c + half) * px))) for c in center)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = partners[:, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / px**2


def draw_mixes(
    steps: int, mixup: float, cutmix: float, rng: np.random.Generator
) -> Iterator[tuple[float, tuple[float, float] | None]]:
    """Yield what `mix` needs for each of ``steps`` batches; a share of 1 mixes nothing.

    ``mixup`` and ``cutmix`` are the alphas of their Beta distributions, 0 is off; with both on, a coin decides.
    """
    for _ in range(steps):
        cut = cutmix > 0 and (mixup == 0 or rng.random() < 0.5)
        alpha = cutmix if cut else mixup
        share = float(rng.beta(alpha, alpha)) if alpha > 0 else 1.0
        yield share, tuple(rng.random(2).tolist()) if cut else None
