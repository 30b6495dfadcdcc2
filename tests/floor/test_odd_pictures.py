"""Files and sources that are odd, hostile or broken: an RGB picture or one short sentence, and soon."""

import gc
import io
import os
import random
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from odd_pictures import display_p3_profile, jpeg_with_empty_scans, png, png_chunk
from PIL import Image

from course_utils import ImageError, images, open_image

SECONDS = 5  # for a small file, on a busy computer


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


RED = Image.new("RGB", (6, 4), (255, 0, 0))


def sentence_about(source) -> str:
    """The one sentence with which a source is refused."""
    with pytest.raises(ImageError) as caught:
        open_image(source)
    text = str(caught.value)
    assert text.isprintable() and len(text) < 400 and text.endswith((".", "?"))
    return text


# Time and memory


def test_a_jpeg_of_thousands_of_passes_is_refused_at_once():
    began = time.monotonic()
    assert "more passes than any camera makes" in sentence_about(jpeg_with_empty_scans(6000))
    assert time.monotonic() - began < 1
    assert open_image(jpeg_with_empty_scans(20)).size == (64, 64)


def test_a_large_jpeg_may_have_fewer_passes_than_a_small_one(monkeypatch):
    monkeypatch.setattr(images, "MAX_SCANNED", 64 * 64 * 20)
    assert "more passes" in sentence_about(jpeg_with_empty_scans(20))


def test_markers_in_the_metadata_of_a_jpeg_are_no_passes():
    plain = encoded(RED, "JPEG", comment=b"\xff\xda" * 5000)
    assert open_image(plain + b"\xff\xda" * 5000).size == RED.size  # and neither are those after the picture's end


def test_postscript_is_not_run():
    for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", encoded(RED, "EPS"), b"\xc5\xd0\xd3\xc6" * 20):
        assert "PostScript" in sentence_about(data)
    assert "EPS" in sentence_about(Image.open(io.BytesIO(encoded(RED, "EPS"))))


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {}), ("JPEG2000", {}), ("JPEG", {"progressive": True})])
def test_what_needs_too_much_memory_is_refused_before_it_is_decoded(kind, options, monkeypatch):
    data = encoded(Image.new("RGB", (100, 100)), kind, **options)
    assert open_image(data).size == (100, 100)
    monkeypatch.setattr(images, "MAX_MEMORY", 100 * 100 * 8)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    assert "MB of memory to open" in sentence_about(data)


