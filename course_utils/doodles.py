"""Doodle pets: cats and dogs made of fur-covered balls, lit, put before a background and photographed.

Real pictures of pets need a download; these need a few milliseconds each. An animal is a list of ellipsoids
(`Part`) in its own coordinates. `render` turns them to the camera, finds the nearest surface at each pixel (one
quadratic equation a part, as in any ray tracer), paints fur on it and lights it. Then come a background, things in
front, and the faults of a camera: blur, noise, colour cast.

Coordinates: x to the right, y up, z towards the viewer; one unit is about half the width of the head.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

OVERSAMPLING = 2  # drawn at twice the size and then shrunk, so that edges are smooth


class Part(NamedTuple):
    """One ellipsoid: centre (3,), radii (3,), axes (3, 3) whose columns are its directions, and what covers it."""

    center: np.ndarray
    radii: np.ndarray
    axes: np.ndarray
    cover: str = "fur"  # a key of COVERS
    tone: float = 0.0  # fur only: +1 where light markings go (chest, paws), -1 where dark ones go (ears, tail)
    on_head: bool = True


COVERS = {"fur": 0, "nose": 1, "eye": 2, "inner ear": 3, "tongue": 4, "mouth": 5}


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Rotation matrix (3, 3) for angles in degrees: first roll (about z), then pitch (about x), then yaw (about y)."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return turn @ nod @ tilt


def ball(x, y, z, rx, ry, rz, cover="fur", tone=0.0) -> Part:
    """An ellipsoid with radii along the axes."""
    return Part(np.array([x, y, z], float), np.array([rx, ry, rz], float), np.eye(3), cover, tone)


def bone(start, end, thick, flat=1.0, cover="fur", tone=0.0) -> Part:
    """A long ellipsoid from `start` to `end` of radius `thick`; `flat` squeezes it, roughly in z."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = np.linalg.norm(end - start)
    along = (end - start) / length
    across = np.cross(along, [0, 0.02, 1])
    across /= np.linalg.norm(across)
    axes = np.stack([across, along, np.cross(across, along)], axis=1)
    return Part((start + end) / 2, np.array([thick, length / 2 + 0.5 * thick * flat, thick * flat]), axes, cover, tone)


