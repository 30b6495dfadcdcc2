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


def build(name: str, num_classes: int = 1000) -> nn.Module:
    """Return a torchvision classifier with random weights, the same at every call."""
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}  # their own way takes long
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return models.get_model(name, weights=None, num_classes=num_classes, **options)


def outline(name: str) -> nn.Module:
    """Return a torchvision classifier for 1000 classes that is good for shapes only, even a VGG in no time.

    Its weights are whatever was in memory; filling them with random numbers is what takes long in `build`.
    """
    if name.startswith("regnet"):  # cannot be built on the meta device
        return build(name)
    model = copy.deepcopy(_on_meta(name)).to_empty(device="cpu")
    for buffer in model.buffers():
        buffer.zero_()  # Swin's buffers are indices, which have to be in range
    return model


@cache
def _on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return build(name)


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
    try:
        for module in modes:
            module.training = False
        with torch.no_grad():
            scores = model(pictures)
    finally:
        for module, mode in modes.items():
            module.training = mode
        for watcher in watchers:
            watcher.remove()
    return Forward(scores, ran)


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
