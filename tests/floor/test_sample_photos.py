"""The sample photos: complete, free, described, and there without a network."""

from pathlib import Path

import pytest

from course_utils import ImageError, Photo, sample_images, sample_photos


def test_sample_images_are_complete_and_free():
    photos = sample_images()
    assert {"cat", "coffee", "rocket"} <= set(photos)
    for name, photo in photos.items():
        assert isinstance(photo, Photo) and photo.name == name
        assert photo.image.mode == photo.square.mode == "RGB"
        assert photo.square.width == photo.square.height >= 300
        assert len(photo.description) > 30 and photo.description.endswith(".")
        assert "skimage.data" in photo.source and photo.licence.startswith(("CC0", "Public domain"))


def test_sample_images_say_what_scikit_image_says():
    """The licences stand in the docstrings of the installed scikit-image."""
    fetchers = (sample_photos._scikit_image_data() / "_fetchers.py").read_text(encoding="utf-8")
    for photo in sample_images().values():
        function = photo.source.rsplit(".", 1)[-1]
        docstring = fetchers.split(f"def {function}(")[1].split('"""')[1]
        assert ("CC0" if photo.licence.startswith("CC0") else "public domain") in docstring


def test_a_square_that_reaches_beyond_the_photo_is_filled_with_white():
    square = sample_images()["horse"].square
    assert square.getpixel((0, 0)) == (255, 255, 255) and square.getpixel((200, square.height - 1)) == (255, 255, 255)


def test_sample_images_without_scikit_image(monkeypatch):
    monkeypatch.setattr(sample_photos.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImageError, match="pip install scikit-image"):
        sample_images()


def test_sample_images_do_not_change_when_one_is_edited():
    first = sample_images()["cat"].image
    first.paste((0, 0, 0), (0, 0, *first.size))
    assert sample_images()["cat"].image.tobytes() != first.tobytes()
    assert Path(sample_photos._scikit_image_data() / "chelsea.png").is_file()
