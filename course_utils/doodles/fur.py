"""Fur and light: which ellipsoid is seen at each pixel, and what colour it has there.

`nearest_surface` solves one quadratic equation a part, as any ray tracer does; `paint` covers what it finds with fur.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from course_utils.doodles.anatomy import (
    BLACK,
    BODY,
    EYE,
    FUR,
    HEAD,
    INNER_EAR,
    MOUTH,
    NOSE,
    PINK,
    TONGUE,
    Breed,
    Frame,
    Part,
    floats,
    vec,
)


class View(NamedTuple):
    """How the scene is seen: rotation, pixels a unit, pixel (x, y) of the point (0, 0, 0), pixels a side."""

    turn: np.ndarray
    scale: float
    origin: np.ndarray
    side: int


class Looks(NamedTuple):
    """Colours (3,) in 0..255 and other chance that one animal and its light have."""

    breed: Breed
    main: np.ndarray
    second: np.ndarray
    nose: np.ndarray
    inner_ear: np.ndarray
    iris: np.ndarray
    pupil: float  # width of the pupil, as a share of the eye
    waves: np.ndarray  # (6, 3) and phases (6,): a smooth random function of place that shapes the pattern
    phases: np.ndarray
    grain: float  # stripes or spots a unit
    hair: float  # contrast of single hairs
    sun: np.ndarray  # unit vector towards the light
    ambient: float  # share of light that comes from everywhere
    tint: np.ndarray  # colour of the light, about 1


def make_looks(species: str, breed: Breed, coat: Breed, rng: Generator) -> Looks:
    """Return how one animal looks; `coat`, another breed than `breed` for a mongrel, gives colours and pattern."""
    cat = species == "cat"
    irises = ((190, 170, 60), (130, 165, 70), (200, 130, 40), (110, 160, 200)) if cat else ((84, 52, 28), (50, 34, 24))
    sun = vec(rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rng.uniform(0.3, 1.2))
    bright = rng.uniform(0.88, 1.12)
    shades = bright * (1 + 0.05 * rng.standard_normal((2, 3), np.float32))
    main, second = np.clip(shades * floats([coat.main, coat.second]), 10, 245)
    return Looks(
        breed=coat._replace(ears=breed.ears, muzzle=breed.muzzle, fluff=breed.fluff),
        main=main,
        second=second,
        nose=PINK * 0.9 if rng.random() < (0.6 if cat else 0.05) else BLACK,
        inner_ear=main + (0.5 if cat else 0.25) * (PINK - main),
        iris=floats(irises[rng.integers(len(irises))]),
        pupil=rng.uniform(0.18, 0.6) if cat else 0.6,
        waves=1.6 * rng.standard_normal((6, 3), np.float32),
        phases=2 * np.pi * rng.random(6, np.float32),
        grain=rng.uniform(6, 9),
        hair=rng.uniform(0.05, 0.13),
        sun=sun / np.linalg.norm(sun),
        ambient=rng.uniform(0.4, 0.8),
        tint=floats([1.08, 1.0, 0.9]) ** rng.uniform(-1, 1.3) * rng.uniform(0.95, 1.3),
    )


def fur_color(points: np.ndarray, tone: np.ndarray, head: np.ndarray, looks: Looks) -> np.ndarray:
    """Return the colours (N, 3) of fur at points (N, 3) of the animal's own head or body (head (N,) says which)."""
    x, y, z = points.T
    blobs = np.sin(points @ looks.waves.T + looks.phases).mean(axis=1) * 2
    pattern = looks.breed.pattern
    if pattern == "stripes":  # around the body; on the head, up the forehead and along the cheeks
        along = np.where(head, 1.2 * np.abs(x) + 0.4 * y, z + 0.3 * y)
        amount = np.clip(0.3 + 0.9 * np.sin(looks.grain * along + 1.5 * blobs), 0, 1)
    elif pattern == "patches":
        amount = np.clip(blobs * 6 + 0.5, 0, 1)
    elif pattern == "spots":
        amount = np.clip(5 * np.sin(points * looks.grain * 0.8 + 2 * blobs[:, None]).prod(axis=1) - 1, 0, 1)
    elif pattern == "saddle":
        amount = np.clip(3 * (y - 0.25 + 0.3 * blobs), 0, 1)
    else:
        amount = 0.4 + 0.4 * blobs
    light = (looks.breed.light * np.clip(tone, 0, 1))[:, None]
    dark = (looks.breed.points * np.clip(-tone, 0, 1))[:, None]
    color = looks.main + amount[:, None] * (looks.second - looks.main)
    return (color + light * (floats([236, 230, 220]) - color)) * (1 - 0.75 * dark)


