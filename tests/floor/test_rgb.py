"""Colours: what a person sees in a picture is what `open_image` gives, whatever its file calls them."""

import io
import struct

import numpy as np
import pytest
from odd_pictures import display_p3_profile, gif_with_small_frame, png, png_chunk, tiff
from PIL import Image, ImageCms

from course_utils import open_image
from course_utils.images import to_rgb


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grays(picture: Image.Image) -> list[int]:
    assert picture.mode == "RGB"
    pixels = np.asarray(picture)[0]
    assert (pixels == pixels[:, :1]).all()
    return pixels[:, 0].tolist()


# Gray with more than 8 bits


@pytest.mark.parametrize("values", [[0, 25600, 65535], [0, 100, 255], [0, 1, 2]])
def test_16_bits_are_16_bits_however_dark_the_picture_is(values):
    row = np.array(values)
    files = [
        b"P5 3 1 65535\n" + row.astype(">u2").tobytes(),
        png(3, 16, 0, row.astype(">u2").tobytes()),
        tiff(3, 16, 1, row.astype("<u2").tobytes()),
    ]
    for file in files:
        assert grays(open_image(file)) == [value >> 8 for value in values]


def test_gray_maps_of_12_bits_are_as_bright_as_others():
    assert grays(open_image(b"P5 3 1 4095\n" + np.array([0, 1600, 4095], ">u2").tobytes())) == [0, 100, 255]
    assert grays(open_image(tiff(2, 12, 1, bytes([0x64, 0x0F, 0xFF])))) == [100, 255]


def test_white_may_be_zero_in_a_tiff():
    for bits, kind, form in ((8, "<u1", 1), (16, "<u2", 1), (32, "<f4", 3)):
        white = 1.0 if form == 3 else 2**bits - 1
        row = np.array([0, white], kind).tobytes()
        assert grays(open_image(tiff(2, bits, 0, row, form))) == [255, 0]
        assert grays(open_image(tiff(2, bits, 1, row, form))) == [0, 255]


def test_32_bits_without_a_sign_are_not_negative():
    assert grays(open_image(tiff(3, 32, 1, np.array([0, 2**31, 2**32 - 1], "<u4").tobytes()))) == [0, 128, 255]


def test_big_endian_gray():
    assert grays(open_image(Image.fromarray(np.array([[0, 25600, 65535]], ">u2")))) == [0, 100, 255]


# What is transparent


@pytest.mark.parametrize(
    ("depth", "row", "transparent", "expected"),
    [
        (1, b"\x40", 1, [0, 255]),
        (2, b"\x60", 1, [255, 170]),
        (4, b"\x64", 6, [255, 68]),
        (8, b"\x40\x64", 0x40, [255, 100]),
        (16, b"\x40\x01\x40\x02", 0x4001, [255, 64]),
    ],
)
def test_a_transparent_gray_of_any_depth_becomes_white(depth, row, transparent, expected):
    assert grays(open_image(png(2, depth, 0, row, png_chunk(b"tRNS", struct.pack(">H", transparent))))) == expected


def test_a_transparent_color_of_16_bits_becomes_white():
    row = np.array([25600, 512, 768, 512, 25600, 768], ">u2").tobytes()
    picture = open_image(png(2, 16, 2, row, png_chunk(b"tRNS", struct.pack(">HHH", 25600, 512, 768))))
    assert np.asarray(picture)[0].tolist() == [[255, 255, 255], [2, 100, 3]]


def test_what_the_first_frame_of_a_gif_leaves_undrawn_is_white():
    pixels = np.asarray(open_image(gif_with_small_frame()))
    assert (pixels[1:3, 1:3] == [0, 0, 255]).all()
    pixels = pixels.copy()
    pixels[1:3, 1:3] = 255
    assert (pixels == 255).all()
    assert (np.asarray(open_image(gif_with_small_frame(transparent=0))) == 255).all()


def test_a_palette_with_half_transparent_colors():
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putdata([0, 1])
    assert grays(open_image(encoded(image, "PNG", transparency=bytes([255, 128])))) == [0, 127]


# Profiles


def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8))


def expected_from(image: Image.Image, profile: bytes, mode: str = "RGB") -> np.ndarray:
    srgb = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(image.convert(mode), source, srgb, outputMode="RGB")).astype(int)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_display_p3_becomes_srgb(kind, options):
    profile = display_p3_profile()
    picture = open_image(encoded(photo(), kind, icc_profile=profile, **options))
    assert np.abs(np.asarray(picture) - expected_from(photo(), profile)).max() <= 1
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(photo())).mean() > 5
    assert open_image(picture).tobytes() == picture.tobytes()  # and not a second time


def test_the_red_of_display_p3_is_outside_srgb_and_its_grays_stay():
    image = Image.new("RGB", (2, 1))
    image.putdata([(200, 60, 60), (120, 120, 120)])
    red, gray = np.asarray(open_image(encoded(image, "PNG", icc_profile=display_p3_profile())))[0].tolist()
    assert red[0] > 205 and red[1] < 55
    assert max(abs(value - 120) for value in gray) <= 1


def test_a_profile_of_srgb_changes_no_pixel():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert open_image(encoded(photo(), "PNG", icc_profile=profile)).tobytes() == photo().tobytes()


def test_a_profile_counts_for_palettes_and_beside_transparency():
    profile, image = display_p3_profile(), photo().quantize(16)
    picture = open_image(encoded(image, "PNG", icc_profile=profile))
    assert np.abs(np.asarray(picture) - expected_from(image, profile)).max() <= 1
    image = photo().convert("RGBA")
    image.paste((9, 9, 9, 0), (0, 0, 8, 16))
    pixels = np.asarray(open_image(encoded(image, "PNG", icc_profile=profile)))
    assert (pixels[:, :8] == 255).all()
    assert np.abs(pixels[:, 8:] - expected_from(image, profile)[:, 8:]).max() <= 1


@pytest.mark.parametrize("profile", [b"no profile", display_p3_profile()[:200], bytes(5000)])
def test_a_damaged_profile_does_not_cost_the_picture(profile):
    assert open_image(encoded(photo(), "PNG", icc_profile=profile)).tobytes() == photo().tobytes()


def test_a_profile_of_another_kind_of_picture_is_left_out():
    gray = Image.linear_gradient("L")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert open_image(encoded(gray, "PNG", icc_profile=lab)).tobytes() == gray.convert("RGB").tobytes()


def test_lab_becomes_what_its_numbers_mean():
    # L* 53.6 (of 100 in 255), a* 80, b* 67: a strong red; a* and b* are signed in the file
    red, white = np.asarray(open_image(tiff(2, 8, 8, bytes([137, 80, 67, 255, 0, 0]), samples=3)))[0].tolist()
    assert red[0] > 245 and max(red[1:]) < 15
    assert min(white) >= 254


# Sizes


def test_a_picture_of_many_bands_is_the_same_as_in_one(monkeypatch):
    from course_utils import rgb

    image = Image.linear_gradient("L").convert("RGBA")
    image.putalpha(Image.radial_gradient("L"))
    whole = [to_rgb(image).tobytes(), to_rgb(image.convert("F")).tobytes()]
    monkeypatch.setattr(rgb, "PIXELS_AT_ONCE", 700)
    assert [to_rgb(image).tobytes(), to_rgb(image.convert("F")).tobytes()] == whole
