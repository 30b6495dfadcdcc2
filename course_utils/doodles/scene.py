"""A whole picture: an animal before a background, with things in front and the faults of a camera."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from course_utils.doodles.anatomy import CATS, DOGS, Frame, body, cat_head, dog_head, floats, place, rotation, vec
from course_utils.doodles.fur import View, blur, make_looks, noise, paint


def random_color(rng: Generator, low: float = 30, high: float = 220, strength: float = 0.35) -> np.ndarray:
    """Return a colour (3,) as things at home have it: mostly gray, with some strength of hue."""
    return strength * rng.uniform(low, high, 3) + (1 - strength) * rng.uniform(low, high)


def ink(color: np.ndarray | tuple[int, int, int], factor: float = 1.0) -> tuple[int, ...]:
    """Return a colour as Pillow wants it: whole numbers in 0..255."""
    return tuple(int(v) for v in np.clip(np.asarray(color) * factor, 0, 255))


def background(rng: Generator, side: int, horizon: float) -> Image.Image:
    """Draw a place to be, out of focus: outdoors or a room, with things in it. horizon: in 0..1 from the top."""
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
    """Draw something that stands about: a box, a ball, a trunk, a bush, or a picture on the wall."""
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
    """Put something in front of the animal, in one picture of three: grass, an edge, bars or a blurred leaf."""
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
    """Draw three whiskers on each side of a cat's face that is in view."""
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
    """Do what a camera does to a scene: softness, fewer pixels, contrast, a colour cast and noise."""
    softness = rng.uniform(0.2, 0.9) ** 2 * image.width / size
    image = image.filter(ImageFilter.GaussianBlur(float(softness))).resize((size, size), Image.Resampling.BOX)
    pixels = (np.asarray(image) / 255) ** rng.uniform(0.75, 1.3) * rng.uniform(0.94, 1.06, 3)
    pixels += rng.uniform(0, 0.02) * rng.standard_normal((size, size, 3))
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def pencil(image: Image.Image) -> Image.Image:
    """Return the picture as a drawing in coloured pencil: strokes where it is darker than around, a wash, paper."""
    gray = np.asarray(image.convert("L")) / 255
    strokes = np.clip(gray / np.maximum(blur(gray, image.width / 20), 0.05), 0, 1) ** 1.4
    wash = np.asarray(image.filter(ImageFilter.GaussianBlur(image.width / 64)))
    drawing = strokes[..., None] * (0.35 * wash + 0.65 * np.array([247, 242, 230]))
    return Image.fromarray(drawing.astype(np.uint8))


def draw_pet(species: str, size: int, style: str, rng: Generator) -> Image.Image:
    """Draw one picture (RGB, size x size) of a "cat" or a "dog"; style: "plain" or "shifted" (a pencil drawing)."""
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
    origin = floats(side * (0.5 + rng.normal(0, 0.05, 2)) + scale * (low + high) / 2 * (-1, 1))
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
