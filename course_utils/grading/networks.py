"""Networks for test cells, and ways to see what was done to them.

Everything here looks at behaviour: which layers run, which numbers move. Never at the names of attributes or at the
text of an answer, so that every right way to write an answer passes. All networks have random weights or none;
nothing is downloaded.
"""

import copy
from collections import Counter
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.resnet import BasicBlock
from torchvision.ops import StochasticDepth

from course_utils.grading.points import expect

# Pictures are small, so that a test cell takes seconds. Three families insist on their size.
SIDE = 64
SIDE_OF = {"vit_b_32": 224, "maxvit_t": 224, "inception_v3": 299}


class Forward(NamedTuple):
    """One forward pass: what came out, and every layer without sublayers in the order in which it ran."""

    scores: Tensor
    layers: list[nn.Module]

    @property
    def head(self) -> nn.Module:
        """The head: the `nn.Linear` or `nn.Conv2d` that ran last."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear | nn.Conv2d)][-1]


def _small_vgg(num_classes: int) -> nn.Module:
    """A VGG with its hidden layers and dropout after the backbone, and few features."""
    with torch.device("meta"):  # the usual classifier, a hundred million numbers, is never filled
        model = models.VGG(nn.Sequential(), num_classes, init_weights=False)
    model.features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
    model.avgpool = nn.AdaptiveAvgPool2d(2)
    hidden = [nn.Linear(32, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 16), nn.ReLU(), nn.Dropout()]
    model.classifier = nn.Sequential(*hidden, nn.Linear(16, num_classes))
    return model


# Torchvision's own classes with few and narrow layers: what the large ones do, in milliseconds.
SMALL = {
    "a small VGG": _small_vgg,
    "a small DenseNet": lambda n: models.DenseNet(4, (1, 1, 1, 1), 8, num_classes=n),
    "a small ViT": lambda n: models.VisionTransformer(
        SIDE, 32, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=16, num_classes=n
    ),
    "a small Swin": lambda n: models.SwinTransformer([4, 4], 8, [2], [2], [4, 4], num_classes=n),
    "a small ConvNeXt": lambda n: models.ConvNeXt(
        [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], stochastic_depth_prob=0.3, num_classes=n
    ),
    "a ResNet with GroupNorm": lambda n: models.ResNet(
        BasicBlock, [1, 1, 1, 1], n, norm_layer=lambda channels: nn.GroupNorm(8, channels)
    ),
}


def build(name: str, num_classes: int = 1000) -> nn.Module:
    """Return a torchvision classifier with random weights and BatchNorm statistics, the same at every call."""
    return copy.deepcopy(_built(name, num_classes))


@cache
def _built(name: str, num_classes: int) -> nn.Module:
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}  # their own way takes long
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if name in SMALL:
            model = SMALL[name](num_classes)
        else:
            model = models.get_model(name, weights=None, num_classes=num_classes, **options)
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):  # a network that has seen pictures: not mean 0 and variance 1
                assert layer.running_mean is not None and layer.running_var is not None
                layer.running_mean.uniform_(-0.2, 0.2)
                layer.running_var.uniform_(0.8, 1.25)
        return model


def outline(name: str) -> nn.Module:
    """Return a torchvision classifier for 1000 classes that is good for shapes only, even a VGG in no time.

    Its weights are whatever was in memory; filling them with random numbers is what takes long in `build`.
    """
    if name in SMALL or name.startswith("regnet"):  # a RegNet cannot be built on the meta device
        return build(name)
    model = copy.deepcopy(_on_meta(name)).to_empty(device="cpu")
    for buffer in model.buffers():
        buffer.zero_()  # Swin's buffers are indices, which have to be in range
    return model


def on_meta(name: str) -> nn.Module:
    """Return a torchvision classifier for 1000 classes on the meta device, where tensors have shapes and no numbers."""
    return copy.deepcopy(_on_meta(name))


@cache
def _on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return SMALL[name](1000) if name in SMALL else models.get_model(name, weights=None)


@cache
def shapes_of(name: str) -> Forward:
    """Return the forward pass of the architecture for 1000 classes, on the meta device: shapes without arithmetic."""
    model = build(name).to("meta") if name.startswith("regnet") else _on_meta(name)
    return forward(model, pictures(name).to("meta"))


@cache
def head_name(name: str) -> str:
    """Return the name of the layer that runs last in the architecture."""
    head = shapes_of(name).head
    return next(place for place, layer in _on_meta(name).named_modules() if layer is head)


def pictures(name: str, count: int = 2) -> Tensor:
    """Return `count` random pictures that the architecture accepts, a tensor (count, 3, side, side)."""
    side = SIDE_OF.get(name, SIDE)
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0), device="cpu")


def forward(model: nn.Module, pictures: Tensor) -> Forward:
    """Run the model once in eval mode and watch; every layer keeps the mode that it had."""
    ran: list[nn.Module] = []
    modes = {module: module.training for module in model.modules()}
    watchers = [
        module.register_forward_hook(lambda module, _inputs, _output: ran.append(module))
        for module in model.modules()
        if not list(module.children())
    ]
    normalising = [module for module in modes if pictures.is_meta and type(module) is nn.BatchNorm2d]
    try:
        for module in modes:
            module.training = False
        for module in normalising:  # it keeps every shape, and takes torch long to find that out
            vars(module)["forward"] = lambda maps: maps
        with torch.no_grad():
            scores = model(pictures)
    finally:
        for module in normalising:
            del vars(module)["forward"]
        for module, mode in modes.items():
            module.training = mode
        for watcher in watchers:
            watcher.remove()
    return Forward(scores, ran)


def features(model: nn.Module, pictures: Tensor) -> Tensor:
    """Return what the head is given, with every layer in the mode in which it is; dropout lets everything through.

    Dropout may stay as it is in a frozen backbone: it changes no number, so it is taken out of the comparison.
    """
    given: list[Tensor] = []
    dropped = [layer for layer in model.modules() if isinstance(layer, nn.modules.dropout._DropoutNd | StochasticDepth)]
    shares = [layer.p for layer in dropped]
    watchers = [
        layer.register_forward_pre_hook(lambda _layer, inputs: given.append(inputs[0].detach().clone()))
        for layer in model.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    try:
        for layer in dropped:
            layer.p = 0.0
        with torch.no_grad():
            model(pictures)
    finally:
        for layer, share in zip(dropped, shares, strict=True):
            layer.p = share
        for watcher in watchers:
            watcher.remove()
    return given[-1]


def lost_layers(before: Forward, after: Forward) -> list[str]:
    """Return the kinds of layers that ran in `before`, apart from its head, and no longer run in `after`."""

    def kinds(run: Forward) -> Counter:
        return Counter(
            (type(layer).__name__, *(tuple(parameter.shape) for parameter in layer.parameters()))
            for layer in run.layers
            if layer is not run.head
        )

    return sorted(kind[0] for kind in (kinds(before) - kinds(after)).elements())


def train(model: nn.Module, pictures: Tensor, steps: int = 2) -> None:
    """Train in train mode, on all parameters that want to learn; the first picture is of class 1, the others of 0.

    Weight decay and momentum are on: they move a weight that is not frozen even where its gradient is zero.
    """
    model.train()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    expect(learning, "Nothing is left that may learn: every parameter has requires_grad=False, the head's too.")
    optimizer = torch.optim.SGD(learning, lr=0.1, momentum=0.9, weight_decay=0.1)
    labels = (torch.arange(len(pictures)) == 0).long()
    with torch.enable_grad():
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pictures), labels).backward()
            optimizer.step()


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of every tensor of the state dict: parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> list[str]:
    """Return the names whose tensors are not equal, bit by bit, in two snapshots."""
    return [
        name
        for name in sorted(before.keys() | after.keys())
        if name not in before or name not in after or not torch.equal(before[name], after[name])
    ]