def noise(rng: Generator, height: int, width: int, cell_y: float, cell_x: float) -> np.ndarray:
    """Return smooth noise (height, width) around 0 with deviations of about 1; the cells are its grain in pixels."""
    shape = max(2, round(height / cell_y)), max(2, round(width / cell_x))
    small = Image.fromarray(rng.standard_normal(shape, np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def blur(values: np.ndarray, radius: float) -> np.ndarray:
    """Return the Gaussian blur of an array (H, W) or (H, W, 3) of values in 0..1, in 8 bits: enough for light."""
    image = Image.fromarray((values * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(radius)))).astype(np.float32) / 255


def nearest_surface(parts: list[Part], view: View) -> tuple[np.ndarray, ...]:
    """Find the N pixels that show a part, and what they show.

    Returns their positions (N,) in the flattened picture, the numbers (N,) of the parts, the points (N, 3) seen, in
    the camera's coordinates, the normals (N, 3) there, and the places (N, 3) on the parts as if those were unit balls.
    """
    side, scale = view.side, view.scale
    radii = np.array([p.radii for p in parts])[:, None]
    centers = np.array([p.center for p in parts]) @ view.turn.T
    axes = view.turn @ np.array([p.axes for p in parts])
    shapes = (axes / radii**2) @ axes.transpose(0, 2, 1)  # the surface is where (p - centre)' shape (p - centre) = 1
    reach = scale * np.sqrt(((axes * radii) ** 2).sum(axis=2))[:, :2]
    middle = view.origin + scale * centers[:, :2] * (1, -1)
    low = np.clip(middle - reach, 0, side).astype(int)
    high = np.clip(middle + reach + 2, 0, side).astype(int)
    ruler = np.arange(side, dtype=np.float32)
    right, up = (ruler - view.origin[0]) / scale, (view.origin[1] - ruler) / scale

    seen = np.full((side, side), -1)
    depth = np.full((side, side), -np.inf, np.float32)
    for k, ((x0, y0), (x1, y1)) in enumerate(zip(low, high, strict=True)):
        if x0 >= x1 or y0 >= y1:
            continue
        s, box = shapes[k], np.s_[y0:y1, x0:x1]
        x, y = right[x0:x1] - centers[k, 0], (up[y0:y1] - centers[k, 1])[:, None]
        b = s[0, 2] * x + s[1, 2] * y  # the equation for z: s22 z² + 2 b z + c = 0
        c = s[0, 0] * x**2 + (2 * s[0, 1] * x + s[1, 1] * y) * y - 1
        root = b * b - s[2, 2] * c
        z = (np.sqrt(np.maximum(root, 0)) - b) / s[2, 2] + centers[k, 2]
        nearer = (root > 0) & (z > depth[box])
        depth[box][nearer] = z[nearer]
        seen[box][nearer] = k

    pixels = np.flatnonzero(seen >= 0)
    k = seen.flat[pixels]
    points = np.stack([right[pixels % side], up[pixels // side], depth.flat[pixels]], axis=1)
    normals = np.einsum("nij,nj->ni", shapes[k], points - centers[k])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    places = np.einsum("nij,ni->nj", axes[k], points - centers[k]) / radii[k, 0]
    return pixels, k, points, normals, places


def paint(parts: list[Part], frames: tuple[Frame, Frame], view: View, looks: Looks, rng: Generator) -> np.ndarray:
    """Draw the parts: (H, W, 4) with red, green, blue and opacity in 0..255."""
    pixels, part, points, normals, places = nearest_surface(parts, view)
    side, scale = view.side, view.scale
    cover = np.array([p.cover for p in parts])[part]
    tone = np.array([p.tone for p in parts], np.float32)[part]
    head = np.array([p.frame == HEAD for p in parts])[part]
    furry = (cover == FUR) | (cover == INNER_EAR)

    # Balls should not show as balls: normals and tones are averaged over a neighbourhood, within the animal.
    grid = np.zeros((2, side * side, 3), np.float32)
    grid[0, pixels] = normals * 0.5 + 0.5
    grid[1, pixels] = np.stack([np.ones_like(tone), tone * 0.5 + 0.5, ~furry], axis=1)
    grid = grid.reshape(2, side, side, 3)
    flags = blur(grid[1], 0.07 * scale)
    inside, tone, _ = flags.reshape(-1, 3)[pixels].T
    inside = inside + 1e-3
    tone = tone / inside * 2 - 1
    soft = blur(grid[0], 0.1 * scale).reshape(-1, 3)[pixels] / inside[:, None] * 2 - 1
    normals[furry] = 0.35 * normals[furry] + 0.65 * soft[furry]

    own = points @ view.turn
    for which, frame in ((head, frames[HEAD]), (~head, frames[BODY])):
        own[which] = (own[which] - frame.at) @ frame.turn / frame.size
    hairs, locks = noise(rng, side, side, 5, 1.6), noise(rng, side, side, 8, 4)
    contrast = 1 + looks.hair * (hairs + locks).flat[pixels]
    color = fur_color(own, tone, head, looks) * contrast[:, None]
    color[cover == NOSE] = looks.nose
    color[cover == INNER_EAR] = looks.inner_ear
    color[cover == TONGUE] = (225, 110, 120)
    color[cover == MOUTH] = (70, 30, 32)
    u, v = places[:, 0], places[:, 1]
    eye = cover == EYE
    color[eye] = BLACK
    color[eye & (u**2 + v**2 < 0.8)] = looks.iris
    color[eye & ((u / looks.pupil) ** 2 + (v / 0.75) ** 2 < 1)] = (8, 8, 10)

    sunlight = np.clip((normals @ looks.sun + 0.35) / 1.35, 0, 1)
    skylight = 0.82 + 0.18 * normals[:, 1]
    shade = looks.ambient * skylight + (1 - looks.ambient) * 1.25 * sunlight
    shade[eye] = 0.5 + 0.5 * shade[eye]
    color = color * shade[:, None] * looks.tint
    color[eye & ((u - 0.25) ** 2 + (v - 0.35) ** 2 < 0.04)] = 225
    color[(cover == NOSE) & ((u + 0.1) ** 2 + (v - 0.45) ** 2 < 0.1)] += 60

    picture = np.zeros((side * side, 4), np.float32)
    picture[pixels, :3] = color
    picture[pixels, 3] = 255
    # Fur has no sharp outline: a pixel takes the colour of a neighbour that noise chooses, but not near eyes and nose.
    fuzz = (flags[..., 2] < 0.15) * floats(scale * rng.uniform(0.02, 0.05) * looks.breed.fluff)
    ruler = np.arange(side, dtype=np.float32)
    rows = np.clip(ruler[:, None] + fuzz * hairs, 0, side - 1).astype(int)
    columns = np.clip(ruler + fuzz * locks, 0, side - 1).astype(int)
    return picture[rows * side + columns]
