"""What a doodle pet is made of: a list of ellipsoids (`Part`) for a head and a body, by species, breed and pose."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike


def floats(values: ArrayLike) -> np.ndarray:
    """Return an array of 32-bit floats, plenty for a picture."""
    return np.asarray(values, np.float32)


PINK, BLACK = floats([205, 135, 130]), floats([34, 30, 32])
FUR, NOSE, EYE, INNER_EAR, TONGUE, MOUTH = range(6)  # what can cover a part
HEAD, BODY = range(2)  # the two frames that parts belong to
Vector = np.ndarray | tuple[float, float, float]


class Part(NamedTuple):
    """One ellipsoid: centre (3,), radii (3,), axes (3, 3) with its directions as columns, and its looks."""

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


class Breed(NamedTuple):
    """What animals of a breed share. Colours are RGB in 0..255; the rest are factors around 1 or shares in 0..1."""

    main: tuple[int, int, int]
    second: tuple[int, int, int]  # colour of the pattern
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


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Return the rotation matrix (3, 3) for angles in degrees: roll (about z), then pitch (x), then yaw (y)."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return floats(turn @ nod @ tilt)


def vec(x: float, y: float, z: float) -> np.ndarray:
    """Return the vector (3,)."""
    return floats([x, y, z])


def ball(center: Vector, radii: Vector, cover: int = FUR, tone: float = 0.0) -> Part:
    """Return an ellipsoid whose axes are x, y and z."""
    return Part(floats(center), floats(radii), np.eye(3, dtype=np.float32), cover, tone)


def bone(start: Vector, end: Vector, thick: float, flat: float = 1.0, cover: int = FUR, tone: float = 0.0) -> Part:
    """Return a long ellipsoid from `start` to `end`, `thick` in radius; `flat` is its depth as a share of that."""
    first, last = floats(start), floats(end)
    length = float(np.linalg.norm(last - first))
    x, y, z = (last - first) / length
    x = x or 1e-6  # a bone that runs straight along z would leave its other axes open
    out = np.hypot(x, y)
    # The second axis runs along the bone, the first is level with the picture, the third is across both.
    axes = floats([[y / out, x, -x * z / out], [-x / out, y, -y * z / out], [0, z, out]])
    return Part((first + last) / 2, vec(thick, length / 2 + 0.3 * thick, flat * thick), axes, cover, tone)


def spike(start: Vector, end: Vector, thick: float, flat: float = 0.4, cover: int = FUR) -> list[Part]:
    """Return a pointed ear: balls from `start` to `end`, each smaller and nearer to the tip than the one before."""
    shrink = 0.72 ** np.arange(7, dtype=np.float32)
    first, last = floats(start), floats(end)
    return [ball(last + k * (first - last), k * thick * vec(1, 1, flat), cover, tone=-1) for k in shrink]


def cat_head(breed: Breed, rng: Generator) -> list[Part]:
    """Return the parts of a cat's head that looks towards z, its middle at (0, 0, 0)."""
    wide, short = rng.uniform(0.95, 1.08), 0.35 * (1 - breed.muzzle)
    eye, tall, lean = rng.uniform(0.18, 0.23), float(breed.ears) * rng.uniform(0.75, 0.95), rng.uniform(0.05, 0.35)
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
    """Return the parts of a dog's head that looks towards z, its middle at (0, 0, 0)."""
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
    """Return the parts of a body that looks towards z, its chest at (0, 0, 0), and where its head goes."""
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
    """Return the parts of a head or a body, moved to where it stands."""
    return [
        p._replace(
            center=frame.turn @ (frame.size * p.center) + frame.at, radii=frame.size * p.radii, axes=frame.turn @ p.axes
        )
        for p in parts
    ]
