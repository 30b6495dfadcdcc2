"""A few free photos that are there without a network: they come with scikit-image."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from course_utils.images import ImageError, open_image


@dataclass(frozen=True)
class Photo:
    """A sample photo with everything that is needed to show it honestly.

    square is a part of `image` that its subject fills: networks look at squares, and in 64 x 64 pixels the subject
    of a wide photo would be small.
    """

    name: str
    image: Image.Image  # the whole photo, RGB
    square: Image.Image  # a square part of it, RGB
    description: str  # alt text for `image`
    source: str
    licence: str


# File in scikit-image's package data, square to cut (left, top, right, bottom), alt text, source, licence.
# Sources and licences are what the docstrings of skimage.data say (skimage/data/_fetchers.py).
_SAMPLES = {
    "cat": (
        "chelsea.png",
        (82, 0, 382, 300),
        "Close-up of the face of a ginger tabby cat with green eyes, looking past the camera to the right.",
        "Chelsea the cat, by Stefan van der Walt; skimage.data.chelsea",
        "CC0 (no copyright restrictions)",
    ),
    "coffee": (
        "coffee.png",
        (100, 0, 500, 400),
        "An espresso in a white and red cup on a red saucer with a small spoon, on a wooden table.",
        "Coffee cup, by Rachel Michetti, courtesy of Pikolo Espresso Bar; skimage.data.coffee",
        "CC0 (no copyright restrictions)",
    ),
    "rocket": (
        "rocket.jpg",
        (164, 70, 504, 410),
        "A white rocket upright on its launch pad at dusk, floodlit, between tall lattice towers.",
        "Falcon 9 carrying DSCOVR on its launch pad, by SpaceX; skimage.data.rocket",
        "Public domain (released by SpaceX)",
    ),
    "astronaut": (
        "astronaut.png",
        (0, 0, 512, 512),
        "A smiling astronaut in an orange space suit, a helmet beside her, in front of a US flag and a model of "
        "the space shuttle.",
        "Eileen Collins, NASA Great Images database; skimage.data.astronaut",
        "Public domain (no known copyright restrictions)",
    ),
    "photographer": (
        "camera.png",
        (60, 20, 450, 410),
        "Black-and-white photo of a man in a dark coat, bent to look through a camera on a tripod on a lawn.",
        "Cameraman, by Lav Varshney; skimage.data.camera",
        "CC0 (no copyright restrictions)",
    ),
    "horse": (
        "horse.png",
        (0, -36, 400, 364),
        "Black silhouette of a standing horse, seen from its right side, on white.",
        "Horse, by Andreas Preuss (marauder), openclipart.org; skimage.data.horse",
        "CC0 (no copyright restrictions)",
    ),
}


def sample_images() -> dict[str, Photo]:
    """Free sample photos by name, read from the installed scikit-image package; no network is needed.

    All but the horse, a silhouette, are photos. The 200 classes of the course checkpoint hold no
    astronaut, photographer or horse: see what a network says about things that it has no name for.
    """
    folder = _scikit_image_data()
    photos = {}
    for name, (file, box, description, source, licence) in _SAMPLES.items():
        image = open_image(folder / file)
        photos[name] = Photo(name, image, _cut(image, box), description, source, licence)
    return photos


def _cut(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of an image in a box; white where the box reaches beyond the image."""
    left, top, right, bottom = box
    part = Image.new("RGB", (right - left, bottom - top), "white")
    part.paste(image, (-left, -top))
    return part


def _scikit_image_data() -> Path:
    spec = importlib.util.find_spec("skimage")  # finds the package without the second that importing it takes
    if spec is None or spec.origin is None:
        raise ImageError("the sample photos come with scikit-image, which is missing; run pip install scikit-image.")
    return Path(spec.origin).parent / "data"
