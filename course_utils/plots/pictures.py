"""Figures of pictures: in a grid, step by step, with the answers of a network, under a map of what it looked at."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from course_utils.grad_cam import brightest_place
from course_utils.images import to_rgb
from course_utils.inference import Prediction
from course_utils.plots.figure import GRAY, PALETTE, STYLE, WIDTH, as_percent, show

Shown = Image.Image | np.ndarray | torch.Tensor  # whatever is shown as a picture


def show_images(images: Sequence, titles: Sequence[str] | None = None, alt: str = "", *, columns: int = 5) -> None:
    """Show pictures in a grid: PIL images, arrays, or tensors of shape (3, H, W), each with an optional title.

    Floats that leave the range 0 to 1 (a normalised tensor) are stretched to fit it; all else is shown as it is.
    """
    images = list(images)
    if not images:
        raise ValueError("There is no picture to show.")
    titles = [""] * len(images) if titles is None else list(titles)
    if len(titles) != len(images):
        raise ValueError(f"There are {len(images)} pictures but {len(titles)} titles.")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    side = WIDTH / max(columns, 3)
    lines = max(title.count("\n") + 1 if title else 0 for title in titles)
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(side * columns, (side + 0.22 * lines) * rows), layout="constrained")
        axes = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes:
            ax.axis("off")
        for ax, image, title in zip(axes, images, titles, strict=False):
            _draw_image(ax, image)
            ax.set_title(title, fontsize=11 if columns <= 4 else 9)
        show(fig, alt)


def show_steps(steps: Mapping[str, Shown], alt: str) -> None:
    """Show what happens to a picture step by step, from left to right: name of the step -> picture after it.

    Below each stands its size in pixels, width × height; arrows lie in between.
    """
    if not steps:
        raise ValueError("There is no step to show.")
    gaps = len(steps) - 1
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, WIDTH / len(steps) + 0.6), layout="constrained")
        ratios = [1, 0.12] * gaps + [1]
        axes = fig.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
        for ax, (name, image) in zip(axes[::2], steps.items(), strict=True):
            pixels = _draw_image(ax, image)
            ax.set_title(name, fontsize=11)
            ax.set(xticks=[], yticks=[], xlabel=f"{pixels.shape[1]} × {pixels.shape[0]}")
            ax.spines[:].set_visible(False)
        for ax in axes[1::2]:
            ax.axis("off")
            ax.text(0.5, 0.5, "→", ha="center", va="center", fontsize=18, transform=ax.transAxes)
        show(fig, alt)


def show_predictions(image: Shown, predictions: Sequence[Prediction], alt: str, *, title: str = "") -> None:
    """Show a picture and beside it the answers of `predict` for it, as bars from 0 to 100 %, the best on top."""
    if not predictions:
        raise ValueError("There are no predictions to show.")
    if isinstance(predictions[0], Sequence):
        raise ValueError("These are the answers for several pictures; show them one at a time: predictions[0].")
    labels = [_shorten(prediction.label, 28) for prediction in predictions]
    values = [prediction.probability for prediction in predictions]
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, max(2.4, 0.42 * len(labels) + 0.8)), layout="constrained")
        left, right = fig.subplots(1, 2, width_ratios=[1, 1.6])
        _draw_image(left, image)
        left.axis("off")
        left.set_title(title)
        bars = right.barh(range(len(labels)), values, color=[PALETTE[0]] + [GRAY] * (len(labels) - 1))
        right.bar_label(bars, [f"{value:.1%}" if value >= 0.001 else "< 0.1%" for value in values], padding=4)
        right.set_yticks(range(len(labels)), labels)
        right.invert_yaxis()
        right.set(xlim=(0, 1.18), xticks=[0, 0.5, 1], xlabel="probability (softmax)")
        right.xaxis.set_major_formatter(as_percent)
        show(fig, alt)


def show_maps(images: Sequence, maps: torch.Tensor, titles: Sequence[str], alt: str) -> None:
    """Show each picture, and below it the same in grey under its map (h, w), bright where the map is high.

    ``maps`` (N, h, w) come from `occlusion_map` or `grad_cam`; each is drawn from 0 to its own highest value. Where
    each map is brightest is added to ``alt``. Raises ValueError unless each picture has a map and a title.
    """
    if not len(images) == len(maps) == len(titles) > 0:
        raise ValueError(f"{len(images)} pictures, {len(maps)} maps and {len(titles)} titles: each picture needs both.")
    side = 128  # px; a map has a few places only and is enlarged smoothly
    with plt.rc_context(STYLE):
        fig = Figure(figsize=(WIDTH, 0.3 + 2 * WIDTH / len(images)), layout="constrained")
        for column, (above, below) in enumerate(fig.subplots(2, len(images), squeeze=False).T):
            pixels = _pixels(images[column])
            pixels = (255 * pixels).astype(np.uint8) if pixels.dtype.kind == "f" else pixels
            image = Image.fromarray(pixels).convert("RGB").resize((side, side))
            cam = maps[column].detach().float().cpu()
            cam = torch.nn.functional.interpolate(cam[None, None], (side, side), mode="bilinear")[0, 0]
            above.imshow(image)
            above.set_title(titles[column])
            below.imshow(image.convert("L"), cmap="gray")
            below.imshow(cam, cmap="viridis", alpha=0.55, vmin=0, vmax=max(cam.max().item(), 1e-9))
            above.axis("off")
            below.axis("off")
        places = [f"{title}: {brightest_place(cam)}." for title, cam in zip(titles, maps, strict=True)]
        show(fig, " ".join([alt, *places]))


show_grad_cam = show_maps  # under this name it stands in notebooks that students hold


def _draw_image(ax: Axes, image: Shown) -> np.ndarray:
    pixels = _pixels(image)
    brightest = 255 if pixels.dtype.kind in "iu" else 1  # else matplotlib would stretch the contrast of gray pictures
    smooth = None if max(pixels.shape) >= 128 else "nearest"  # show small pictures as the squares that they are
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=brightest, interpolation=smooth)
    return pixels


def _pixels(image: Shown) -> np.ndarray:
    """Anything that is a picture as an array (H, W) or (H, W, 3) that matplotlib shows."""
    if isinstance(image, Image.Image):
        return np.asarray(image if image.mode == "L" else to_rgb(image))  # as the network sees it
    if isinstance(image, torch.Tensor):
        if image.ndim != 3 or image.shape[0] not in {1, 3}:
            raise ValueError(f"A tensor must have shape (3, H, W) or (1, H, W) to be shown, got {tuple(image.shape)}.")
        image = image.detach().cpu().permute(1, 2, 0).squeeze(2).numpy()
    array = np.asarray(image)
    if array.ndim not in {2, 3} or array.dtype == object:
        raise ValueError(f"Not a picture: {type(image).__name__}. Give a PIL image, an array or a tensor.")
    if array.dtype.kind == "f" and (array.min() < 0 or array.max() > 1):
        array = (array - array.min()) / max(float(array.max() - array.min()), 1e-12)
    return array


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
