"""Opening pictures: whatever the file is, either the picture a person would expect or one clear sentence."""

import io
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from PIL import Image

from course_utils import ImageError, open_image
from course_utils import images as images_module


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def color_at(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    assert image.mode == "RGB"
    return image.getpixel((x, y))


RED = Image.new("RGB", (6, 4), (255, 0, 0))


# Where a picture may come from ----------------------------------------------------------------------------------


def test_a_path_a_string_bytes_a_file_and_an_image_give_the_same(tmp_path):
    path = tmp_path / "red.png"
    RED.save(path)
    with path.open("rb") as file:
        sources = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), file, RED]
        pictures = [open_image(source) for source in sources]
    assert all(picture.mode == "RGB" and picture.tobytes() == RED.tobytes() for picture in pictures)


def test_the_home_folder_may_be_written_as_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    RED.save(tmp_path / "red.png")
    assert open_image("~/red.png").size == (6, 4)


class PictureServer(BaseHTTPRequestHandler):
    agents: tuple[str, ...] = ()

    def do_GET(self):
        type(self).agents += (self.headers["User-Agent"],)
        body = {"/red.png": encoded(RED), "/page": b"<!DOCTYPE html><title>A picture</title>"}.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), PictureServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_web_address_is_fetched_and_told_who_asks(server):
    assert color_at(open_image(f"{server}/red.png")) == (255, 0, 0)
    assert "course" in PictureServer.agents[-1] and not PictureServer.agents[-1].startswith("Python-urllib")


def test_a_web_page_instead_of_a_picture(server):
    with pytest.raises(ImageError, match=r"/page is not a picture: it holds a web page .* link to the picture itself"):
        open_image(f"{server}/page")


def test_an_address_that_does_not_exist(server):
    with pytest.raises(ImageError, match=r"the server answered 404 .*check the address"):
        open_image(f"{server}/nothing.png")


def test_no_network_or_unknown_host():
    with pytest.raises(ImageError, match=r"https://pictures.invalid/cat.jpg cannot be reached .*give its path"):
        open_image("https://pictures.invalid/cat.jpg")


def test_an_address_with_a_space_and_an_umlaut_is_sent_as_a_browser_does(server):
    with pytest.raises(ImageError, match="the server answered 404"):
        open_image(f"{server}/my cät.png")


# What a picture may look like inside ------------------------------------------------------------------------------


def test_a_photo_taken_sideways_is_turned_upright():
    image = Image.new("RGB", (6, 4))
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn 90 degrees clockwise to see it upright
    upright = open_image(encoded(image, "PNG", exif=exif))
    assert upright.size == (4, 6) and color_at(upright, 3, 0) == (255, 0, 0)


def test_transparent_becomes_white():
    assert color_at(open_image(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0))))) == (255, 255, 255)
    assert color_at(open_image(encoded(Image.new("LA", (2, 2), (0, 0))))) == (255, 255, 255)
    half = color_at(open_image(encoded(Image.new("RGBA", (2, 2), (255, 0, 0, 128)))))
    assert half[0] == 255 and 120 < half[1] == half[2] < 135


def test_premultiplied_alpha_becomes_white_too():
    for straight, premultiplied in (("LA", "La"), ("RGBA", "RGBa")):
        assert color_at(open_image(Image.new(straight, (2, 2), 0).convert(premultiplied))) == (255, 255, 255)


def test_a_palette_with_a_transparent_color():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    picture = open_image(encoded(image, transparency=0))
    assert [color_at(picture, x) for x in (0, 1)] == [(255, 255, 255), (0, 0, 255)]


def test_an_rgb_picture_with_one_color_declared_transparent():
    assert color_at(open_image(encoded(RED, transparency=(255, 0, 0)))) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "value", "expected"), [("1", 1, 255), ("L", 100, 100), ("1", 0, 0)])
def test_black_and_white_and_gray(mode, value, expected):
    assert color_at(open_image(encoded(Image.new(mode, (3, 3), value)))) == (expected,) * 3


def test_16_bit_gray_keeps_its_brightness():
    ramp = np.array([[0, 256 * 100, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        picture = open_image(encoded(Image.fromarray(ramp), kind))
        assert [color_at(picture, x)[0] for x in range(3)] == [0, 100, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 100, 255], [0, 100, 255]),  # 8 bits in a wide box
        ([0, 25600, 65535], [0, 100, 255]),  # 16 bits
        ([-100, 0, 100], [0, 128, 255]),  # neither: stretched
        ([70000, 70000, 70000], [0, 0, 0]),  # one value only, nothing to stretch
    ],
)
def test_32_bit_integers(values, expected):
    picture = open_image(Image.fromarray(np.array([values], np.int32)))
    assert [color_at(picture, x)[0] for x in range(3)] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([np.nan, 0.5, 1.0], [0, 128, 255]),
    ],
)
def test_floats(values, expected):
    picture = open_image(encoded(Image.fromarray(np.array([values], np.float32)), "TIFF"))
    assert [color_at(picture, x)[0] for x in range(3)] == expected


