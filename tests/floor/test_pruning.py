"""Removing channels: the network gets smaller, and channels that did nothing are not missed."""

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock

from course_utils.pruning import remove_channels

PICTURES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return models.resnet18(weights=None, num_classes=5).eval()


def outputs(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(PICTURES)


def test_channels_that_only_carry_zeros_can_go_without_a_trace(resnet):
    blocks = [module for module in resnet.modules() if isinstance(module, BasicBlock)]
    for block in blocks:
        block.conv1.weight.data[::2] = 0  # every other channel is zero behind bn1 and the ReLU
    before, kept = outputs(resnet), blocks[0].conv1.weight.detach()[1::2]
    remove_channels(resnet, 0.5)
    assert torch.equal(blocks[0].conv1.weight, kept)
    assert torch.allclose(outputs(resnet), before, atol=1e-5)


def test_layers_say_their_new_size_and_the_network_still_trains(resnet):
    weights_before = sum(parameter.numel() for parameter in resnet.parameters())
    remove_channels(resnet, 0.75)
    block = resnet.layer4[1]
    assert (block.conv1.out_channels, block.bn1.num_features, block.conv2.in_channels) == (128, 128, 128)
    assert block.conv1.weight.shape == (128, 512, 3, 3) and block.bn1.running_var.shape == (128,)
    assert sum(parameter.numel() for parameter in resnet.parameters()) < weights_before / 2
    resnet.train()(PICTURES).sum().backward()
    assert all(parameter.grad is not None for parameter in resnet.parameters())


def test_frozen_layers_stay_frozen_and_the_type_of_number_stays(resnet):
    remove_channels(resnet.requires_grad_(False).to(torch.bfloat16), 0.5)
    assert not any(parameter.requires_grad for parameter in resnet.parameters())
    assert {parameter.dtype for parameter in resnet.parameters()} == {torch.bfloat16}


def test_nothing_to_remove_changes_nothing(resnet):
    before = outputs(resnet)
    assert torch.equal(outputs(remove_channels(resnet, 0)), before)


def test_one_channel_stays_whatever_is_asked(resnet):
    assert remove_channels(resnet, 0.9999).layer1[0].conv1.out_channels == 1
    assert outputs(resnet).shape == (2, 5)


@pytest.mark.parametrize("share", [1, -0.1, float("nan")])
def test_an_impossible_share_is_refused(resnet, share):
    with pytest.raises(ValueError, match="share must be at least 0 and below 1"):
        remove_channels(resnet, share)


def test_a_network_without_such_blocks_is_refused():
    with pytest.raises(ValueError, match="Sequential has no BasicBlock"):
        remove_channels(nn.Sequential(nn.Conv2d(3, 8, 3)), 0.5)
