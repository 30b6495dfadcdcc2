"""Colours: a picture in any mode that Pillow knows becomes RGB, as a person looking at it would expect."""

import io
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms

PIXELS_AT_ONCE = 2**20  # a few rows after the other, so that a large picture is in memory once, not five times

# Tags of TIFF files.
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
WHITE_IS_ZERO, UNSIGNED = 0, 1

# What a PNG file's transparent value must be divided by to be compared with pixels of 8 bits, for the layouts that
# Pillow spreads or cuts to 8 bits without doing the same to that value.
PNG_DIVISORS = {"L;2": 1 / 85, "L;4": 1 / 17, "RGB;16B": 256}


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a PIL image of any mode to RGB, as a person looking at it would expect.

    Colours are those of the picture's ICC profile, brought to sRGB. Transparent pixels become white; 16-bit gray keeps
    its upper 8 bits. No file format says what is white in gray images of 32-bit integers ("I") or floats ("F"): floats
    within 0..1 count as black to white, values within 0..255 stay as they are, values within 0..65535 count as
    16-bit, and anything else is stretched from its least to its greatest value.
    """
    to_srgb = _profile_transform(image)
    if image.mode == "RGB" and not image.has_transparency_data and to_srgb is None:
        return image
    to_8_bit = _gray_scale(image) if _is_wide(image) else None
    result = Image.new("RGB", image.size)
    for top, band in _bands(image):
        result.paste(_band_to_rgb(band, to_8_bit, to_srgb), (0, top))
    return result


def scale_transparency(image: Image.Image) -> None:
    """Let the transparent value of a PNG file that is not yet loaded count in the 8 bits that its pixels will have."""
    tiles = getattr(image, "tile", None) if image.format == "PNG" else None  # how the file's pixels are packed
    divisor = PNG_DIVISORS.get(tiles[0][3]) if tiles else None
    value = image.info.get("transparency")
    if divisor and isinstance(value, int):
        image.info["transparency"] = round(value / divisor)
    elif divisor and isinstance(value, tuple):
        image.info["transparency"] = tuple(int(channel / divisor) for channel in value)


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The picture in horizontal bands: where each begins, and the band."""
    rows = max(1, PIXELS_AT_ONCE // max(1, image.width))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _band_to_rgb(
    band: Image.Image,
    to_8_bit: Callable[[np.ndarray], np.ndarray] | None,
    to_srgb: ImageCms.ImageCmsTransform | None,
) -> Image.Image:
    alpha = None
    if to_8_bit is not None:
        values = np.asarray(band)
        if isinstance(transparent := band.info.get("transparency"), int):
            alpha = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
        band = Image.fromarray(to_8_bit(values))
    elif band.has_transparency_data:
        if band.mode == "La":  # Pillow knows no direct way from premultiplied gray to RGBA
            band = band.convert("LA")
        gray = band.mode == "LA"
        band = band.convert("RGBA")
        alpha = band.getchannel("A")
        band = band.getchannel("R") if gray else band.convert("RGB")
    if to_srgb is None:
        band = band.convert("RGB")
    else:
        band = to_srgb.apply(band if band.mode == to_srgb.input_mode else band.convert(to_srgb.input_mode))
    if alpha is None:
        return band
    return Image.composite(band, Image.new("RGB", band.size, "white"), alpha)


# Colour profiles ---------------------------------------------------------------------------------------------------


def _profile_transform(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """What brings a picture's colours to sRGB; None where it has no usable profile, or is in sRGB already."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return None
    mode = "L" if image.mode in {"1", "L", "LA", "La"} or _is_wide(image) else image.mode
    mode = mode if mode in {"L", "CMYK", "LAB"} else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = cast(Any, source.profile).xcolor_space.strip()  # Pillow's types also know a file here
        if space == "RGB" and mode == "L":
            mode = "RGB"
        elif space != {"L": "GRAY", "LAB": "Lab"}.get(mode, mode):
            return None  # a profile of another kind of picture: viewers leave it out, too
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile must not cost us the picture
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether colours stay what they are, up to rounding: tried on 9 x 9 x 9 of them."""
    steps = np.arange(0, 257, 32).clip(max=255).astype(np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    changed = np.asarray(transform.apply(Image.fromarray(colors)))
    return bool(np.abs(changed.astype(int) - colors).max() <= 2)


# Gray with more than 8 bits ----------------------------------------------------------------------------------------


def _is_wide(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))


def _gray_scale(image: Image.Image) -> Callable[[np.ndarray], np.ndarray]:
    """The function that turns values of modes I;16, I and F into uint8; what is not finite becomes black."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF file
    bits = tags.get(BITS_PER_SAMPLE, (0,))[0]
    unsigned = image.mode == "I" and bits == 32 and tags.get(SAMPLE_FORMAT, (0,))[0] == UNSIGNED

    def numbers(values: np.ndarray) -> np.ndarray:
        values = values.view(np.uint32) if unsigned else values  # Pillow reads them as if they had a sign
        with np.errstate(invalid="ignore"):  # NaN of the signalling kind
            return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)

    if image.mode.startswith("I;16") or (image.format == "PPM" and image.mode == "I"):
        low, step = 0.0, 2.0**4 if bits == 12 else 2.0**8
    else:
        extremes = [(values.min(), values.max()) for values in (numbers(np.asarray(band)) for _, band in _bands(image))]
        low, high = min(least for least, _ in extremes), max(greatest for _, greatest in extremes)
        low, step = _black_and_step(low, high, is_float=image.mode == "F")
    rounded = np.floor if step in {2.0**4, 2.0**8} else np.rint
    inverted = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO

    def to_8_bit(values: np.ndarray) -> np.ndarray:
        gray = rounded((numbers(values) - low) / step).clip(0, 255).astype(np.uint8)
        return 255 - gray if inverted else gray

    return to_8_bit


def _black_and_step(low: float, high: float, is_float: bool) -> tuple[float, float]:
    """Which value is black, and how much more is one of 255 steps up to white; see `to_rgb`."""
    if low < 0 or high > 65535 or (is_float and high > 255):
        return low, (high - low) / 255 or 1.0
    if high > 255:
        return 0.0, 256.0
    if is_float and high <= 1:
        return 0.0, 1 / 255
    return 0.0, 1.0
