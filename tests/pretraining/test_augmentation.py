"""Crops, flips and mixes of whole batches."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_utils.pretraining import augmentation

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_whole_picture_resized_is_torch_s_antialiased_resize():
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(2, 1)
    assert torch.equal(augmentation.crop_and_resize(images, whole, 64), images.float())
    expected = F.interpolate(images.float(), (48, 48), mode="bilinear", antialias=True)
    torch.testing.assert_close(augmentation.crop_and_resize(images, whole, 48), expected, atol=0.01, rtol=0)


def test_a_box_is_cut_out_and_flipped():
    images = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    box = torch.tensor([[0.75, 0.0, 0.25, 0.5]])  # columns 16..48 backwards, rows 0..32
    expected = images[:, :, :32, 16:48].flip(3).float()
    torch.testing.assert_close(augmentation.crop_and_resize(images, box, 32), expected)


def test_random_boxes_keep_their_promises():
    left, top, right, bottom = augmentation.random_boxes(4000, 0.35, torch.Generator().manual_seed(0)).unbind(1)
    width, height = (right - left).abs(), bottom - top
    assert min(left.min(), right.min(), top.min()) >= 0 and max(left.max(), right.max(), bottom.max()) <= 1 + 1e-6
    assert (width * height).min() > 0.34 and (width * height).max() <= 1
    ratio = width / height
    assert 0.74 < ratio.min() < 0.8 and 1.25 < ratio.max() < 1.34
    assert 0.45 < (right < left).float().mean() < 0.55


def test_mixup_and_cutmix_say_how_much_is_left_of_each_picture():
    images = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)])
    mixed, own = augmentation.mix(images, 0.75, None)
    assert own == 0.75
    torch.testing.assert_close(mixed.mean((1, 2, 3)), torch.tensor([0.25, 0.75]))
    cut, own = augmentation.mix(images, 0.75, (0.5, 0.5))  # a 4 x 4 square in the middle
    assert own == 0.75 and cut[0, :, 2:6, 2:6].eq(1).all() and cut[0].sum() == 3 * 16
    cut, own = augmentation.mix(images, 0.75, (0.0, 0.0))  # three quarters of the square lie outside
    assert own == 1 - 4 / 64 and cut[0].sum() == 3 * 4


def test_mixes_are_drawn_only_when_asked_for():
    def draw(**alphas):
        return list(augmentation.draw_mixes(200, rng=np.random.default_rng(0), **alphas))

    assert set(draw(mixup=0, cutmix=0)) == {(1.0, None)}
    assert all(center is None and 0 < share < 1 for share, center in draw(mixup=1, cutmix=0))
    assert all(center is not None for _, center in draw(mixup=0, cutmix=1))
    assert 60 < sum(center is None for _, center in draw(mixup=1, cutmix=1)) < 140
