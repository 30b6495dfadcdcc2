"""The stickers of ps3-fine-tuning: what their docstring promises, for every drawing and every way to save it."""

import numpy as np
import pytest
from PIL import Image

from course_utils import doodle_pets
from course_utils.grading.stickers import DRAWINGS, WAYS, _drawings, stickers


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=float).ravel()


def test_they_are_what_doodle_pets_draws():
    for drawn, stored in zip(doodle_pets(6, seed=400, size=32).images, _drawings(), strict=False):
        assert np.abs(small(drawn) - small(stored)).mean() < 2


def test_as_many_and_as_many_copies_as_asked_for():
    made = stickers(60, copies=20, seed=1)
    assert len(made.images) == len(made.labels) == len(made.drawings) == 60
    assert len(set(made.drawings)) == 40
    assert all(label == drawing % 2 for label, drawing in zip(made.labels, made.drawings, strict=True))
    assert {image.mode for image in made.images} == {"RGB"}
    assert len({image.size for image in made.images}) == 3


def test_a_seed_decides_everything():
    first, again, other = stickers(30, 10, seed=5), stickers(30, 10, seed=5), stickers(30, 10, seed=6)
    assert first.drawings == again.drawings != other.drawings
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first.images, again.images, strict=True))


def test_copies_are_near_and_different_drawings_far():
    saved = np.stack([[small(way(drawing)) for drawing in _drawings()] for way in WAYS])
    for one in saved:
        for other in saved:
            assert np.abs(one - other).mean(axis=1).max() < 10
            apart = np.stack([np.abs(other - picture).mean(axis=1) for picture in one])
            apart[np.diag_indices(DRAWINGS)] = 255
            assert apart.min() > 14


@pytest.mark.parametrize(("n", "copies"), [(500, 99), (10, 10), (10, -1), (0, 0)])
def test_more_drawings_than_there_are_is_an_error(n, copies):
    with pytest.raises(ValueError, match="not enough"):
        stickers(n, copies)
