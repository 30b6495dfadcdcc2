"""EfficientNet-Lite0: torchvision's own `EfficientNet` class, built the way Google built it for phones.

Four things differ from torchvision's EfficientNet-B0. Squeeze-and-excitation is left out and SiLU becomes ReLU6, which
phones compute fast; BatchNorm adds 1e-3 under its square root; and a convolution with stride 2 pads as TensorFlow does,
with which the network was trained.

Sources: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
https://arxiv.org/abs/1905.11946; EfficientNet-Lite by Google, 2020, Apache-2.0,
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.efficientnet import EfficientNet, MBConv, MBConvConfig

# Times wider inside, kernel, stride, channels in, channels out, blocks: the seven stages of B0, and of Lite0.
STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)


class SamePadConv2d(nn.Conv2d):
    """A convolution whose output has ``ceil(side / stride)`` rows and columns, TensorFlow's ``padding="same"``.

    With stride 2 the zeros around the picture can be an odd number. TensorFlow then puts one more below and to the
    right; torch's own padding puts the same number on every side, and looks at the picture one pixel further up and
    left. The weights fit either way, so nothing complains about the wrong one.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Turn (N, C, H, W) into (N, C', ceil(H / stride), ceil(W / stride)), for any H and W."""
        (top, bottom), (left, right) = (
            _zeros_around(side, kernel, stride)
            for side, kernel, stride in zip(input.shape[-2:], self.kernel_size, self.stride, strict=True)
        )
        return super().forward(F.pad(input, (left, right, top, bottom)))


def _zeros_around(side: int, kernel: int, stride: int) -> tuple[int, int]:
    outputs = -(-side // stride)  # rounded up
    zeros = max((outputs - 1) * stride + kernel - side, 0)
    return zeros // 2, zeros - zeros // 2


def efficientnet_lite0(num_classes: int = 1000) -> EfficientNet:
    """Return an EfficientNet-Lite0 with random weights: (N, 3, H, W) to logits (N, ``num_classes``)."""
    without_squeezing = partial(MBConv, se_layer=lambda *_channels, activation: nn.Identity())
    model = EfficientNet(
        [MBConvConfig(*stage, block=without_squeezing) for stage in STAGES],
        dropout=0.2,
        num_classes=num_classes,
        norm_layer=partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01),
        last_channel=1280,
    )
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.SiLU):
            model.set_submodule(name, nn.ReLU6(inplace=True))
        elif isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
            model.set_submodule(name, _pad_same(layer))
    return model


def _pad_same(layer: nn.Conv2d) -> SamePadConv2d:
    (height, width), (down, across) = layer.kernel_size, layer.stride
    padded = SamePadConv2d(
        layer.in_channels, layer.out_channels, (height, width), (down, across), groups=layer.groups, bias=False
    )
    padded.weight = layer.weight
    return padded


def pad_alike(model: EfficientNet) -> EfficientNet:
    """Let every convolution of an EfficientNet-Lite0 pad as torch does, the same on all sides; return the model.

    The mistake of whoever loads TensorFlow's weights into torch's own layers: all names and shapes fit, see
    `SamePadConv2d`. Lesson 08 measures what it costs.
    """
    for name, layer in list(model.named_modules()):
        if isinstance(layer, SamePadConv2d):
            (height, width), (down, across) = layer.kernel_size, layer.stride
            plain = nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                (height, width),
                (down, across),
                padding=(height // 2, width // 2),
                groups=layer.groups,
                bias=False,
            )
            plain.weight = layer.weight
            model.set_submodule(name, plain)
    return model.train(model.training)  # new layers in the mode of the others


def torchvision_names(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the published state dict under the names that `efficientnet_lite0` gives to the same tensors.

    The file counts all 16 blocks in a row, torchvision counts the blocks of each stage:

        _conv_stem, _bn0                    features.0.0, features.0.1
        _blocks.3._expand_conv, ._bn0       features.3.0.block.0.0, .block.0.1     (the fourth block is in stage 3)
        _blocks.3._depthwise_conv, ._bn1    features.3.0.block.1.0, .block.1.1
        _blocks.3._project_conv, ._bn2      features.3.0.block.3.0, .block.3.1     (block.2 would squeeze and excite)
        _conv_head, _bn1                    features.8.0, features.8.1
        _fc                                 classifier.1

    The very first block does not get wider inside: it has no ``_expand_conv``, and what follows moves up by one.
    """
    names = {
        "_conv_stem": "features.0.0",
        "_bn0": "features.0.1",
        "_conv_head": f"features.{len(STAGES) + 1}.0",
        "_bn1": f"features.{len(STAGES) + 1}.1",
        "_fc": "classifier.1",
    }
    places = [
        (stage, position, wider > 1)
        for stage, (wider, *_, blocks) in enumerate(STAGES, start=1)
        for position in range(blocks)
    ]
    for number, (stage, position, expands) in enumerate(places):
        theirs, ours = f"_blocks.{number}", f"features.{stage}.{position}.block"
        if expands:
            names |= {f"{theirs}._expand_conv": f"{ours}.0.0", f"{theirs}._bn0": f"{ours}.0.1"}
        depthwise = 1 if expands else 0
        names |= {f"{theirs}._depthwise_conv": f"{ours}.{depthwise}.0", f"{theirs}._bn1": f"{ours}.{depthwise}.1"}
        names |= {f"{theirs}._project_conv": f"{ours}.{depthwise + 2}.0", f"{theirs}._bn2": f"{ours}.{depthwise + 2}.1"}
    renamed = {}
    for name, tensor in published.items():
        layer, _, kind = name.rpartition(".")
        renamed[f"{names[layer]}.{kind}"] = tensor
    return renamed
