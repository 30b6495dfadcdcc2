"""Opening pictures of any kind as RGB, or one sentence that says why not."""

import difflib
import io
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from course_utils.download import DownloadError, read_url
from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import open_regular
from course_utils.quiet_pillow import without_remarks
from course_utils.rgb import scale_transparency, to_rgb

__all__ = ["ImageError", "open_image", "to_rgb"]

DOWNLOAD_SECONDS = 60  # for a whole picture, however slowly it comes
MAX_BYTES = 100_000_000  # a larger file is hardly a photo, and reading it could fill a student's memory
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of decompression bombs
MAX_MEMORY = 720_000_000  # bytes that opening may need; 89 million pixels of the plain kind
MAX_SCANS = 100  # passes of a progressive JPEG, as in libtiff; cameras and programs write about ten
MAX_SCANNED = 10**9  # pixels times passes, about half a minute

# Bytes for each pixel while a format is decoded (measured), where that is more than the 4 of Pillow's own picture.
DECODER_BYTES = {"JPEG2000": 20, "ICNS": 20, "WEBP": 14, "AVIF": 10, "TIFF": 8}
PROGRESSIVE_JPEG_BYTES = 10

# Formats that Pillow hands to another program (Ghostscript), or only recognises without reading any pixels.
UNREADABLE = {"EPS", "IPTC", "BUFR", "GRIB", "HDF5", "MPEG", "WMF"}

# How a file begins, for people who hold something else than a picture that Pillow reads.
OTHER_KINDS = {
    b"<!doctype html": "a web page (HTML); link to the picture itself, not to the page that shows it",
    b"<html": "a web page (HTML); link to the picture itself, not to the page that shows it",
    b"<svg": "an SVG drawing, which has no pixels; export it as PNG first",
    b"<?xml": "XML (perhaps an SVG drawing, which has no pixels); export it as PNG first",
    b"%pdf": "a PDF document; export the page as PNG first",
    b"%!ps": "a PostScript (EPS) drawing, which is a program; export it as PNG first",
    b"\xc5\xd0\xd3\xc6": "a PostScript (EPS) drawing, which is a program; export it as PNG first",
    b"\xd7\xcd\xc6\x9a": "a WMF drawing, which has no pixels; export it as PNG first",
    b"pk\x03\x04": "a ZIP archive; unpack it first and open a picture in it",
    b"\x1f\x8b": "gzip-compressed data; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for; run `git lfs pull` first",
}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# EXIF's ways in which a camera was held, and what turns its picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(CourseError, ValueError):
    """A picture that cannot be opened; the message says what was found and what to do."""


def open_image(source: str | os.PathLike | bytes | BinaryIO | Image.Image) -> Image.Image:
    """Open any picture as a PIL image in mode RGB, 8 bits a channel, in sRGB colours, the right way up.

    source: a path, an http(s) URL, the bytes of a picture file, an open binary file, or a PIL image.
    Of an animation or a multi-page file, the first picture. See `to_rgb` for how other modes become RGB.
    Raises ImageError for whatever is no complete picture, and for one that would need too much memory or time.
    """
    with without_remarks():
        if isinstance(source, Image.Image):
            return _decode(source, "the PIL image", is_ours=False)
        data, name = _read(source)
        return _decode(_identify(data, name), name)


# From a source to bytes --------------------------------------------------------------------------------------------


def _read(source: str | os.PathLike | bytes | BinaryIO) -> tuple[bytes, str]:
    """The bytes of a source, at most MAX_BYTES + 1 of them, and what to call it in a message."""
    if isinstance(source, bytes | bytearray | memoryview):
        try:
            return bytes(source), "the data"
        except ValueError as error:  # a memoryview that was released
            raise ImageError(f"the data cannot be read ({reason_of(error)}).") from error
    if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        return _download(source), shown(source)
    if isinstance(source, str | os.PathLike):
        try:
            path = os.fsdecode(source)
        except Exception as error:  # whatever somebody's own __fspath__ does
            raise ImageError(f"the path cannot be read ({reason_of(error)}).") from error
        return _read_path(path), f"'{shown(path)}'"
    if hasattr(source, "read"):
        return _read_file(source)
    raise ImageError(
        f"open_image takes a path, a URL, bytes, a file or a PIL image, not {shown(type(source).__name__)}."
    )


