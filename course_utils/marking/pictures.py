"""Pictures (Pillow) that both sides have in common: pixels, palette, and what is known of them."""

from typing import Any

from PIL import Image

from course_utils.marking.kinds import Kind
from course_utils.marking.wire import Json, Reader, Refused, Writer, expect, is_really, lengths, pairs

MODES = {
    *("1", "L", "LA", "La", "P", "PA", "I", "I;16", "F"),
    *("RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"),
}
MOST_PIXELS = 2**26


def shape_of(value: object) -> list[Json] | None:
    """The shape of a picture; None for everything else."""
    return ["image"] if is_really(value, Image.Image) and value.mode in MODES else None


def _state(image: Image.Image, write: Writer) -> Json:
    palette = image.getpalette("RGB") if image.mode in ("P", "PA") else None
    info = {key: item for key, item in image.info.items() if type(item) in (int, float, str, bytes, tuple)}
    if exif := image.getexif():  # which way up a photo lies, for example
        info["exif"] = exif.tobytes()
    items = [[str(key), write(item)] for key, item in info.items()]
    return [image.mode, list(image.size), write.blob(image.tobytes()), palette, items]


def _image(state: object, read: Reader) -> Image.Image:
    mode, size, place, palette, _ = expect(state, list)
    width, height = lengths(size)
    if mode not in MODES or width * height > MOST_PIXELS:
        raise Refused("a picture of an unknown kind")
    image = Image.frombytes(mode, (width, height), bytes(read.blob(place)))
    if palette is not None:
        image.putpalette(lengths(palette)[:768])
        if image.mode != mode:
            raise Refused("a picture of an unknown kind")
    return image


def _update(image: Image.Image, state: object, read: Reader) -> None:
    found = _image(state, read)
    image.im, image._mode, image._size = found.im, found.mode, found.size
    if found.palette is not None:
        image.palette = found.palette
    _finish(image, state, read)


def _finish(image: Image.Image, state: object, read: Reader) -> None:
    """Add what is known of the picture beside its pixels."""
    image.info = {str(key): read(item) for key, item in pairs(expect(state, list)[4])}


# Any: as in the tables of the other kinds.
KINDS: dict[str, Kind[Any]] = {
    "image": Kind(
        state=_state,
        make=lambda shape, state, read: _image(state, read),
        update=_update,
        finish=_finish,
        picture=lambda image: [image.mode, image.size, image.tobytes()],
    )
}
