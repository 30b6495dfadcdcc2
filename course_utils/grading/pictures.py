"""Pictures for test cells, drawn by arithmetic: the same on every machine, in every colour mode."""

import numpy as np
from PIL import Image


def picture(width: int, height: int) -> Image.Image:
    """Return an RGB picture in which no two corners, rows or colours are alike, so that each mistake shows."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    grain = np.random.default_rng(width * 10_000 + height).normal(0, 0.08, (height, width, 3))
    red, green, blue = x, y, 0.5 + 0.4 * np.sin(9 * x + 5 * y)
    return Image.fromarray(((np.stack([red, green, blue], axis=-1) + grain).clip(0, 1) * 255).astype(np.uint8))


def gray16(width: int, height: int) -> Image.Image:
    """Return a gray picture with 16 bits a pixel (mode "I;16"), black at the left and white at the right."""
    row = np.linspace(0, 65535, width).round().astype(np.uint16)
    return Image.fromarray(np.tile(row, (height, 1)))


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    """Return by how much the two pictures differ at most, in steps of 0 to 255."""
    return int(np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max())