def _read_path(text: str) -> bytes:
    if not text:
        raise ImageError("the path is empty; name a picture file.")
    if "://" in text:
        raise ImageError(f"'{shown(text)}': only http:// and https:// addresses work; save the file and give its path.")
    # A file's own name may begin with ~, so a home folder that does not exist leaves the path as it is.
    path = Path(text) if os.path.lexists(text.replace("\0", "")) else Path(os.path.expanduser(text))
    name = shown(path)
    try:
        if path.is_dir():
            raise ImageError(f"'{name}' is a folder; give one picture in it (or use folder_of_pictures).")
        if not path.exists():
            raise ImageError(f"there is no file '{name}'; {_suggestion(path)}")
        if not path.is_file():
            raise ImageError(f"'{name}' is not a regular file; give the path of a picture file.")
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # no permission, a name too long, a NUL character in it
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"'{name}' cannot be read: {reason_of(error)}.") from error


def _suggestion(path: Path) -> str:
    try:
        neighbours = sorted(neighbour.name for neighbour in path.parent.iterdir())
    except OSError:  # there is no such folder, or it may not be read
        neighbours = []
    close = difflib.get_close_matches(path.name, neighbours, n=1)
    if close:
        return f"did you mean '{shown(path.parent / close[0])}'?"
    return "a relative path starts at the folder of the notebook."


def _read_file(source: BinaryIO) -> tuple[bytes, str]:
    """What an open file holds from where it stands, and what to call it."""
    file_name = getattr(source, "name", None)
    name = f"the file {shown(file_name)}" if isinstance(file_name, str) and file_name else "the file"
    try:
        data = _read_blocks(source)
    except Exception as error:  # closed, open for writing, or somebody's own class, which may raise anything
        raise ImageError(f"{name} cannot be read ({reason_of(error)}); open it with mode 'rb'.") from error
    if isinstance(data, str):
        raise ImageError("the file was opened as text; open it with mode 'rb'.")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ImageError(f"{name} gives {shown(type(data).__name__)} when it is read, not bytes; open it as 'rb'.")
    return bytes(data), name


def _read_blocks(source: BinaryIO) -> object:
    """What ``read`` returns, again and again until nothing more comes, because a raw file gives what it has."""
    try:
        data = source.read(MAX_BYTES + 1)
    except TypeError:  # a read() that takes no size
        return source.read()
    if not isinstance(data, bytes):
        return data
    blocks, size = [data], len(data)
    while 0 < size <= MAX_BYTES and isinstance(block := source.read(MAX_BYTES + 1 - size), bytes) and block:
        blocks.append(block)
        size += len(block)
    return b"".join(blocks)


def _download(url: str) -> bytes:
    try:
        return read_url(url, deadline=DOWNLOAD_SECONDS, most_bytes=MAX_BYTES)
    except DownloadError as error:
        raise ImageError(
            f"{str(error).rstrip('.')}; check the address in a browser, or download the picture and give its path."
        ) from error


# From bytes to pixels ----------------------------------------------------------------------------------------------


def _identify(data: bytes, name: str) -> Image.Image:
    """A PIL image whose header was read, but not yet its pixels."""
    if not data:
        raise ImageError(f"{name} is empty (0 bytes); get it again, or call .seek(0) on a file that was already read.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES // 10**6} MB; make a smaller copy first.")
    Image.init()  # otherwise Pillow has yet to learn of its rarer formats
    formats = [kind for kind in Image.OPEN if kind not in UNREADABLE]
    scans = _scans(data) if data.startswith(b"\xff\xd8") else 0
    try:
        image = Image.open(io.BytesIO(_without_text(data)), formats=formats)
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a picture: it holds {_what_it_is(data)}.") from error
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name)) from error
    except Exception as error:  # Pillow's readers raise almost anything when a header is damaged
        raise ImageError(f"{name} is damaged ({reason_of(error)}); get the file again.") from error
    if scans > MAX_SCANS or scans * image.width * image.height > MAX_SCANNED:
        raise ImageError(f"{name} is a JPEG in more passes than any camera makes; save it again as a plain JPEG.")
    return image