def limb(start, end, r0, r1, steps=4, flat=1.0, cover="fur", tone=0.0) -> list[Part]:
    """A row of balls from `start` to `end` whose radius goes from r0 to r1; `flat` squeezes them in z."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    return [
        ball(*(start + t * (end - start)), *(np.array([1, 1, flat]) * (r0 + t * (r1 - r0))), cover, tone)
        for t in np.linspace(0, 1, steps)
    ]


def cat_head(rng) -> list[Part]:
    wide = rng.uniform(0.92, 1.08)
    ear = rng.uniform(0.85, 1.2)
    lean = rng.uniform(0.05, 0.4)
    parts = [
        ball(0, 0, 0, wide, 0.86, 0.85),
        ball(0.42, -0.28, 0.22, 0.52, 0.42, 0.48),
        ball(-0.42, -0.28, 0.22, 0.52, 0.42, 0.48),
        ball(0, -0.05, 0.62, 0.24, 0.38, 0.3),
        ball(0.17, -0.38, 0.8, 0.25, 0.19, 0.2, tone=1),
        ball(-0.17, -0.38, 0.8, 0.25, 0.19, 0.2, tone=1),
        ball(0, -0.56, 0.68, 0.22, 0.15, 0.2, tone=1),
        ball(0, -0.24, 0.97, 0.115, 0.085, 0.08, "nose"),
    ]
    eye = rng.uniform(0.18, 0.23)
    for side in (-1, 1):
        parts.append(ball(side * 0.4, 0.06, 0.7, eye, eye * 0.92, 0.16, "eye"))
        base, tip = np.array([side * 0.58, 0.62, -0.05]), np.array([side * (0.62 + lean), 0.66 + 0.8 * ear, -0.05])
        parts += limb(base, tip, 0.42, 0.05, steps=7, flat=0.35, tone=-1)
        inner = np.array([0, 0, 0.1])
        parts.append(bone(base + inner, base + 0.85 * (tip - base) + inner, 0.21, 0.4, cover="inner ear"))
    return parts


def dog_head(rng) -> list[Part]:
    long = rng.uniform(0.75, 1.25)
    thick = rng.uniform(0.85, 1.15)
    parts = [
        ball(0, 0, 0, 0.86, 0.84, 0.88),
        ball(0, -0.2, 0.35, 0.62, 0.5, 0.6),
        ball(0, -0.3, 0.55 + 0.35 * long, 0.38 * thick, 0.32 * thick, 0.65 * long, tone=1),
        ball(0, -0.5, 0.5 + 0.28 * long, 0.3 * thick, 0.2, 0.55 * long, tone=1),
        ball(0, -0.17, 0.56 + 0.95 * long, 0.2, 0.15, 0.14, "nose"),
    ]
    if rng.random() < 0.4:
        parts.append(ball(0, -0.62, 0.55 + 0.5 * long, 0.25, 0.1, 0.3, "mouth"))
        parts.append(ball(0.03, -0.82, 0.6 + 0.66 * long, 0.16, 0.3, 0.07, "tongue"))
    eye = rng.uniform(0.12, 0.155)
    kind = rng.choice(["hanging", "folded", "upright"], p=[0.55, 0.25, 0.2])
    drop = rng.uniform(0.8, 1.25)
    for side in (-1, 1):
        parts.append(ball(side * 0.36, 0.14, 0.76, eye, eye, 0.12, "eye"))
        if kind == "hanging":
            parts.append(bone((side * 0.66, 0.55, 0.05), (side * 1.0, 0.05, 0.08), 0.27, 0.6, tone=-1))
            parts.append(bone((side * 0.96, 0.2, 0.08), (side * 1.02, -0.75 * drop, 0.15), 0.34, 0.5, tone=-1))
        elif kind == "folded":
            parts += limb((side * 0.6, 0.6, 0), (side * 0.9, 0.92, 0.05), 0.3, 0.2, 4, 0.5, tone=-1)
            parts += limb((side * 0.9, 0.92, 0.05), (side * 1.08, 0.4 * (2 - drop), 0.25), 0.22, 0.1, 5, 0.5, tone=-1)
        else:
            parts += limb((side * 0.5, 0.6, -0.05), (side * 0.68, 1.55 * drop, -0.05), 0.33, 0.07, 8, 0.4, tone=-1)
            parts.append(bone((side * 0.52, 0.7, 0.06), (side * 0.64, 1.25 * drop, 0.06), 0.18, 0.4, cover="inner ear"))
    return parts


def body(species: str, pose: str, rng) -> tuple[list[Part], np.ndarray]:
    """The parts of a body that faces +z, and where its head goes. The ground is at y = 0."""
    cat = species == "cat"
    thick = rng.uniform(0.85, 1.15)
    chest_r = (0.85 if cat else 1.0) * thick
    hip_r = (0.85 if cat else 0.82) * thick
    leg_r = (0.24 if cat else 0.3) * thick
    leg = rng.uniform(1.3, 1.7) if cat else rng.uniform(1.5, 2.4)
    long = rng.uniform(2.6, 3.3)
    parts = []
    if pose == "standing":
        chest, hip = np.array([0, leg + 0.7, 0]), np.array([0, leg + 0.72, -long])
        neck_up, neck_out = (0.75, 0.9) if cat else (1.25, 0.75)
        head = chest + [0, neck_up + 0.3, neck_out + 0.3]
        for side in (-1, 1):
            for root, back in ((chest, 0), (hip, 1)):
                knee = root + [side * 0.5, -0.5 - leg * 0.45, -0.15 * back]
                foot = np.array([side * 0.5, 0.15, root[2] + (-0.1 if back else 0.05)])
                parts.append(bone(root + [side * 0.42, -0.1, 0], knee, leg_r * 1.7))
                parts.append(bone(knee + [0, 0.2, 0], foot, leg_r, tone=0.5))
                parts.append(ball(*(foot + [0, 0, 0.14]), leg_r * 1.15, 0.18, leg_r * 1.5, tone=1))
    elif pose == "sitting":
        chest, hip = np.array([0, leg + 0.75, 0]), np.array([0, 0.85, -1.5])
        head = chest + [0, 1.15 if cat else 1.4, 0.45]
        for side in (-1, 1):
            parts.append(ball(side * 0.62, 0.75, -1.1, 0.5, 0.75, 0.85))
            parts.append(ball(side * 0.75, 0.2, -0.4, 0.28, 0.2, 0.5, tone=1))
            foot = np.array([side * 0.32, 0.15, 0.3])
            parts.append(bone(chest + [side * 0.38, 0, 0.1], foot + [0, 0.7, 0], leg_r * 1.5))
            parts.append(bone(chest + [side * 0.36, -0.9, 0.15], foot, leg_r, tone=0.5))
            parts.append(ball(*(foot + [0, 0, 0.15]), leg_r * 1.15, 0.18, leg_r * 1.5, tone=1))
    else:  # lying
        chest, hip = np.array([0, 0.85, 0]), np.array([0, 0.8, -long])
        head = chest + [0, 0.8 if cat else 1.0, 0.75]
        for side in (-1, 1):
            parts.append(ball(side * 0.68, 0.6, -long + 0.2, 0.45, 0.6, 0.8))
            parts.append(bone((side * 0.5, 0.35, 0.1), (side * 0.45, 0.2, 1.6), leg_r * 1.2, tone=0.4))
            parts.append(ball(side * 0.45, 0.2, 1.6, leg_r * 1.15, 0.2, leg_r * 1.3, tone=1))
    spine = (hip - chest) / np.linalg.norm(hip - chest)
    for t in np.linspace(0, 1, 6):
        waist = 1 - (0.0 if cat else 0.16) * np.sin(np.pi * t)
        r = (chest_r * (1 - t) + hip_r * t) * waist
        parts.append(ball(*(chest + t * (hip - chest)), r * 0.85, r, r))
    parts.append(ball(*(chest + [0, -0.15, 0.3]), chest_r * 0.7, chest_r * 0.85, chest_r * 0.75, tone=1))
    parts.append(bone(chest + [0, -0.2, 0], head + [0, 0.1, -0.25], 0.68 if cat else 0.72))
    # The tail: a curve that starts along the spine and bends up or down.
    bend, curl = (rng.uniform(-0.6, 1.3), rng.uniform(-1, 1)) if pose != "lying" else (0.0, rng.uniform(-1, 1))
    at, way = hip + spine * hip_r * 0.8, np.array([0, 0.1, -1.0]) if pose == "standing" else np.array([curl, 0, -0.6])
    for step in range(12):
        parts.append(ball(*at, *[(0.17 if cat else 0.24) * (1 - 0.035 * step)] * 3, tone=-0.7))
        way = way + [0.12 * curl, 0.16 * bend, 0]
        at = at + 0.22 * way / np.linalg.norm(way)
        at[1] = max(at[1], 0.15)
    return [part._replace(on_head=False) for part in parts], head


def place(parts: list[Part], turn: np.ndarray, shift) -> list[Part]:
    return [p._replace(center=turn @ p.center + shift, axes=turn @ p.axes) for p in parts]


# Fur: main color, second color (stripes, patches, spots). Cats and dogs draw from one list: color is no give-away.
FURS = [
    ((196, 132, 70), (142, 80, 34)),  # ginger
    ((128, 118, 106), (60, 54, 50)),  # gray tabby
    ((150, 118, 84), (74, 54, 38)),  # brown
    ((46, 44, 46), (24, 22, 24)),  # black
    ((226, 220, 210), (176, 164, 148)),  # white
    ((214, 180, 132), (168, 126, 80)),  # golden, cream
    ((104, 72, 50), (58, 38, 26)),  # chocolate
    ((132, 136, 144), (88, 92, 102)),  # blue gray
    ((228, 222, 214), (56, 50, 48)),  # white with dark patches
    ((222, 214, 204), (190, 116, 52)),  # white with ginger patches
]


def fur_color(points: np.ndarray, tone: np.ndarray, coat: dict) -> np.ndarray:
    """Color (N, 3) of the fur at points (N, 3) in the animal's own coordinates."""
    waves = np.sin(points @ coat["waves"].T + coat["phases"])  # (N, 6): cheap smooth noise in space
    blobs = waves.mean(axis=1) * 2
    if coat["pattern"] == "stripes":
        amount = 0.5 + 0.5 * np.sin(coat["frequency"] * points[:, 2] + 2 * blobs + 2 * points[:, 0])
        amount = np.clip(amount * 1.6 - 0.5, 0, 1)
    elif coat["pattern"] == "patches":
        amount = np.clip(blobs * 6 + 0.5, 0, 1)
    elif coat["pattern"] == "spots":
        spots = np.sin(points * coat["frequency"] + 2 * blobs[:, None]).prod(axis=1)
        amount = np.clip(spots * 5 - 1, 0, 1)
    else:
        amount = 0.25 + 0.25 * blobs
    color = coat["main"] + amount[:, None] * (coat["second"] - coat["main"])
    light = (coat["light"] * np.clip(tone, 0, 1))[:, None]
    dark = (coat["points"] * np.clip(-tone, 0, 1))[:, None]
    color = color + light * (np.array([236, 230, 220]) - color)
    return color * (1 - 0.75 * dark)


