"""500 small drawings of cats and dogs, some of them more than once: the pictures of ps3-fine-tuning.

Drawing them takes longer than everything else in that assignment, so they come as one picture, 20 by 20 of them:
`stickers.webp` beside this module. It holds the drawings of ``doodle_pets(400, seed=400, size=32)``, cats and dogs in
turn, saved with Pillow as WebP of quality 90.
"""

import io
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageEnhance

FILE = files("course_utils.grading") / "stickers.webp"
SIDE, COLUMNS, DRAWINGS = 32, 20, 400


class Stickers(NamedTuple):
    """Pictures of mode RGB, their labels (0 cat, 1 dog), and which drawing each of them shows."""

    images: list[Image.Image]
    labels: list[int]
    drawings: list[int]


def stickers(n: int = 500, copies: int = 100, seed: int = 0) -> Stickers:
    """Return n stickers in random order, of which ``copies`` show a drawing that another one shows as well.

    The same seed gives the same stickers. A copy is the drawing itself, saved as JPEG, enlarged, both, or lighter by
    4 %. Shrunk to 8 x 8 pixels, two copies differ by less than 10 of 255 on average, two drawings by more than 14.
    """
    if not 0 <= copies < n or n - copies > DRAWINGS:
        raise ValueError(f"There are {DRAWINGS} drawings, not enough for {n} stickers of which {copies} are copies.")
    rng = np.random.default_rng(seed)
    different = rng.permutation(DRAWINGS)[: n - copies]
    again = rng.choice(different, copies)
    shown = [(int(drawing), 0) for drawing in different]
    shown += [(int(drawing), int(rng.integers(len(WAYS)))) for drawing in again]
    shown = [shown[i] for i in rng.permutation(n)]
    images = [WAYS[way](_drawings()[drawing]) for drawing, way in shown]
    return Stickers(images, [drawing % 2 for drawing, _ in shown], [drawing for drawing, _ in shown])


@cache
def _drawings() -> list[Image.Image]:
    with FILE.open("rb") as stream:
        sheet = Image.open(stream).convert("RGB")
    corners = [(i % COLUMNS * SIDE, i // COLUMNS * SIDE) for i in range(DRAWINGS)]
    return [sheet.crop((x, y, x + SIDE, y + SIDE)) for x, y in corners]


def _as_jpeg(image: Image.Image) -> Image.Image:
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=80)
    return Image.open(stored).convert("RGB")


# How people save what they upload a second time; the first is how the drawing came.
WAYS = (
    Image.Image.copy,
    _as_jpeg,
    lambda image: image.resize((48, 48), Image.Resampling.BICUBIC),
    lambda image: _as_jpeg(image.resize((64, 64), Image.Resampling.BILINEAR)),
    lambda image: ImageEnhance.Brightness(image).enhance(1.04),
)
