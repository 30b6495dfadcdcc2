"""Three ways to teach a network new categories, each on the clock and tested: what `bench` and the model cards compare.

From scratch starts with random weights, the head only learns from features of the frozen network, and everything is
`fine_tune` from the pre-trained weights.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image
from torch import nn

from course_utils.data import Pictures
from course_utils.features import extract_features, fit_head, install_head
from course_utils.heads import replace_head
from course_utils.inference import evaluate
from course_utils.metrics import accuracy
from course_utils.training import fine_tune
from course_utils.weights import build, load_pretrained

SCRATCH, HEAD, EVERYTHING = "from scratch", "head only", "fine-tune everything"


@dataclass(frozen=True)
class Measurement:
    """One way, trained once: its accuracy on the test pictures (None where nothing is learned) and its seconds."""

    row: str
    accuracy: float | None
    seconds: float


class Preset(Protocol):
    """The preprocessing of a classifier's weights, as ``weights.transforms()`` returns it."""

    crop_size: list[int]
    mean: list[float]
    std: list[float]

    def __call__(self, img: Image.Image) -> torch.Tensor:
        """Turn a picture into a normalised tensor (3, H, W)."""
        ...


@dataclass(frozen=True)
class Start:
    """What every way starts from: the pre-trained network by its name, its preprocessing, and where to compute."""

    name: str
    model: nn.Module
    transform: Preset
    device: torch.device

    @property
    def pixels(self) -> int:
        """The side of the pictures that the network sees."""
        return self.transform.crop_size[0]

    def pretrained(self) -> nn.Module:
        """A fresh copy of the pre-trained network, in eval mode, where the measuring takes place."""
        return copy.deepcopy(self.model).to(self.device)

    def untrained(self, num_classes: int, seed: int) -> nn.Module:
        """The same network with random weights."""
        torch.manual_seed(seed)
        return build(self.name, num_classes).to(self.device)

    def seconds(self, work: Callable[[], object]) -> float:
        """How long ``work`` takes, up to the end of what it left running on a GPU."""
        started = time.perf_counter()
        work()
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)
        return time.perf_counter() - started

    def trained(self, row: str, model: nn.Module, train: Callable[[nn.Module], object], test: Pictures) -> Measurement:
        """Train the model, on the clock, then test it, off the clock."""
        seconds = self.seconds(lambda: train(model))
        logits, labels = evaluate(model, self.transform, test, device=self.device, progress=False)
        return Measurement(row, accuracy(labels, logits.argmax(dim=1)), seconds)


def start_from(name: str, device: torch.device) -> Start:
    """Return the `Start` with the weights of ``name`` that come with the course."""
    model, weights = load_pretrained(name, "course", quiet=True)
    return Start(name, model, weights.transforms(), device)


def new_head(
    start: Start, pictures: Pictures, *, epochs: int, lr: float = 1e-3, seed: int
) -> Callable[[nn.Module], object]:
    """The course's way: every picture goes through the frozen network once, then the head learns from the features."""

    def train(model: nn.Module) -> None:
        features, labels = extract_features(model, start.transform, pictures, device=start.device, progress=False)
        linear, _ = fit_head(features, labels, len(pictures.categories), epochs=epochs, lr=lr, seed=seed)
        install_head(model, linear)

    return train


def whole_network(
    start: Start, pictures: Pictures, *, epochs: int, lr: float, seed: int
) -> Callable[[nn.Module], object]:
    """Everything learns, from whatever weights the model has."""
    options = {"epochs": epochs, "lr": lr, "seed": seed, "device": start.device, "progress": False}
    return lambda model: fine_tune(model, start.transform, pictures, **options)


def learn(way: str, start: Start, train: Pictures, test: Pictures, *, epochs: int, lr: float, seed: int) -> Measurement:
    """Train one classifier of the categories of ``train`` in one of the three ways, and test it."""
    options = {"epochs": epochs, "lr": lr, "seed": seed}
    if way == HEAD:
        return start.trained(way, start.pretrained(), new_head(start, train, **options), test)
    count = len(train.categories)
    if way == SCRATCH:
        model = start.untrained(count, seed)
    else:
        torch.manual_seed(seed)  # the new head is random
        model = replace_head(start.pretrained(), count)
    return start.trained(way, model, whole_network(start, train, **options), test)
