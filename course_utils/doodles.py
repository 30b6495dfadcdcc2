"""Doodle pets: cats and dogs made of furry ellipsoids, lit, set before a background and photographed.

Photos of pets need a download; these take a few milliseconds each. An animal is a list of ellipsoids (`Part`).
`nearest_surface` finds which one is seen at each pixel, by one quadratic equation a part, as any ray tracer does;
`paint` covers it with fur and light. Then come a background, things in front, and the faults of a camera.

Coordinates: x to the right, y up, z towards the viewer; one unit is about half the width of a head.
All chance comes from one numpy Generator, so that the same seed gives the same picture.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

PINK, BLACK = np.float32([205, 135, 130]), np.float32([34, 30, 32])
FUR, NOSE, EYE, INNER_EAR, TONGUE, MOUTH = range(6)  # what can cover a part
HEAD, BODY = range(2)  # the two frames that parts belong to
Vector = np.ndarray | tuple[float, float, float]


class Part(NamedTuple):
    """One ellipsoid: center (3,), radii (3,), axes (3, 3) with its directions as columns, and its looks."""

    center: np.ndarray
    radii: np.ndarray
    axes: np.ndarray
    cover: int = FUR
    tone: float = 0.0  # of fur: towards +1 where light markings may be (chest, paws), -1 for dark ones (ears, tail)
    frame: int = HEAD


class Frame(NamedTuple):
    """Where a head or a body stands: a point p of it is at `turn @ (size * p) + at`."""

    turn: np.ndarray
    at: np.ndarray
    size: float = 1.0


class View(NamedTuple):
    """How the scene is seen: rotation, pixels a unit, pixel (x, y) of the point (0, 0, 0), pixels a side."""

    turn: np.ndarray
    scale: float
    origin: np.ndarray
    side: int


class Breed(NamedTuple):
    """What animals of a breed share. Colors are RGB in 0..255; the rest are factors around 1 or shares in 0..1."""

    main: tuple[int, int, int]
    second: tuple[int, int, int]  # color of the pattern
    pattern: str  # "plain", "stripes", "patches", "spots" or "saddle" (a darker back)
    ears: str | float  # dogs: "hanging", "folded" or "upright"; cats: size
    muzzle: float = 1.0  # length
    fluff: float = 0.5  # length of the hair
    light: float = 0.0  # how light chest, paws and muzzle are
    points: float = 0.0  # how dark ears and tail are


CATS = (
    Breed((150, 122, 92), (70, 54, 40), "stripes", 1.0, light=0.6),  # brown tabby
    Breed((146, 142, 134), (62, 60, 58), "stripes", 1.0, light=0.5),  # gray tabby
    Breed((204, 146, 84), (158, 92, 40), "stripes", 1.0, light=0.7),  # ginger tabby
    Breed((176, 160, 136), (78, 66, 54), "spots", 1.25, light=0.2),  # Egyptian mau
    Breed((44, 42, 44), (26, 25, 27), "plain", 1.0),  # black
    Breed((46, 44, 46), (30, 28, 30), "plain", 1.0, light=1.0),  # black and white
    Breed((232, 226, 216), (206, 198, 184), "plain", 0.75, muzzle=0.6, fluff=1.0),  # Persian
    Breed((128, 134, 146), (104, 110, 122), "plain", 1.0),  # blue
    Breed((222, 206, 182), (196, 176, 148), "plain", 1.3, points=0.9),  # Siamese
    Breed((234, 226, 214), (188, 112, 50), "patches", 1.0),  # white and ginger
    Breed((96, 74, 56), (40, 34, 32), "patches", 0.9, light=0.8, fluff=0.8),  # tortoiseshell
)
DOGS = (
    Breed((216, 178, 124), (190, 148, 92), "plain", "hanging", fluff=0.8, light=0.2),  # golden retriever
    Breed((226, 204, 166), (208, 182, 140), "plain", "hanging", points=0.15),  # yellow Labrador
    Breed((46, 43, 42), (30, 28, 28), "plain", "hanging"),  # black Labrador
    Breed((108, 74, 52), (84, 56, 38), "plain", "hanging"),  # chocolate Labrador
    Breed((184, 138, 86), (42, 36, 34), "saddle", "upright", muzzle=1.3, points=0.6),  # German shepherd
    Breed((228, 222, 214), (206, 198, 188), "plain", "hanging", fluff=1.3),  # white poodle
    Breed((188, 134, 76), (96, 98, 106), "saddle", "folded", muzzle=0.7, fluff=1.1),  # Yorkshire terrier
    Breed((206, 158, 104), (180, 130, 80), "plain", "upright", muzzle=0.8, light=0.4),  # Chihuahua
    Breed((226, 216, 200), (140, 86, 46), "patches", "hanging", light=0.8, points=0.5),  # beagle
    Breed((236, 232, 226), (46, 43, 42), "spots", "folded", points=0.6),  # Dalmatian
    Breed((222, 222, 222), (92, 96, 104), "saddle", "upright", muzzle=1.1, fluff=0.8, light=0.8),  # husky
    Breed((232, 226, 214), (70, 54, 44), "patches", "folded", fluff=0.9),  # terrier
    Breed((58, 54, 54), (40, 38, 38), "plain", "folded", light=0.8, fluff=0.8),  # collie cross
    Breed((132, 116, 96), (62, 52, 44), "stripes", "folded", muzzle=0.85),  # brindle
)


# --- Building an animal ----------------------------------------------------------------------------------------


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Rotation matrix (3, 3) for angles in degrees: first roll (about z), then pitch (about x), then yaw (about y)."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.float32(turn @ nod @ tilt)


def vec(x: float, y: float, z: float) -> np.ndarray:
    return np.float32([x, y, z])


def ball(center: Vector, radii: Vector, cover: int = FUR, tone: float = 0.0) -> Part:
    """An ellipsoid whose axes are x, y and z."""
    return Part(np.float32(center), np.float32(radii), np.eye(3, dtype=np.float32), cover, tone)


def bone(start: Vector, end: Vector, thick: float, flat: float = 1.0, cover: int = FUR, tone: float = 0.0) -> Part:
    """A long ellipsoid from `start` to `end`, `thick` in radius; `flat` is its depth as a share of that."""
    start, end = np.float32(start), np.float32(end)
    length = np.linalg.norm(end - start)
    x, y, z = (end - start) / length
    x = x or 1e-6  # a bone that runs straight along z would leave its other axes open
    out = np.hypot(x, y)
    # The second axis runs along the bone, the first is level with the picture, the third is across both.
    axes = np.float32([[y / out, x, -x * z / out], [-x / out, y, -y * z / out], [0, z, out]])
    return Part((start + end) / 2, vec(thick, length / 2 + 0.3 * thick, flat * thick), axes, cover, tone)


def spike(start: Vector, end: Vector, thick: float, flat: float = 0.4, cover: int = FUR) -> list[Part]:
    """A pointed ear: balls from `start` to `end`, each smaller and nearer to the tip than the one before."""
    shrink = 0.72 ** np.arange(7, dtype=np.float32)
    return [ball(end + k * (start - end), k * thick * vec(1, 1, flat), cover, tone=-1) for k in shrink]


def cat_head(breed: Breed, rng: Generator) -> list[Part]:
    wide, short = rng.uniform(0.95, 1.08), 0.35 * (1 - breed.muzzle)
    eye, tall, lean = rng.uniform(0.18, 0.23), breed.ears * rng.uniform(0.75, 0.95), rng.uniform(0.05, 0.35)
    mask = 1 if breed.light >= breed.points else -1  # a light or a dark muzzle
    parts = [
        ball((0, 0, 0), (wide, 0.86, 0.85)),
        ball((0, -0.05, 0.6 - short), (0.24, 0.38, 0.3), tone=min(mask, 0)),
        ball((0, -0.56, 0.68 - short), (0.22, 0.15, 0.2), tone=mask),
        ball((0, -0.24, 0.96 - short), (0.115, 0.085, 0.08), NOSE),
    ]
    for side in (-1, 1):
        base = vec(side * 0.58, 0.6, -0.05)
        tip = base + vec(side * (0.06 + lean), tall, 0)
        parts += [
            ball((side * 0.42, -0.28, 0.22), (0.52, 0.42, 0.48), tone=0.4 * mask),
            ball((side * 0.17, -0.38, 0.79 - short), (0.25, 0.19, 0.2), tone=mask),
            ball((side * 0.4, 0.06, 0.7), (eye, eye * 0.92, 0.16), EYE),
            *spike(base, tip, 0.42),
            *spike(base + vec(0, 0, 0.12), tip + vec(0, -0.12, 0.04), 0.29, 0.4, INNER_EAR),
        ]
    return parts


def dog_head(breed: Breed, rng: Generator) -> list[Part]:
    long, thick = breed.muzzle * rng.uniform(0.85, 1.2), rng.uniform(0.95, 1.2)
    eye, drop = rng.uniform(0.12, 0.155), rng.uniform(0.8, 1.2)
    mask = 1 if breed.light >= breed.points else -1  # a light or a dark muzzle
    parts = [
        ball((0, 0, 0), (0.86, 0.84, 0.88)),
        ball((0, -0.2, 0.35), (0.62, 0.5, 0.6)),
        ball((0, -0.28, 0.55 + 0.35 * long), (0.37 * thick, 0.31 * thick, 0.65 * long), tone=mask),
        ball((0, -0.52, 0.5 + 0.28 * long), (0.3 * thick, 0.2, 0.55 * long), tone=mask),
        ball((0, -0.15, 0.56 + 0.95 * long), (0.22, 0.16, 0.14), NOSE),
    ]
    if rng.random() < 0.45:  # panting
        parts.append(ball((0, -0.62, 0.55 + 0.5 * long), (0.25, 0.1, 0.3), MOUTH))
        parts.append(ball((0.03, -0.82, 0.6 + 0.66 * long), (0.16, 0.3, 0.07), TONGUE))
    for side in (-1, 1):
        parts.append(ball((side * 0.36, 0.14, 0.76), (eye, eye, 0.12), EYE))
        if breed.ears == "hanging":
            parts.append(bone((side * 0.64, 0.6, 0.05), (side * 1.0, 0.05, 0.08), 0.27, 0.6, tone=-1))
            parts.append(bone((side * 0.95, 0.3, 0.08), (side * 1.03, -0.75 * drop, 0.15), 0.34, 0.5, tone=-1))
        elif breed.ears == "folded":
            parts.append(bone((side * 0.5, 0.55, 0), (side * 0.9, 1.0, 0.05), 0.3, 0.5, tone=-1))
            parts.append(bone((side * 0.82, 1.0, 0.08), (side * 1.1, 0.45 * drop, 0.28), 0.24, 0.5, tone=-1))
        else:
            base, tip = vec(side * 0.46, 0.55, -0.05), vec(side * 0.62, 1.5 * drop, -0.05)
            parts += spike(base, tip, 0.36)
            parts += spike(base + vec(0, 0.1, 0.12), tip + vec(0, -0.15, 0.04), 0.24, 0.4, INNER_EAR)
    return parts


def body(species: str, pose: str, rng: Generator) -> tuple[list[Part], np.ndarray]:
    """The parts of a body that looks towards z, its chest at (0, 0, 0), and where its head goes."""
    cat, thick = species == "cat", rng.uniform(0.85, 1.15)
    chest, hips, leg = (vec(0.85, 0.85, 0.25) if cat else vec(1.05, 0.85, 0.32)) * thick
    height, long = rng.uniform(1.9, 2.3) if cat else rng.uniform(2.2, 3.0), rng.uniform(2.4, 3.1)
    parts = []
    if pose == "standing":
        hip, head = vec(0, 0, -long), vec(0, 1.0, 1.15) if cat else vec(0, 1.5, 1.0)
        for side in (-1, 1):
            for root, bend in ((vec(0, 0, 0), 0), (hip, 0.15)):
                knee, foot = root + vec(side * 0.5, -0.5 * height, -bend), root + vec(side * 0.5, 0.15 - height, 0)
                parts.append(bone(root + vec(side * 0.42, 0, 0), knee, leg * 1.7))
                parts.append(bone(knee + vec(0, 0.3, 0), foot, leg, tone=0.5))
                parts.append(ball(foot + vec(0, 0, 0.14), (leg * 1.15, 0.18, leg * 1.5), tone=1))
    elif pose == "sitting":
        hip, head = vec(0, 0.85 - height, -1.5), vec(0, 1.15 if cat else 1.45, 0.45)
        for side in (-1, 1):
            foot = vec(side * 0.34, 0.15 - height, 0.3)
            parts.append(ball((side * 0.62, 0.75 - height, -1.1), (0.5, 0.75, 0.85)))
            parts.append(ball((side * 0.75, 0.2 - height, -0.4), (0.28, 0.2, 0.5), tone=1))
            parts.append(bone((side * 0.4, 0, 0.1), foot + vec(0, 0.7, 0), leg * 1.5))
            parts.append(bone((side * 0.36, -0.9, 0.15), foot, leg, tone=0.5))
            parts.append(ball(foot + vec(0, 0, 0.15), (leg * 1.15, 0.18, leg * 1.5), tone=1))
    else:  # lying
        height = 0.85
        hip, head = vec(0, -0.05, -long), vec(0, 0.8 if cat else 1.0, 0.75)
        for side in (-1, 1):
            parts.append(ball((side * 0.68, -0.25, 0.2 - long), (0.45, 0.6, 0.8)))
            parts.append(bone((side * 0.5, -0.5, 0.1), (side * 0.45, -0.65, 1.6), leg * 1.2, tone=0.4))
            parts.append(ball((side * 0.45, -0.65, 1.6), (leg * 1.15, 0.2, leg * 1.3), tone=1))
    for t in np.linspace(0, 1, 5):
        r = (chest * (1 - t) + hips * t) * (1 - (0 if cat else 0.16) * np.sin(np.pi * t))  # dogs have a waist
        parts.append(ball(t * hip, (r * 0.85, r, r)))
    parts.append(ball((0, -0.15, 0.3), (chest * 0.7, chest * 0.85, chest * 0.75), tone=1))
    parts.append(bone((0, -0.2, 0), head + vec(0, 0.1, -0.25), 0.68 if cat else 0.75))
    # The tail starts along the spine and curls.
    curl, rise = rng.uniform(-1, 1), 0 if pose == "lying" else rng.uniform(-0.6, 1.4)
    at = hip + hip / np.linalg.norm(hip) * hips * 0.8
    way = vec(0, 0.1, -1) if pose == "standing" else vec(curl, 0, -0.6)
    for k in range(8):
        end = at + 0.36 * way / np.linalg.norm(way)
        end[1] = max(end[1], 0.15 - height)
        parts.append(bone(at, end, (0.17 if cat else 0.25) * (1 - 0.06 * k), tone=-0.7))
        at, way = end, way + vec(0.2 * curl, 0.26 * rise, 0)
    return [part._replace(frame=BODY) for part in parts], head


def place(parts: list[Part], frame: Frame) -> list[Part]:
    """The parts of a head or a body, moved to where it stands."""
    return [
        p._replace(
            center=frame.turn @ (frame.size * p.center) + frame.at, radii=frame.size * p.radii, axes=frame.turn @ p.axes
        )
        for p in parts
    ]


# --- Fur and light ---------------------------------------------------------------------------------------------


class Looks(NamedTuple):
    """Colors (3,) in 0..255 and other chance that one animal and its light have."""

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
    tint: np.ndarray  # color of the light, about 1


def make_looks(species: str, breed: Breed, coat: Breed, rng: Generator) -> Looks:
    """`coat` gives the colors and pattern; it is another breed's than `breed` for a mongrel."""
    cat = species == "cat"
    irises = ((190, 170, 60), (130, 165, 70), (200, 130, 40), (110, 160, 200)) if cat else ((84, 52, 28), (50, 34, 24))
    sun = vec(rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rng.uniform(0.3, 1.2))
    bright = rng.uniform(0.88, 1.12)
    shades = bright * (1 + 0.05 * rng.standard_normal((2, 3), np.float32))
    main, second = np.clip(shades * np.float32([coat.main, coat.second]), 10, 245)
    return Looks(
        breed=coat._replace(ears=breed.ears, muzzle=breed.muzzle, fluff=breed.fluff),
        main=main,
        second=second,
        nose=PINK * 0.9 if rng.random() < (0.6 if cat else 0.05) else BLACK,
        inner_ear=main + (0.5 if cat else 0.25) * (PINK - main),
        iris=np.float32(irises[rng.integers(len(irises))]),
        pupil=rng.uniform(0.18, 0.6) if cat else 0.6,
        waves=1.6 * rng.standard_normal((6, 3), np.float32),
        phases=2 * np.pi * rng.random(6, np.float32),
        grain=rng.uniform(6, 9),
        hair=rng.uniform(0.05, 0.13),
        sun=sun / np.linalg.norm(sun),
        ambient=rng.uniform(0.4, 0.8),
        tint=np.float32([1.08, 1.0, 0.9]) ** rng.uniform(-1, 1.3) * rng.uniform(0.95, 1.3),
    )


