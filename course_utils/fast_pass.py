"""The same answers sooner: a copy of a network that is made for forward passes on a CPU, and for nothing else.

Two things are done to it, and neither changes an answer beyond rounding. BatchNorm in eval mode multiplies and adds
fixed numbers, and so does the convolution before it: one layer does both. And the channels of a pixel are stored side
by side ("channels last"), the order in which a CPU's convolutions read them. `predict`, `evaluate` and
`extract_features` use such a copy; the model that they were given stays as it is. `make bench` measures what it brings.
"""

import copy

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from course_utils.efficientnet_lite import SamePadConv2d
from course_utils.heads import keep_frozen_layers_in_eval

CONVOLUTIONS = (nn.Conv2d, SamePadConv2d)
KNOWN_CODE = ("torch", "torchvision", "course_utils")


class _Tracer(fx.Tracer):
    """Follows a picture through a network and notes the layers, without looking into convolutions."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.Conv2d) or super().is_leaf_module(m, module_qualified_name)


def fast_copy(model: nn.Module) -> nn.Module:
    """Return a network with the answers of ``model``, which is in eval mode and on the CPU, that gives them sooner.

    It shares all tensors with the model but the convolutions' weights, so use it at once and throw it away. Where
    nobody can be sure that the answers stay the same, the model itself is returned: it has hooks, which want to see
    its own layers; it has layers that a reader wrote; or it has no BatchNorm right behind a convolution.
    """
    layers = list(model.modules())
    if not all(map(_is_plain, layers)) or not any(type(layer) is nn.BatchNorm2d for layer in layers):
        return model
    tensors = [*model.parameters(), *model.buffers()]
    try:
        fast = copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})  # new layers, the same tensors
        pairs = _normalised_convolutions(fast)
    except Exception:  # a network that cannot be copied or followed says so in many ways, and none matters here
        return model
    if not pairs:
        return model
    with torch.no_grad():
        for convolution, norm in pairs.items():
            _fold(fast, convolution, norm)
            fast.set_submodule(norm, nn.Identity())
        for layer in fast.modules():
            if isinstance(layer, nn.Conv2d) and type(layer) in CONVOLUTIONS:
                layer.weight = nn.Parameter(layer.weight.to(memory_format=torch.channels_last), requires_grad=False)
    return fast


def _is_plain(module: nn.Module) -> bool:
    """Whether a layer does what its class says, and that class is not a reader's own."""
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    return (
        type(module).__module__.split(".")[0] in KNOWN_CODE
        and "forward" not in vars(module)
        and not any(hook is not keep_frozen_layers_in_eval for hook in hooks)
        and not module.training
    )


def _normalised_convolutions(model: nn.Module) -> dict[str, str]:
    """The names of the convolutions whose output goes into a BatchNorm and nowhere else, each with that BatchNorm's."""
    nodes = list(_Tracer().trace(model).nodes)
    calls = [node.target for node in nodes if node.op == "call_module"]
    pairs = {}
    for node in nodes:
        before = node.args[0] if node.op == "call_module" and node.args else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        convolution, norm = model.get_submodule(str(before.target)), model.get_submodule(str(node.target))
        if type(convolution) not in CONVOLUTIONS or type(norm) is not nn.BatchNorm2d or norm.running_mean is None:
            continue
        if calls.count(before.target) == calls.count(node.target) == 1:
            pairs[str(before.target)] = str(node.target)
    return pairs


def _fold(model: nn.Module, convolution_name: str, norm_name: str) -> None:
    """Give the convolution what it and its BatchNorm compute together."""
    convolution, norm = model.get_submodule(convolution_name), model.get_submodule(norm_name)
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
