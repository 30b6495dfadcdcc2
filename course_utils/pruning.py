"""Make a ResNet really smaller: take channels out, instead of setting weights to zero."""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock


def remove_channels(model: nn.Module, share: float) -> nn.Module:
    """Remove this share (0 to 1) of the channels inside every block of a ResNet-18 or -34, in place; return the model.

    A block is two convolutions, and only the channels between them are nobody else's business. Those go whose
    filters have the smallest sum of absolute weights (Li et al., "Pruning Filters for Efficient ConvNets", 2017,
    https://arxiv.org/abs/1608.08710); at least one stays. What enters and leaves a block keeps its shape.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share must be at least 0 and below 1, got {share!r}.")
    blocks = [module for module in model.modules() if isinstance(module, BasicBlock)]
    if not blocks:
        raise ValueError(f"{type(model).__name__} has no BasicBlock; only ResNet-18 and ResNet-34 are made of them.")
    for block in blocks:
        strength = block.conv1.weight.detach().abs().sum(dim=(1, 2, 3))
        count = max(1, round((1 - share) * len(strength)))
        keep = strength.topk(count).indices.sort().values
        for layer in (block.conv1, block.bn1):
            for name, tensor in (*layer.named_parameters(), *layer.named_buffers()):
                if tensor.ndim > 0:  # num_batches_tracked is a single number
                    _replace(layer, name, tensor[keep])
        _replace(block.conv2, "weight", block.conv2.weight[:, keep])
        block.conv1.out_channels = block.conv2.in_channels = count
        block.bn1.num_features = count  # pyright: ignore[reportArgumentType] - torchvision declares any layer here
    return model


def _replace(layer: nn.Module, name: str, tensor: torch.Tensor) -> None:
    old = getattr(layer, name)
    new = tensor.detach().clone()
    setattr(layer, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)
