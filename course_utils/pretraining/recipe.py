"""The settings of a training run: everything besides the pictures that decides the result."""

import math
from dataclasses import dataclass

from course_utils.errors import CourseError

MOST_PX, MOST_EPOCHS = 512, 10_000  # the data set's pictures have 64 px
MODELS = ("resnet18", "mobilenet_v3_small")


class PretrainError(CourseError, RuntimeError):
    """Training cannot begin or go on; the message says why and what to do."""


@dataclass(frozen=True)
class Recipe:
    """Everything besides the pictures that decides the result; it is stored with the weights."""

    model: str = "resnet18"
    sizes: tuple[tuple[int, int], ...] = ((32, 4), (48, 3), (64, 3))  # (side of the pictures in px, epochs)
    batch_size: int = 256  # of all processes together
    lr: float = 0.4  # the highest
    warmup: float = 0.1  # the part of the run in which the learning rate rises
    momentum: float = 0.9
    weight_decay: float = 5e-4  # of matrices and kernels only, not of biases and batch normalisation
    label_smoothing: float = 0.1
    min_area: float = 0.35  # of a random crop, as a part of the picture
    mixup: float = 0.0  # alpha of its Beta distribution; 0 is off
    cutmix: float = 0.0  # likewise; with both on, each batch takes one of the two
    ema_decay: float = 0.998  # a step
    ema_every: int = 4  # steps from one update of the average to the next
    seed: int = 0
    precision: str = "fp32"
    processes: int = 1
    warm_start: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense, before hours of work."""
        for name, makes_sense, meaning in (
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("lr", 0 < self.lr < math.inf, "more than 0"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "from 0 to less than 1"),
            ("min_area", 0 < self.min_area <= 1, "more than 0 and at most 1"),
            ("mixup", 0 <= self.mixup < math.inf, "0 or more"),
            ("cutmix", 0 <= self.cutmix < math.inf, "0 or more"),
            ("ema_decay", 0 <= self.ema_decay < 1, "from 0 to less than 1"),
            ("ema_every", self.ema_every >= 1, "at least 1"),
            ("seed", 0 <= self.seed < 2**48, "0 or more, and less than 2**48"),
        ):
            if not makes_sense:
                raise PretrainError(f"{name} is {getattr(self, name)}; it must be {meaning}.")

    @property
    def px_of_epoch(self) -> list[int]:
        """The side of the pictures in each epoch, in pixels."""
        return [px for px, epochs in self.sizes for _ in range(epochs)]
