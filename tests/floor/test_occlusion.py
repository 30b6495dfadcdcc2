"""Occlusion maps: they find what a network looks at, and agree with another program's."""

import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from course_utils import load_pretrained
from course_utils.occlusion import occlusion_map


class LooksAtOneCorner(nn.Module):
    """Says "bright" or "dark" by the upper left quarter alone."""

    def forward(self, images):
        half = images.shape[-1] // 2
        bright = images[..., :half, :half].mean(dim=(1, 2, 3))
        return torch.stack([bright, -bright], dim=1)


def test_the_map_is_high_where_the_network_looks_and_zero_elsewhere():
    (found,) = occlusion_map(LooksAtOneCorner(), torch.ones(1, 3, 32, 32), [0])
    assert found[:16, :16].min() > 0
    assert found[20:, :].abs().max() == 0 and found[:, 20:].abs().max() == 0


def test_an_answer_that_gets_surer_is_negative():
    (found,) = occlusion_map(LooksAtOneCorner(), torch.ones(1, 3, 32, 32), [1])
    assert found.min() < 0 and found.max() <= 1e-6


def test_captum_says_the_same():
    model, _ = load_pretrained("resnet18", "course", quiet=True)
    batch = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    targets = model(batch).argmax(dim=1).tolist()
    probabilities = nn.Sequential(model, nn.Softmax(dim=1))
    theirs = Occlusion(probabilities).attribute(
        batch, (3, 16, 16), strides=(3, 8, 8), baselines=0, target=torch.tensor(targets), perturbations_per_eval=8
    )
    torch.testing.assert_close(occlusion_map(model, batch, targets), theirs[:, 0].float(), atol=1e-5, rtol=1e-4)


def test_windows_reach_the_edge_of_any_picture_and_the_model_is_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten()).train()
    before = model[1].running_mean.clone()
    found = occlusion_map(model, torch.rand(1, 3, 33, 50), [1], window=10, stride=7)
    assert found.shape == (1, 33, 50) and found.isfinite().all()
    assert model.training and torch.equal(model[1].running_mean, before)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"window": 40}, "does not cover"), ({"window": 4, "stride": 5}, "does not cover"), ({"window": 0}, "must fit")],
)
def test_windows_that_do_not_fit(options, words):
    with pytest.raises(ValueError, match=words):
        occlusion_map(LooksAtOneCorner(), torch.ones(1, 3, 32, 32), [0], **options)


def test_each_picture_needs_a_target():
    with pytest.raises(ValueError, match="1 pictures and 2 targets"):
        occlusion_map(LooksAtOneCorner(), torch.ones(1, 3, 32, 32), [0, 1])
