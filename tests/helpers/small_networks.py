"""Small networks, and noise pictures of 32 px that are easy to tell apart, for the tests of training."""

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models import resnet18
from torchvision.transforms import v2

from course_utils import (
    History,
    Pictures,
)

NAMES = ("reddish", "bluish")
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)])


def noise_pictures(n: int, seed: int = 0, size: int = 32, categories=NAMES) -> Pictures:
    """Noise, with a tint of red in category 0 and of blue in category 1."""
    generator = np.random.default_rng(seed)
    images, labels = [], []
    for index in range(n):
        label = index % len(categories)
        pixels = generator.integers(0, 200, (size, size, 3), dtype=np.uint8)
        pixels[..., 2 if label else 0] += 55
        images.append(Image.fromarray(pixels))
        labels.append(label)
    return Pictures(images, labels, categories)


def small_resnet(seed: int = 0, num_classes: int = 2) -> nn.Module:
    torch.manual_seed(seed)
    return resnet18(num_classes=num_classes).eval()


class TinyNet(nn.Module):
    """Fast enough for many epochs: no BatchNorm, no Dropout, so nothing differs between train and eval mode."""

    def __init__(self, num_classes: int = 2):
        super().__init__()
        self.features = nn.Conv2d(3, 4, kernel_size=3, stride=4)
        self.fc = nn.Linear(4, num_classes)

    def forward(self, x):
        return self.fc(self.features(x).relu().mean(dim=(2, 3)))


def tiny_net(seed: int = 0, num_classes: int = 2) -> TinyNet:
    torch.manual_seed(seed)
    return TinyNet(num_classes)


def net_with_batchnorm_and_dropout(seed: int = 0, dropout: float = 0.5) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, stride=4, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(8, 2))


def copy_of_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


def numbers_of(history: History) -> tuple:
    """All that must be the same in two equal runs: everything but the clock."""
    return history.train_loss, history.train_accuracy, history.validation_loss, history.validation_accuracy