def test_cmyk_as_printers_use_it():
    red = color_at(open_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)))
    assert red[0] > 240 and red[1] < 15 and red[2] < 15


def test_the_first_picture_of_an_animation():
    blue = Image.new("RGB", RED.size, (0, 0, 255))
    assert color_at(open_image(encoded(RED, "GIF", save_all=True, append_images=[blue]))) == (255, 0, 0)


def test_a_broken_exif_block_does_not_cost_the_picture():
    data = encoded(RED, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert open_image(data).size == RED.size


def test_a_color_mode_without_a_way_to_rgb(monkeypatch):
    def cannot(image):
        raise ValueError("conversion from LAB to RGB not supported")  # as older Pillows say

    monkeypatch.setattr(images_module, "to_rgb", cannot)
    with pytest.raises(ImageError, match="colour mode LAB; save it as RGB"):
        open_image(encoded(Image.new("LAB", (2, 2)), "TIFF"))


def test_odd_pictures_raise_no_warnings(recwarn):
    open_image(encoded(RED, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"))
    palette = Image.new("P", (2, 1))
    open_image(encoded(palette, transparency=bytes([0, 128])))
    open_image(Image.fromarray(np.full((2, 2), 70000, np.int32)))
    assert not recwarn.list


# What is no picture -----------------------------------------------------------------------------------------------


def test_a_folder(tmp_path):
    with pytest.raises(ImageError, match="is a folder; give one picture in it"):
        open_image(tmp_path)


def test_a_missing_file_suggests_the_one_that_was_meant(tmp_path):
    RED.save(tmp_path / "my_cat.png")
    with pytest.raises(ImageError, match=r"there is no file .*mycat.png'; did you mean .*my_cat.png"):
        open_image(tmp_path / "mycat.png")
    with pytest.raises(ImageError, match="a relative path starts at the folder of the notebook"):
        open_image(tmp_path / "elsewhere" / "holiday.jpg")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "the path is empty"),
        ("file:///etc/cat.png", "only http:// and https:// addresses work"),
        ("a\0b.png", "cannot be read|there is no file"),
        ("x" * 5000, "cannot be read"),
    ],
)
def test_a_path_that_leads_nowhere(path, message):
    with pytest.raises(ImageError, match=message):
        open_image(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hello, I am a picture", "it holds text"),
        ("Grüße, ich bin ein Bild".encode(), "it holds"),
        (b"\n <HTML><body>", "a web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a HEIC photo"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "a video"),
        (bytes(range(256)), "no picture format that Pillow knows"),
    ],
)
def test_something_else_is_named(data, message):
    with pytest.raises(ImageError, match=message):
        open_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_download_that_broke_off(kind):
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)), kind)
    for length in (len(data) // 2, 12):
        with pytest.raises(ImageError, match="get the file again|is not a picture"):
            open_image(data[:length])


def test_a_picture_too_large_to_be_meant():
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    for side in (10_000, 60_000):  # where Pillow warns, and where it refuses
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
        with pytest.raises(ImageError, match="more than 89 million pixels"):
            open_image(bomb)


def test_a_file_too_large_to_be_a_picture(monkeypatch):
    monkeypatch.setattr(images_module, "MAX_BYTES", 50)
    with pytest.raises(ImageError, match="is larger than"):
        open_image(encoded(RED))


def test_a_picture_without_pixels():
    with pytest.raises(ImageError, match=r"no pixels \(its size is 0 x 5\)"):
        open_image(Image.new("RGB", (0, 5)))


def test_a_file_read_to_its_end_and_a_file_opened_as_text(tmp_path):
    file = io.BytesIO(encoded(RED))
    open_image(file)
    with pytest.raises(ImageError, match=r"call \.seek\(0\)"):
        open_image(file)
    with pytest.raises(ImageError, match="mode 'rb'"):
        open_image(io.StringIO("text"))


@pytest.mark.parametrize("source", [None, 7, np.zeros((2, 2, 3), np.uint8)])
def test_a_thing_that_is_no_source_at_all(source):
    with pytest.raises(ImageError, match=f"not {type(source).__name__}"):
        open_image(source)


def test_each_error_is_one_sentence_and_a_value_error(tmp_path):
    for source in (tmp_path, tmp_path / "no.png", b"", b"text", None):
        with pytest.raises(ValueError) as caught:
            open_image(source)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