def make_coat(species: str, rng) -> dict:
    main, second = FURS[rng.integers(len(FURS))]
    patterns = ["plain", "stripes", "patches", "spots"]
    chances = [0.3, 0.45, 0.2, 0.05] if species == "cat" else [0.5, 0.1, 0.25, 0.15]
    return {
        "main": np.clip(np.array(main) * rng.uniform(0.85, 1.15) + rng.normal(0, 8, 3), 10, 245),
        "second": np.clip(np.array(second) * rng.uniform(0.85, 1.15) + rng.normal(0, 8, 3), 10, 245),
        "pattern": rng.choice(patterns, p=chances),
        "frequency": rng.uniform(5, 9),
        "waves": rng.normal(0, 1.6, (6, 3)),
        "phases": rng.uniform(0, 6.3, 6),
        "light": rng.choice([0.0, rng.uniform(0.3, 1)]),
        "points": rng.choice([0.0, rng.uniform(0.2, 1)], p=[0.6, 0.4]),
    }


def noise(rng, height: int, width: int, cell_y: float, cell_x: float) -> np.ndarray:
    """Smooth random field (height, width) around 0 with deviations of about 1; cells are its grain in pixels."""
    small = rng.normal(0, 1, (max(2, round(height / cell_y)), max(2, round(width / cell_x)))).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def blur(values: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of an array (H, W) or (H, W, 3) within 0..1 (8 bits are enough for shading)."""
    image = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(radius))), np.float32) / 255


def nearest_surface(parts: list[Part], scale: float, origin, side: int, view: np.ndarray):
    """For each pixel of a square: number of the part seen there (-1: none), its depth, normal and unit-ball position.

    scale: pixels a unit; origin: pixel of the point (0, 0, 0); view: rotation from model to camera.
    Returns arrays (H, W), (H, W), (H, W, 3), (H, W, 3).
    """
    radii = np.array([p.radii for p in parts], np.float32)
    centers = (np.array([p.center for p in parts]) @ view.T).astype(np.float32)
    axes = (view @ np.array([p.axes for p in parts])).astype(np.float32)
    # The surface is where (p - center)' shape (p - center) = 1.
    shapes = (axes / radii[:, None] ** 2) @ axes.transpose(0, 2, 1)
    reach = np.sqrt((axes**2 * radii[:, None] ** 2).sum(axis=2)) * scale
    middle = np.stack([origin[0] + scale * centers[:, 0], origin[1] - scale * centers[:, 1]], axis=1)
    low = np.clip(middle - reach[:, :2], 0, side).astype(int)
    high = np.clip(middle + reach[:, :2] + 2, 0, side).astype(int)
    right = ((np.arange(side) - origin[0]) / scale).astype(np.float32)
    up = ((origin[1] - np.arange(side)) / scale).astype(np.float32)

    seen = np.full((side, side), -1)
    depth = np.full((side, side), -1e9, np.float32)
    for k, ((x0, y0), (x1, y1)) in enumerate(zip(low, high, strict=True)):
        if x0 >= x1 or y0 >= y1:
            continue
        s = shapes[k]
        dx, dy = right[x0:x1] - centers[k, 0], (up[y0:y1] - centers[k, 1])[:, None]
        b = s[0, 2] * dx + s[1, 2] * dy
        c = s[0, 0] * dx**2 + (2 * s[0, 1] * dx + s[1, 1] * dy) * dy - 1
        inside = b * b - s[2, 2] * c
        z = (np.sqrt(np.maximum(inside, 0)) - b) / s[2, 2] + centers[k, 2]
        z[inside <= 0] = -1e9
        nearer = z > depth[y0:y1, x0:x1]
        depth[y0:y1, x0:x1][nearer] = z[nearer]
        seen[y0:y1, x0:x1][nearer] = k

    normal, local = np.zeros((2, side, side, 3), np.float32)
    ys, xs = np.nonzero(seen >= 0)
    k = seen[ys, xs]
    offset = np.stack([right[xs], up[ys], depth[ys, xs]], axis=1) - centers[k]
    n = np.einsum("nij,nj->ni", shapes[k], offset)
    normal[ys, xs] = n / np.linalg.norm(n, axis=1, keepdims=True)
    local[ys, xs] = np.einsum("nij,ni->nj", axes[k], offset) / radii[k]
    return seen, depth, normal, local


def render(parts: list[Part], scale: float, origin, side: int, view: np.ndarray, head_turn, head_at, coat, rng):
    """Paints the parts on a square of `side` pixels: color (H, W, 3) in 0..255 and opacity (H, W) in 0..1."""
    seen, depth, normal, local = nearest_surface(parts, scale, origin, side, view)
    cover = np.array([COVERS[p.cover] for p in parts] + [-1])[seen]
    tone = np.array([p.tone for p in parts] + [0], np.float32)[seen]
    on_head = np.array([p.on_head for p in parts] + [False])[seen]

    solid = cover >= 0
    # Soften the seams between balls: mean normals over a neighbourhood, within the animal.
    weight = blur(solid.astype(np.float32), 0.1 * scale) + 1e-3
    furry = cover == COVERS["fur"]
    soft = blur(normal * 0.5 + 0.5 * solid[..., None], 0.1 * scale) / weight[..., None] * 2 - 1
    normal[furry] = 0.35 * normal[furry] + 0.65 * soft[furry]
    tone = (blur(tone * 0.5 + 0.5 * solid, 0.06 * scale) / weight) * 2 - 1

    # Hairs: streaks of noise, along which the light changes a little.
    streaks = noise(rng, side, side, 5, 1.6) + noise(rng, side, side, 12, 5)
    ys, xs = np.nonzero(solid)
    points = np.stack([(xs - origin[0]) / scale, (origin[1] - ys) / scale, depth[ys, xs]], axis=1) @ view
    head = on_head[ys, xs]
    points[head] = (points[head] - head_at) @ head_turn * [0.7, 1, 1]
    albedo = np.zeros((side, side, 3), np.float32)
    albedo[ys, xs] = fur_color(points, tone[ys, xs], coat)
    albedo *= 1 + coat["hair"] * streaks[..., None]
    u, v = local[..., 0], local[..., 1]
    for name in ("nose", "inner ear", "tongue", "mouth"):
        albedo[cover == COVERS[name]] = coat[name]
    eye = cover == COVERS["eye"]
    iris = (u / 0.92) ** 2 + (v / 0.92) ** 2 < 1
    pupil = (u / coat["pupil"][0]) ** 2 + (v / coat["pupil"][1]) ** 2 < 1
    albedo[eye] = (30, 24, 22)
    albedo[eye & iris] = coat["iris"]
    albedo[eye & pupil] = (8, 8, 10)

    light = coat["sun"]
    lambert = np.clip((normal @ light + 0.35) / 1.35, 0, 1)
    sky = 0.5 + 0.5 * normal[..., 1]
    shade = coat["ambient"] * (0.65 + 0.35 * sky) + (1 - coat["ambient"]) * 1.25 * lambert
    shade[eye] = 0.55 + 0.45 * shade[eye]
    color = albedo * shade[..., None] * coat["light color"]
    spark = eye & ((u - 0.25) ** 2 + (v - 0.35) ** 2 < 0.04)
    color[spark] = 225
    wet = (cover == COVERS["nose"]) & ((u + 0.1) ** 2 + (v - 0.45) ** 2 < 0.1)
    color[wet] += 70

    # Fur has no sharp outline: each pixel takes the color of a neighbour that noise chooses.
    fuzz = coat["fuzz"] * scale
    gy = np.clip(np.arange(side)[:, None] + fuzz * noise(rng, side, side, 4, 1.5), 0, side - 1).astype(int)
    gx = np.clip(np.arange(side)[None, :] + fuzz * noise(rng, side, side, 2, 2), 0, side - 1).astype(int)
    calm = blur((solid & ~furry).astype(np.float32), 0.05 * scale) > 0.1
    gy = np.where(calm, np.arange(side)[:, None], gy)
    gx = np.where(calm, np.arange(side)[None, :], gx)
    return color[gy, gx], solid[gy, gx].astype(np.float32)


def background(rng, side: int, horizon: float) -> Image.Image:
    """A place to be: outdoors or a room, with clutter, out of focus. horizon: in 0..1 from the top."""
    kind = rng.choice(["grass", "room", "sofa", "blur", "sand", "snow"], p=[0.24, 0.28, 0.16, 0.14, 0.1, 0.08])
    ys = (np.arange(side) / side)[:, None]
    far = rng.uniform(60, 220, 3) * 0.3 + 0.7 * rng.uniform(60, 230)
    near = {
        "grass": np.array([98, 118, 66]) * rng.uniform(0.6, 1.4),
        "room": np.array([150, 110, 75]) * rng.uniform(0.5, 1.4),
        "sofa": rng.uniform(40, 200, 3) * 0.35 + 0.65 * rng.uniform(40, 220),
        "blur": rng.uniform(40, 210, 3) * 0.3 + 0.7 * rng.uniform(40, 220),
        "sand": np.array([190, 165, 125]) * rng.uniform(0.7, 1.2),
        "snow": np.array([225, 230, 240]) * rng.uniform(0.75, 1.05),
    }[kind]
    if kind in ("grass", "sand", "snow"):
        far = np.array([[150, 185, 225], [90, 120, 70], [120, 110, 100]])[rng.integers(3)] * rng.uniform(0.7, 1.2)
    edge = np.clip((ys - horizon) * (30 if kind in ("room", "sofa") else 12) + 0.5, 0, 1)[..., None]
    picture = np.broadcast_to(far * (1 - edge) + near * edge, (side, side, 3)).copy()
    picture *= 1 + 0.25 * (ys[..., None] - 0.5) * rng.uniform(-1, 1)
    grain = 0.12 * noise(rng, side, side, side / 3, side / 3) + 0.08 * noise(rng, side, side, side / 9, side / 9)
    grain = grain[..., None] + 0.025 * np.stack([noise(rng, side, side, side / 5, side / 5) for _ in range(3)], 2)
    fine = noise(rng, side, side, 6, 1.6) if kind == "grass" else noise(rng, side, side, 2.5, 5)
    strength = {"grass": 0.28, "sand": 0.1, "snow": 0.04, "sofa": 0.08}.get(kind, 0.04)
    picture *= 1 + grain + strength * (fine * edge[..., 0])[..., None]
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))

    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 7)):
        clutter(draw, rng, side, horizon)
    if kind == "room" and rng.random() < 0.5:  # floor boards
        for x in np.linspace(-1, 2, 14):
            draw.line([(side * x, side), (side * (0.5 + (x - 0.5) * 0.4), side * horizon)], fill=tuple(int(v * 0.75) for v in np.clip(near, 0, 255)), width=2)
    return image.filter(ImageFilter.GaussianBlur(side * rng.uniform(0.004, 0.035)))


def clutter(draw: ImageDraw.ImageDraw, rng, side: int, horizon: float) -> None:
    """Something that stands around: a box, a ball, a trunk, a plant, a picture on the wall."""
    color = tuple(int(v) for v in rng.uniform(20, 235, 3) * 0.4 + 0.6 * rng.uniform(20, 235))
    dark = tuple(int(v * 0.6) for v in color)
    x, w, h = rng.uniform(-0.1, 1) * side, rng.uniform(0.08, 0.4) * side, rng.uniform(0.08, 0.5) * side
    floor = side * min(1.0, horizon + rng.uniform(0, 0.3))
    kind = rng.integers(5)
    if kind == 0:
        draw.rectangle([x, floor - h, x + w, floor], fill=color)
        draw.rectangle([x + w * 0.7, floor - h, x + w, floor], fill=dark)
    elif kind == 1:
        draw.ellipse([x, floor - w, x + w, floor], fill=dark)
        draw.ellipse([x, floor - w, x + w * 0.85, floor - w * 0.15], fill=color)
    elif kind == 2:
        draw.polygon([(x, -2), (x + w * 0.4, -2), (x + w * 0.5, floor), (x - w * 0.1, floor)], fill=color)
    elif kind == 3:
        for _ in range(9):
            px, py = x + rng.uniform(-0.5, 0.5) * w, floor - rng.uniform(0, 1) * h
            leaf = tuple(int(v * rng.uniform(0.7, 1.3)) for v in (60, 105, 50))
            draw.ellipse([px, py, px + w * 0.4, py + w * 0.5], fill=leaf)
    else:
        top = rng.uniform(0, horizon) * side
        draw.rectangle([x, top - h * 0.6, x + w, top], fill=color, outline=dark, width=3)


def foreground(rng, side: int) -> Image.Image | None:
    """Something in front of the animal (RGBA), or None."""
    kind = rng.choice(["nothing", "grass", "edge", "bars", "leaf"], p=[0.62, 0.14, 0.12, 0.04, 0.08])
    if kind == "nothing":
        return None
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    color = tuple(int(v) for v in rng.uniform(30, 220, 3) * 0.4 + 0.6 * rng.uniform(30, 220))
    if kind == "grass":
        for _ in range(70):
            x, h = rng.uniform(0, side), rng.uniform(0.05, 0.28) * side
            green = tuple(int(v * rng.uniform(0.6, 1.5)) for v in (70, 110, 45))
            draw.line([(x, side), (x + rng.uniform(-0.1, 0.1) * side, side - h)], fill=green, width=2)
    elif kind == "edge":
        left, right = rng.uniform(0.68, 0.95, 2) * side
        draw.polygon([(0, left), (side, right), (side, side), (0, side)], fill=color)
    elif kind == "bars":
        step, x = rng.uniform(0.2, 0.35) * side, rng.uniform(0, 0.2) * side
        while x < side:
            draw.line([(x, 0), (x, side)], fill=color, width=max(2, side // 40))
            x += step
    else:
        x, y = rng.choice([0, side]), rng.uniform(0, side)
        r = rng.uniform(0.12, 0.3) * side
        draw.ellipse([x - r, y - r * 0.6, x + r, y + r * 0.6], fill=(*color[:1], 120, 60))
    return image.filter(ImageFilter.GaussianBlur(side * rng.uniform(0.003, 0.012)))


def draw_pet(species: str, size: int, style: str, rng: np.random.Generator) -> Image.Image:
    """One picture (RGB, size x size) of a "cat" or "dog"; all chance comes from `rng`."""
    side = size * OVERSAMPLING
    coat = make_coat(species, rng)
    sun = np.array([rng.uniform(-1, 1), rng.uniform(0.3, 1.2), rng.uniform(0.2, 1.2)])
    coat["sun"] = sun / np.linalg.norm(sun)
    coat["ambient"] = rng.uniform(0.4, 0.8)
    coat["light color"] = np.array([1.08, 1.0, 0.9]) ** rng.uniform(-1, 1.3) * rng.uniform(0.9, 1.3)
    coat["hair"] = rng.uniform(0.05, 0.14)
    coat["fuzz"] = rng.uniform(0.01, 0.05)
    pink, black = np.array([205, 135, 130]), np.array([34, 30, 32])
    coat["nose"] = (pink if rng.random() < 0.6 else black) if species == "cat" else (black if rng.random() < 0.85 else np.array([110, 70, 60]))
    coat["inner ear"] = 0.55 * pink * rng.uniform(0.7, 1.05) + 0.45 * coat["main"]
    coat["tongue"], coat["mouth"] = np.array([225, 110, 120]), np.array([70, 30, 32])
    eyes = [(190, 170, 60), (130, 165, 70), (200, 130, 40), (110, 160, 200)] if species == "cat" else [(84, 52, 28), (60, 38, 24), (120, 80, 40)]
    coat["iris"] = np.array(eyes[rng.integers(len(eyes))])
    coat["pupil"] = (rng.uniform(0.18, 0.6), 0.8) if species == "cat" else (0.55, 0.55)

    head = cat_head(rng) if species == "cat" else dog_head(rng)
    pose = rng.choice(["standing", "sitting", "lying"], p=[0.38, 0.37, 0.25])
    shot = rng.choice(["head", "bust", "whole"], p=[0.5, 0.3, 0.2])
    torso, head_at = body(species, pose, rng)
    body_yaw = rng.choice([-1, 1]) * rng.uniform(10, 95) if shot == "whole" else rng.uniform(-60, 60)
    head_yaw = np.clip(body_yaw * rng.uniform(0, 0.9) + rng.normal(0, 15), -80, 80)
    body_turn = rotation(body_yaw)
    head_turn = rotation(head_yaw, rng.normal(5, 10), rng.normal(0, 9))
    head_at = body_turn @ head_at
    parts = place(torso, body_turn, 0) + place(head, head_turn, head_at)
    view = rotation(0, rng.uniform(-2, 22), rng.normal(0, 4))

    centers = np.array([view @ p.center for p in (parts if shot == "whole" else parts[len(torso):])])
    low, high = centers.min(0)[:2], centers.max(0)[:2]
    if shot == "bust":
        low = low - [0.6, 2.2]
    middle, extent = (low + high) / 2, max(high - low) + 0.8
    scale = side * rng.uniform(0.75, 1.1) / extent
    origin = side * (0.5 + rng.normal(0, 0.06, 2)) + scale * middle * [-1, 1]
    color, opacity = render(parts, scale, origin, side, view, head_turn, head_at, coat, rng)

    ground = np.clip(origin[1] / side, 0.3, 1.2)
    picture = np.asarray(background(rng, side, np.clip(ground - rng.uniform(0.1, 0.5), 0.1, 0.9)), np.float32)
    picture = picture * coat["light color"]
    shadow = np.roll(opacity, (int(side * 0.03), int(-coat["sun"][0] * side * 0.05)), (0, 1))
    picture = picture * (1 - 0.45 * blur(shadow, side * 0.03))[..., None]
    mask = blur(opacity, 0.6)[..., None]
    picture = picture * (1 - mask) + color * mask
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    if species == "cat":
        whiskers(image, head_turn, head_at, view, scale, origin, rng)
    front = foreground(rng, side)
    if front is not None:
        image.paste(front, (0, 0), front)
    return camera(image, size, style, rng)


def whiskers(image: Image.Image, head_turn, head_at, view, scale, origin, rng) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    for side in (-1, 1):
        if (view @ head_turn @ [side * 0.5, 0, 1])[2] < 0.35:
            continue
        for rise in (-0.3, -0.1, 0.1):
            curve = np.array([[side * (0.25 + 0.9 * t), -0.36 + rise * t - 0.15 * t * t, 0.9 - 0.3 * t] for t in (0, 0.5, 1)])
            points = (curve @ head_turn.T + head_at) @ view.T
            draw.line([(origin[0] + scale * x, origin[1] - scale * y) for x, y, _ in points], fill=(240, 240, 235, 130), width=1)


def camera(image: Image.Image, size: int, style: str, rng) -> Image.Image:
    """What a camera adds: softness, contrast, a colour cast, noise; or, in style "shifted", a pencil drawing."""
    softness = rng.uniform(0.2, 0.9) ** 2 * OVERSAMPLING
    image = image.filter(ImageFilter.GaussianBlur(softness)).resize((size, size), Image.Resampling.BOX)
    pixels = np.asarray(image, np.float32) / 255
    if style == "shifted":
        gray = pixels.mean(axis=2)
        wide = np.maximum(blur(gray, size * 0.05), 0.05)
        pencil = np.clip(gray / wide, 0, 1) ** 1.8 * 0.92 + 0.05
        pixels = pencil[..., None] * np.array([0.97, 0.95, 0.9]) + 0.03 * rng.normal(0, 1, (size, size, 1))
    else:
        gamma, cast = rng.uniform(0.75, 1.35), rng.uniform(0.92, 1.08, 3)
        pixels = np.clip(pixels, 0, 1) ** gamma * cast
        pixels = pixels + rng.uniform(0, 0.02) * rng.normal(0, 1, (size, size, 3))
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