def test_a_wide_picture_is_in_memory_about_once():
    """The peak of numpy and Python; Pillow's own pixels are 4 bytes each in the picture and in the result."""
    import tracemalloc

    image = Image.new("F", (3000, 3000), 0.5)
    tracemalloc.start()
    open_image(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 4


# What is sound is opened


def test_a_png_with_megabytes_of_compressed_text():
    import zlib

    texts = (
        b"zTXtparameters\0\0" + zlib.compress(b"a cat, " * 300_000),
        b"iTXtworkflow\0\1\0\0\0" + zlib.compress(bytes(2**21)),
    )
    chunks = [png_chunk(text[:4], text[4:]) for text in texts]
    assert open_image(png(1, 8, 2, b"\x01\x02\x03", *chunks)).getpixel((0, 0)) == (1, 2, 3)


def test_texts_that_say_which_way_is_up_are_kept():
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/>'
    row = b"\x01\x01\x01\x02\x02\x02"
    assert open_image(png(2, 8, 2, row, png_chunk(b"iTXt", xmp))).getpixel((0, 0)) == (2, 2, 2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_way_to_hold_a_camera(kind, orientation):
    corner = Image.new("RGB", (32, 16))
    corner.paste("white", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(corner, kind, exif=exif)
    seen = np.asarray(open_image(data))
    assert seen.shape[:2] == ((32, 16) if orientation > 4 else (16, 32))
    bright = [bool(seen[y, x].min() > 128) for y, x in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
    assert bright.index(True) == [0, 1, 2, 3, 0, 1, 2, 3][orientation - 1] and sum(bright) == 1
    again = open_image(open_image(data))
    assert np.array_equal(seen, np.asarray(again))


def test_heic_says_what_to_do():
    text = sentence_about(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    assert "export it as JPEG" in text and "Most Compatible" in text


# Threads


def test_threads_leave_the_warning_filters_and_everybody_elses_warnings_alone():
    odd = encoded(RED, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            pictures = list(pool.map(open_image, [odd] * 200))
        assert warnings.filters == before
        assert not caught
        Image.open(io.BytesIO(odd)).getexif()  # Pillow's own remark is heard outside of open_image
        warnings.warn("mine", stacklevel=1)
    assert len(pictures) == 200 and any("mine" in str(warning.message) for warning in caught)


# Sources


class Reader:
    """A file object of somebody's own."""

    def __init__(self, result=None, error: Exception | None = None, name: object = "cat.png"):
        self.result, self.error, self.name = result, error, name

    def read(self):
        if self.error:
            raise self.error
        return self.result


class Bits:
    def __init__(self, data: bytes):
        self.rest = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.rest.read(min(size, 7))


class PathOf:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        if isinstance(self.path, Exception):
            raise self.path
        return self.path


def test_a_read_without_a_size_and_one_that_gives_little_at_a_time():
    assert open_image(Reader(encoded(RED))).size == RED.size
    assert open_image(Reader(bytearray(encoded(RED)))).size == RED.size
    assert open_image(Bits(encoded(RED))).size == RED.size


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "cat.png"
    RED.save(path)
    closed = path.open("rb")
    closed.close()
    memory = memoryview(b"abc")
    memory.release()
    with (tmp_path / "new.png").open("wb") as for_writing:
        sources = [closed, for_writing, memory, Reader(7), Reader(None), Reader(["a"])]
        sources += [Reader(error=error) for error in (KeyError("a\nb" * 500), EOFError(), RuntimeError("\x1b[31m"))]
        for source in [*sources, Reader("text"), Reader(b"x", name="\n" * 900), Reader(b"x", name=7)]:
            sentence_about(source)
    image = Image.open(path)
    image.close()
    sentence_about(image)


def test_paths_of_every_kind(tmp_path, monkeypatch):
    RED.save(tmp_path / "~cat.png", "PNG")
    RED.save(tmp_path / "cat\n.png", "PNG")
    monkeypatch.chdir(tmp_path)
    for path in (PathOf(os.fsencode(tmp_path / "~cat.png")), "~cat.png", "cat\n.png"):
        assert open_image(path).size == RED.size
    missing = ["~nobody-of-this-name/cat.png", "\ud800.png", "a\nb", "\x1b[31m", "é" * 4000, "\0", "dog\u202e.png"]
    for path in [*missing, PathOf(b"nothing.png"), PathOf(7), PathOf(ValueError("no\npath"))]:
        sentence_about(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_and_a_device_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "cat.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    for name in ("cat.png", "endless.png"):
        assert "not a regular file" in sentence_about(tmp_path / name)


def test_a_web_page_with_a_name_of_thousands_of_letters():
    sentence_about("x://" + "y\n" * 5000)
    sentence_about(type("N" * 3000, (), {})())


# Damage


def drawing() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    pixels[:12] = [200, 30, 90]
    return Image.fromarray(pixels)


WRITTEN_IN = {  # options that reach further parts of Pillow's readers
    "PNG": [{}, {"exif": Image.Exif()}, {"icc_profile": display_p3_profile()}],
    "JPEG": [
        {},
        {"progressive": True},
        {"icc_profile": display_p3_profile()},
        {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"},
    ],
    "TIFF": [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}, {"compression": "tiff_adobe_deflate"}],
    "WEBP": [{}, {"lossless": True}],
    "BMP": [{}],
}
MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I", "F", "I;16", "LAB")


def samples() -> list[bytes]:
    """A small picture in every format and mode that Pillow writes."""
    Image.init()
    files = []
    for kind in sorted({*Image.SAVE, *Image.SAVE_ALL} - {"PDF"}):
        for options in WRITTEN_IN.get(kind, [{}]):
            for mode in MODES:
                try:
                    image = drawing().convert("L").convert(mode) if mode == "I;16" else drawing().convert(mode)
                    files.append(encoded(image, kind, **options))
                except Exception:  # a format that has no such mode, or a writer that is not built in
                    continue
    return files


def damaged(data: bytes, rng: random.Random) -> bytes:
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place = rng.randrange(min(len(data), rng.choice((40, 400, 10**9))))
        kind = rng.randrange(5)
        if kind == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            data[place : place + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\x10\0"))
        elif kind == 3:
            del data[place : place + rng.randrange(1, 50)]
        else:
            data[place:place] = data[rng.randrange(len(data)) :][: rng.randrange(1, 50)]
        if not data:
            break
    return bytes(data)


def check_opens_or_explains(data: bytes) -> bool:
    began = time.monotonic()
    try:
        picture = open_image(data)
    except ImageError as error:
        text = str(error)
        assert text.isprintable() and len(text) < 400, text
        return False
    finally:
        assert time.monotonic() - began < SECONDS
    assert picture.mode == "RGB" and 0 not in picture.size
    picture.tobytes()
    return True


def damage_many(count: int, seed: int) -> None:
    rng, files = random.Random(seed), samples()
    opened = sum(check_opens_or_explains(damaged(rng.choice(files), rng)) for _ in range(count))
    assert 0 < opened < count
    gc.collect()
    assert threading.active_count() < 50


def test_every_format_that_pillow_writes_is_opened_or_explained():
    files = samples()
    opened = sum(check_opens_or_explains(data) for data in files)
    assert len(files) > 80 and opened > 60


def test_damaged_files_of_every_format_are_opened_or_explained():
    damage_many(1000, seed=1)


@pytest.mark.slow
def test_very_many_damaged_files_are_opened_or_explained():
    damage_many(40_000, seed=2)