def _decode(image: Image.Image, name: str, is_ours: bool = True) -> Image.Image:
    """The picture as RGB; a PIL image that is not ours stays as it is, and the result is another one."""
    if 0 in image.size:
        raise ImageError(f"{name} has no pixels (its size is {image.width} x {image.height}).")
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise ImageError(_too_large(name))
    decoder = PROGRESSIVE_JPEG_BYTES if "progressive" in image.info else DECODER_BYTES.get(image.format or "", 4)
    needed = pixels * (decoder + 4)  # 4 more for the result
    if needed > MAX_MEMORY:
        raise ImageError(
            f"{name} would need {needed / 1e6:,.0f} MB of memory to open, more than {MAX_MEMORY / 1e6:,.0f} MB; "
            "make a smaller copy first."
        )
    if image.format in UNREADABLE:
        raise ImageError(f"{name} is {image.format}, which has no pixels of its own; export it as PNG first.")
    try:
        scale_transparency(image)
        tiles = getattr(image, "tile", None) if image.format == "GIF" else None  # how the file's pixels are packed
        drawn = tiles[0][1] if tiles else None
        image.load()
    except Exception as error:  # each of Pillow's readers has its own exceptions for damaged data
        raise ImageError(f"{name} is damaged or cut off ({reason_of(error)}); get the file again.") from error
    turn = _turn(image)
    try:
        result = to_rgb(image)
    except ValueError as error:
        raise ImageError(f"{name} has colour mode {shown(image.mode)}; save it as RGB first.") from error
    except (OSError, MemoryError) as error:
        raise ImageError(f"{name} cannot be turned into RGB ({reason_of(error)}); save it as RGB first.") from error
    if drawn not in (None, (0, 0, *result.size)):
        result = _on_white(result, drawn)
    if turn is not None:
        result = result.transpose(turn)
    elif result is image and not is_ours:
        result = image.copy()
    result.info = {}  # a profile or a transparent colour in it would count again, should it be opened again
    return result


def _too_large(name: str) -> str:
    return (
        f"{name} has more than {MAX_PIXELS // 10**6} million pixels, far more than any network uses; "
        "make a smaller copy first."
    )


def _on_white(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """The picture with white around a box: what the first frame of a GIF leaves undrawn is transparent."""
    result = Image.new("RGB", image.size, "white")
    result.paste(image.crop(box), box[:2])
    return result


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a broken EXIF block must not cost us the picture: leave it as it lies
        return None


def _scans(jpeg: bytes) -> int:
    """How many passes over the picture a JPEG file makes; each costs time, even one that adds nothing."""
    scans, position = 0, 2
    # A marker is 0xFF and another byte; in the coded data stand only 0xFF00 and the restart markers FFD0 to FFD7.
    marker = re.compile(rb"\xff+([^\x00\xff\xd0-\xd8])")
    while scans <= MAX_SCANS and (found := marker.search(jpeg, position)):
        kind, position = found[1][0], found.end()
        if kind == 0xD9:  # the end
            break
        scans += kind == 0xDA
        position += int.from_bytes(jpeg[position : position + 2], "big")
    return scans


def _without_text(data: bytes) -> bytes:
    """A PNG file without its texts: Pillow refuses long ones, and picture generators store their settings there.

    Kept are XMP and EXIF, which may say which way up the picture is. Other files stay as they are.
    """
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    kept, start, position = [], 0, 8
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        is_text = kind in {b"tEXt", b"zTXt", b"iTXt"}
        if is_text and not data.startswith((b"XML:com.adobe.xmp", b"Raw profile type "), position + 8):
            kept.append(data[start:position])
            start = min(end, len(data))
        position = end
    return b"".join([*kept, data[start:]]) if kept else data


def _what_it_is(data: bytes) -> str:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, kind in OTHER_KINDS.items():
        if start.startswith(beginning):
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return (
            "a HEIC photo, as telephones make them; export it as JPEG first, or let the telephone take JPEGs "
            "(iPhone: Settings, Camera, Formats, Most Compatible)"
        )
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