def fur_color(points: np.ndarray, tone: np.ndarray, head: np.ndarray, looks: Looks) -> np.ndarray:
    """Colors (N, 3) of fur at points (N, 3) of the animal's own head or body (head (N,) says which)."""
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
    return (color + light * (np.float32([236, 230, 220]) - color)) * (1 - 0.75 * dark)


def noise(rng: Generator, height: int, width: int, cell_y: float, cell_x: float) -> np.ndarray:
    """Smooth noise (height, width) around 0 with deviations of about 1; the cells are its grain in pixels."""
    shape = max(2, round(height / cell_y)), max(2, round(width / cell_x))
    small = Image.fromarray(rng.standard_normal(shape, np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def blur(values: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of an array (H, W) or (H, W, 3) of values within 0..1, in 8 bits: enough for light and shade."""
    image = Image.fromarray((values * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(radius)))).astype(np.float32) / 255


def nearest_surface(parts: list[Part], view: View) -> tuple[np.ndarray, ...]:
    """Finds the N pixels that show a part, and what they show.

    Returns their positions (N,) in the flattened picture, the numbers (N,) of the parts, the points (N, 3) seen, in
    the camera's coordinates, the normals (N, 3) there, and the places (N, 3) on the parts as if those were unit balls.
    """
    side, scale = view.side, view.scale
    radii = np.array([p.radii for p in parts])[:, None]
    centers = np.array([p.center for p in parts]) @ view.turn.T
    axes = view.turn @ np.array([p.axes for p in parts])
    shapes = (axes / radii**2) @ axes.transpose(0, 2, 1)  # the surface is where (p - center)' shape (p - center) = 1
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
    """Draws the parts: (H, W, 4) with red, green, blue and opacity in 0..255."""
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
    # Fur has no sharp outline: a pixel takes the color of a neighbour that noise chooses, but not near eyes and nose.
    fuzz = (flags[..., 2] < 0.15) * np.float32(scale * rng.uniform(0.02, 0.05) * looks.breed.fluff)
    ruler = np.arange(side, dtype=np.float32)
    rows = np.clip(ruler[:, None] + fuzz * hairs, 0, side - 1).astype(int)
    columns = np.clip(ruler + fuzz * locks, 0, side - 1).astype(int)
    return picture[rows * side + columns]


# --- The scene -------------------------------------------------------------------------------------------------


def random_color(rng: Generator, low: float = 30, high: float = 220, strength: float = 0.35) -> np.ndarray:
    """A color (3,) as things at home have it: mostly gray, with some strength of hue."""
    return strength * rng.uniform(low, high, 3) + (1 - strength) * rng.uniform(low, high)


def ink(color: np.ndarray | tuple[int, int, int], factor: float = 1.0) -> tuple[int, ...]:
    """A color as Pillow wants it: whole numbers in 0..255."""
    return tuple(int(v) for v in np.clip(np.asarray(color) * factor, 0, 255))


def background(rng: Generator, side: int, horizon: float) -> Image.Image:
    """A place to be, out of focus: outdoors or a room, with things in it. horizon: in 0..1 from the top."""
    kind = rng.choice(["lawn", "room", "cloth", "sand", "snow"], p=[0.27, 0.33, 0.25, 0.1, 0.05])
    outdoors = kind in ("lawn", "sand", "snow")
    near, rough = {
        "lawn": (np.array([98, 118, 66]) * rng.uniform(0.6, 1.4), 0.22),
        "room": (np.array([150, 115, 85]) * rng.uniform(0.5, 1.4), 0.04),
        "cloth": (random_color(rng), 0.08),
        "sand": (np.array([190, 165, 125]) * rng.uniform(0.7, 1.2), 0.1),
        "snow": (np.array([225, 230, 240]) * rng.uniform(0.75, 1.05), 0.03),
    }[kind]
    far = random_color(rng)
    if outdoors:
        far = np.array([(150, 185, 225), (90, 115, 75), (120, 110, 100)][rng.integers(3)]) * rng.uniform(0.7, 1.2)
    edge = np.clip((np.arange(side)[:, None] / side - horizon) * (12 if outdoors else 30) + 0.5, 0, 1)
    texture = 0.12 * noise(rng, side, side, side / 3, side / 3) + 0.08 * noise(rng, side, side, side / 9, side / 9)
    texture = texture + rough * edge * noise(rng, side, side, 3, 1)
    picture = (far + edge[..., None] * (near - far)) * (1 + texture[..., None])
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))

    draw = ImageDraw.Draw(image)
    if kind == "room" and rng.random() < 0.5:  # floor boards
        for x in np.linspace(-1, 2, 14) * side:
            draw.line([(x, side), (0.3 * side + 0.4 * x, side * horizon)], fill=ink(near, 0.75))
    for _ in range(rng.integers(0, 7)):
        clutter(draw, rng, side, horizon)
    return image.filter(ImageFilter.GaussianBlur(float(side * rng.uniform(0.004, 0.03))))


def clutter(draw: ImageDraw.ImageDraw, rng: Generator, side: int, horizon: float) -> None:
    """Something that stands about: a box, a ball, a trunk, a bush, or a picture on the wall."""
    color, kind = random_color(rng, 20, 235, 0.4), rng.integers(5)
    x, w, h = rng.uniform([-0.1, 0.08, 0.08], [1, 0.4, 0.5]) * side
    floor = side * min(1.0, horizon + rng.uniform(0, 0.3))
    if kind == 0:
        draw.rectangle([x, floor - h, x + w, floor], fill=ink(color))
        draw.rectangle([x + w * 0.7, floor - h, x + w, floor], fill=ink(color, 0.6))
    elif kind == 1:
        draw.ellipse([x, floor - w, x + w, floor], fill=ink(color, 0.6))
        draw.ellipse([x, floor - w, x + w * 0.85, floor - w * 0.15], fill=ink(color))
    elif kind == 2:
        draw.polygon([(x, 0), (x + w * 0.4, 0), (x + w * 0.5, floor), (x - w * 0.1, floor)], fill=ink(color))
    elif kind == 3:
        for px, py, shade in rng.uniform([x - 0.5 * w, floor - h, 0.7], [x + 0.5 * w, floor, 1.3], (9, 3)):
            draw.ellipse([px, py, px + w * 0.4, py + w * 0.5], fill=ink((70, 100, 58), shade))
    else:
        top = rng.uniform(0, horizon) * side
        draw.rectangle([x, top - h * 0.6, x + w, top], fill=ink(color), outline=ink(color, 0.6), width=2)


def foreground(image: Image.Image, rng: Generator) -> Image.Image:
    """Puts something in front of the animal, in one picture of three: grass, an edge, bars or a blurred leaf."""
    kind = rng.choice(["nothing", "grass", "edge", "bars", "leaf"], p=[0.67, 0.12, 0.1, 0.04, 0.07])
    if kind == "nothing":
        return image
    side = image.width
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    color = ink(random_color(rng))
    if kind == "grass":
        for x, lean, h, shade in rng.uniform([0, -0.1, 0.05, 0.6], [1, 0.1, 0.28, 1.5], (70, 4)):
            ends = [(x * side, side), ((x + lean) * side, side * (1 - h))]
            draw.line(ends, fill=ink((85, 108, 58), shade), width=side // 60)
    elif kind == "edge":
        left, right = rng.uniform(0.7, 0.95, 2) * side
        draw.polygon([(0, left), (side, right), (side, side), (0, side)], fill=color)
    elif kind == "bars":
        for x in np.arange(rng.uniform(0, 0.2), 1, rng.uniform(0.22, 0.35)) * side:
            draw.line([(x, 0), (x, side)], fill=color, width=side // 40)
    else:
        x, y, r = side * rng.integers(2), side * rng.uniform(0, 1), side * rng.uniform(0.12, 0.28)
        draw.ellipse([x - r, y - r * 0.6, x + r, y + r * 0.6], fill=ink((90, 112, 60), rng.uniform(0.5, 1.4)))
    layer = layer.filter(ImageFilter.GaussianBlur(float(side * rng.uniform(0.003, 0.012))))
    image.paste(layer, mask=layer)
    return image


def whiskers(image: Image.Image, head: Frame, view: View) -> None:
    """Draws three whiskers on each side of a cat's face that is in view."""
    draw = ImageDraw.Draw(image, "RGBA")
    for side in (-1, 1):
        if (view.turn @ head.turn @ [side * 0.5, 0, 1])[2] < 0.35:  # on the far side of the face
            continue
        for rise in (-0.3, -0.1, 0.1):
            curve = [[side * (0.25 + 0.9 * t), -0.36 + rise * t - 0.15 * t * t, 0.9 - 0.3 * t] for t in (0, 0.5, 1)]
            points = (np.array(curve) * head.size @ head.turn.T + head.at) @ view.turn.T
            pixels = view.origin + view.scale * points[:, :2] * [1, -1]
            draw.line([tuple(p) for p in pixels], fill=(240, 240, 235, 130), width=max(1, view.side // 200))


def camera(image: Image.Image, size: int, rng: Generator) -> Image.Image:
    """What a camera does to a scene: softness, fewer pixels, contrast, a color cast and noise."""
    softness = rng.uniform(0.2, 0.9) ** 2 * image.width / size
    image = image.filter(ImageFilter.GaussianBlur(float(softness))).resize((size, size), Image.Resampling.BOX)
    pixels = (np.asarray(image) / 255) ** rng.uniform(0.75, 1.3) * rng.uniform(0.94, 1.06, 3)
    pixels += rng.uniform(0, 0.02) * rng.standard_normal((size, size, 3))
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def pencil(image: Image.Image) -> Image.Image:
    """The picture as a drawing in coloured pencil: strokes where it is darker than around, a pale wash, paper."""
    gray = np.asarray(image.convert("L")) / 255
    strokes = np.clip(gray / np.maximum(blur(gray, image.width / 20), 0.05), 0, 1) ** 1.4
    wash = np.asarray(image.filter(ImageFilter.GaussianBlur(image.width / 64)))
    drawing = strokes[..., None] * (0.35 * wash + 0.65 * np.array([247, 242, 230]))
    return Image.fromarray(drawing.astype(np.uint8))


def draw_pet(species: str, size: int, style: str, rng: Generator) -> Image.Image:
    """One picture (RGB, size x size) of a "cat" or a "dog"; style: "plain" or "shifted" (a pencil drawing)."""
    breeds = CATS if species == "cat" else DOGS
    breed = breeds[rng.integers(len(breeds))]
    coats = (breed,) if rng.random() < 0.65 else CATS + DOGS  # a third wears the coat of any cat or dog
    looks = make_looks(species, breed, coats[rng.integers(len(coats))], rng)
    pose = rng.choice(["standing", "sitting", "lying"], p=[0.38, 0.37, 0.25])
    shot = rng.choice(["head", "bust", "whole"], p=[0.54, 0.28, 0.18])

    torso, neck = body(species, pose, rng)
    face = (cat_head if species == "cat" else dog_head)(looks.breed, rng)
    body_yaw = rng.uniform(-90, 90) if shot == "whole" else rng.uniform(-60, 60)
    head_yaw = np.clip(body_yaw * rng.uniform(0, 0.8) + rng.normal(0, 12), -75, 75)
    size_of_head = rng.uniform(1.1, 1.4) if shot == "whole" else rng.uniform(1.0, 1.2)
    body_frame = Frame(rotation(body_yaw), vec(0, 0, 0))
    head_frame = Frame(rotation(head_yaw, rng.normal(5, 9), rng.normal(0, 9)), body_frame.turn @ neck, size_of_head)
    face, torso = place(face, head_frame), place(torso, body_frame)

    turn = rotation(0, rng.uniform(-2, 22), rng.normal(0, 4))
    centers = np.array([turn @ p.center for p in (face + torso if shot == "whole" else face)])[:, :2]
    low, high = centers.min(axis=0), centers.max(axis=0)
    if shot == "bust":
        low = low - [0.4, 1.6]
    oversampling = 2 if size < 128 else 1  # small pictures are drawn larger and shrunk, so that edges are smooth
    side = size * oversampling
    scale = side * rng.uniform(0.85, 1.15) / float(max(high - low) + 0.8)
    origin = np.float32(side * (0.5 + rng.normal(0, 0.05, 2)) + scale * (low + high) / 2 * (-1, 1))
    view = View(turn, scale, origin, side)
    animal = paint(face + torso, (head_frame, body_frame), view, looks, rng)
    opacity = animal[..., 3] / 255

    horizon = np.clip((origin[1] + scale) / side - rng.uniform(0.1, 0.5), 0.1, 0.9)
    backdrop = background(rng, size, horizon).resize((side, side), Image.Resampling.BICUBIC)
    scene = np.asarray(backdrop) * looks.tint
    shadow = np.roll(opacity, (side // 32, int(-looks.sun[0] * side / 20)), (0, 1))
    scene *= 1 - 0.45 * blur(shadow, side / 32)[..., None]
    scene += blur(opacity, 0.6)[..., None] * (animal[..., :3] - scene)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    if species == "cat":
        whiskers(image, head_frame, view)
    image = camera(foreground(image, rng), size, rng)
    return pencil(image) if style == "shifted" else image
