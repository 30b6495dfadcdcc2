"""Opening pictures of any kind as RGB, and a few sample photos that are there without a network."""

import difflib
import http.client
import importlib.util
import io
import os
import urllib.error
import urllib.parse
import urllib.request
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from course_utils.errors import CourseError
from course_utils.files import USER_AGENT

URL_TIMEOUT_SECONDS = 20
MAX_BYTES = 100_000_000  # a larger file is hardly a photo, and reading it could fill a student's memory

# How a file begins, for people who hold something else than a picture that Pillow reads.
OTHER_KINDS = {
    b"<!doctype html": "a web page (HTML); link to the picture itself, not to the page that shows it",
    b"<html": "a web page (HTML); link to the picture itself, not to the page that shows it",
    b"<svg": "an SVG drawing, which has no pixels; export it as PNG first",
    b"<?xml": "XML (perhaps an SVG drawing, which has no pixels); export it as PNG first",
    b"%pdf": "a PDF document; export the page as PNG first",
    b"pk\x03\x04": "a ZIP archive; unpack it first and open a picture in it",
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for; run `git lfs pull` first",
}


class ImageError(CourseError, ValueError):
    """A picture that cannot be opened; the message says what was found and what to do."""


def open_image(source: str | os.PathLike | bytes | BinaryIO | Image.Image) -> Image.Image:
    """Open any picture as a PIL image in mode RGB, 8 bits a channel, the right way up.

    source: a path, an http(s) URL, the bytes of a picture file, an open binary file, or a PIL image.
    Of an animation or a multi-page file, the first picture. See `to_rgb` for how other modes become RGB.
    Raises ImageError for whatever is no complete picture.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow remarks on odd metadata, which the reader can do nothing about
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # and hesitates to refuse giants; we do not
        if isinstance(source, Image.Image):
            return _decode(source, "the PIL image")
        data, name = _read(source)
        return _decode(_identify(data, name), name)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a PIL image of any mode to RGB, as a person looking at it would expect.

    Transparent pixels become white; 16-bit gray keeps its upper 8 bits. No file format says what is white in gray
    images of 32-bit integers ("I") or floats ("F"): floats within 0..1 count as black to white, values within
    0..255 stay as they are, values within 0..65535 count as 16-bit, and anything else is stretched from its least
    to its greatest value.
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode == "La":  # Pillow knows no direct way from premultiplied gray to RGBA
        image = image.convert("LA")
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bit(np.asarray(image), image.mode)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(values: np.ndarray, mode: str) -> np.ndarray:
    """Gray values (H, W) of modes I;16, I and F as uint8; what is not finite becomes black."""
    if mode.startswith("I;16"):
        return (values.astype(np.uint16) >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    if low < 0 or high > 65535 or (mode == "F" and high > 255):
        values = (values - low) / (high - low or 1) * 255
    elif high > 255:
        values = values / 256
    elif mode == "F" and high <= 1:
        values = values * 255
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _identify(data: bytes, name: str) -> Image.Image:
    """A PIL image whose header was read, but not yet its pixels."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes); get it again, or call .seek(0) on a file that was already read.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES // 10**6} MB; make a smaller copy first.")
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a picture: it holds {_what_it_is(data)}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS // 10**6} million pixels, "
            "far more than any network uses; make a smaller copy first."
        ) from error
    except Exception as error:  # Pillow's readers raise almost anything when a header is damaged
        raise ImageError(f"{name} is damaged ({error}); get the file again.") from error


def _decode(image: Image.Image, name: str) -> Image.Image:
    if 0 in image.size:
        raise ImageError(f"{name} has no pixels (its size is {image.width} x {image.height}).")
    try:
        image.load()
    except Exception as error:  # each of Pillow's readers has its own exceptions for damaged data
        raise ImageError(f"{name} is damaged or cut off ({error}); get the file again.") from error
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block must not cost us the picture: leave it as it lies
        image = image.copy()
    try:
        return to_rgb(image)
    except ValueError as error:
        raise ImageError(f"{name} has colour mode {image.mode}; save it as RGB first.") from error


def _read(source: str | os.PathLike | bytes | BinaryIO) -> tuple[bytes, str]:
    """The bytes of a source, at most MAX_BYTES + 1 of them, and what to call it in a message."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "the data"
    if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        return _download(source), source
    if isinstance(source, str | os.PathLike):
        return _read_path(os.fspath(source)), f"'{os.fspath(source)}'"
    if hasattr(source, "read"):
        data = source.read(MAX_BYTES + 1)
        if isinstance(data, str):
            raise ImageError("the file was opened as text; open it with mode 'rb'.")
        return data, f"the file {getattr(source, 'name', '')}".strip()
    raise ImageError(f"open_image takes a path, a URL, bytes, a file or a PIL image, not {type(source).__name__}.")


def _read_path(path_text: str) -> bytes:
    if not path_text:
        raise ImageError("the path is empty; name a picture file.")
    if "://" in path_text:
        raise ImageError(f"'{path_text}': only http:// and https:// addresses work; save the file and give its path.")
    path = Path(path_text).expanduser()
    try:
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder; give one picture in it (or use folder_of_pictures).")
        if not path.exists():
            raise ImageError(f"there is no file '{path}'; {_suggestion(path)}")
        if not path.is_file():
            raise ImageError(f"'{path}' is not a regular file; give the path of a picture file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # no permission, a name too long, a NUL character in it
        raise ImageError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _suggestion(path: Path) -> str:
    neighbours = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, neighbours, n=1)
    if close:
        return f"did you mean '{path.parent / close[0]}'?"
    return "a relative path starts at the folder of the notebook."


def _download(url: str) -> bytes:
    advice = "check the address in a browser, or download the picture and give its path"
    address = urllib.parse.quote(url, safe=":/?#[]@!$&'()*+,;=%~")  # a space or an umlaut, as a browser sends it
    try:
        request = urllib.request.Request(address, headers={"User-Agent": USER_AGENT})
        with urllib.request.urlopen(request, timeout=URL_TIMEOUT_SECONDS) as response:
            return response.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise ImageError(f"{url}: the server answered {error.code} {error.reason}; {advice}.") from error
    except TimeoutError as error:
        raise ImageError(f"{url}: no answer in {URL_TIMEOUT_SECONDS} s; {advice}.") from error
    except (
        OSError,
        ValueError,
        http.client.HTTPException,
    ) as error:  # no network, a cut line, a bad address
        reason = getattr(error, "reason", error)
        raise ImageError(f"{url} cannot be reached ({reason}); {advice}.") from error


def _what_it_is(data: bytes) -> str:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, kind in OTHER_KINDS.items():
        if start.startswith(beginning):
            return kind
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"):
        return "a HEIC photo, as telephones make them; export it as JPEG first"
    if data[4:8] == b"ftyp":
        return "a video or an unusual picture format; save one picture of it as PNG or JPEG"
    try:
        data[:512].decode("utf-8", errors="strict" if len(data) <= 512 else "ignore")
        is_text = b"\x00" not in data[:512] and all(byte < 128 for byte in data[:64])
    except UnicodeDecodeError:
        is_text = False
    if is_text:
        return "text; check that the path or address leads to the picture itself"
    return "data in no picture format that Pillow knows; save the picture as PNG or JPEG"


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
