"""Convolution as a product of matrices gives what torch's own convolution gives."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from course_utils.pretraining.small_maps import SmallMapConv2d, speed_up_small_maps


def convolved(conv, x, bfloat16):
    """Output, and gradients of the input and the weight."""
    x = x.clone().requires_grad_()
    conv.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        y = conv(x)
    weights = torch.linspace(-1, 1, y.numel()).view_as(y)
    (y.float() * weights).sum().backward()
    return y.detach().float(), x.grad, conv.weight.grad


@pytest.mark.parametrize("side", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)])
def test_same_output_and_gradients(side, kernel, stride):
    torch.manual_seed(0)
    plain = nn.Conv2d(5, 4, kernel, stride, kernel // 2, bias=False)
    fast = speed_up_small_maps(copy.deepcopy(plain))
    assert type(fast) is SmallMapConv2d
    x = torch.randn(3, 5, side, side)
    # In 32 bits: torch 2.15's own gradient of the weight in bfloat16 holds stray numbers where maps are 1 px.
    for name, ours, theirs in zip(("y", "dx", "dw"), convolved(fast, x, True), convolved(plain, x, False), strict=True):
        assert ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, atol=0.03 * theirs.abs().max().item()), name


def test_without_autocast_it_is_the_usual_convolution_bit_for_bit():
    plain = torchvision.models.resnet18(num_classes=3).eval()
    fast = speed_up_small_maps(copy.deepcopy(plain))
    assert list(fast.state_dict()) == list(plain.state_dict())
    assert sum(isinstance(module, SmallMapConv2d) for module in fast.modules()) == 20
    x = torch.randn(2, 3, 48, 48)
    assert torch.equal(fast(x), plain(x))


def test_what_is_not_a_plain_square_convolution_is_left_alone():
    others = nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1),  # has a bias
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=0, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(4, 4, (1, 3), padding=(0, 1), bias=False),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect", bias=False),
        nn.Conv2d(4, 4, 3, padding="same", bias=False),
    )
    assert all(type(module) is nn.Conv2d for module in speed_up_small_maps(others))
