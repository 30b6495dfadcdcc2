"""The book-keeping of a training: settings that make sense, what happened in each epoch, and when to stop."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class History:
    """What happened in each epoch: mean loss, accuracy (0 to 1) and seconds, one number for each epoch.

    Training numbers are taken while the weights change, on augmented pictures if they are augmented. The
    validation lists stay empty where there was nothing to validate on.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return len(self.seconds)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, whose weights are kept: the lowest validation loss; without validation the last."""
        if not self.validation_loss:
            return self.epochs
        return self.validation_loss.index(min(self.validation_loss)) + 1

    @property
    def total_seconds(self) -> float:
        """Seconds of training and validation; what is preprocessed once, before the first epoch, is not counted."""
        return sum(self.seconds)


def record(history: History, part: str, loss: float, accuracy: float) -> None:
    """Add an epoch's mean loss and accuracy (0 to 1) of the part "train" or "validation".

    Raises ValueError for a loss that is no number any more.
    """
    if not math.isfinite(loss):
        raise ValueError(
            f"The {part} loss is {loss} in epoch {history.epochs + 1}: the learning rate is probably too high (try a "
            "tenth of it), or the input holds NaN. What was trained is spoiled now; start again from what you loaded."
        )
    getattr(history, f"{part}_loss").append(loss)
    getattr(history, f"{part}_accuracy").append(accuracy)


def out_of_patience(history: History, patience: int | None) -> bool:
    """Say whether the best epoch lies ``patience`` epochs back; without patience it never does."""
    return patience is not None and history.epochs - history.best_epoch >= patience


def loss_and_accuracy(logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy (0 to 1) of logits (N, classes) for labels (N,)."""
    return F.cross_entropy(logits, labels).item(), count_right(logits, labels) / len(labels)


def count_right(logits: torch.Tensor, labels: torch.Tensor) -> int:
    """Return for how many rows of logits (N, classes) the highest is that of the label (N,)."""
    return int((logits.argmax(dim=1) == labels).sum())


def check_settings(
    validation: object, *, patience: int | None, lr: float, weight_decay: float = 0.0, **counts: int
) -> None:
    """Raise ValueError for settings of a training that make no sense; ``counts`` must be whole and at least 1."""
    if patience is not None:
        counts["patience"] = patience
        if validation is None:
            raise ValueError("patience watches the validation loss: give something to validate on as well.")
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}.")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr, the learning rate, must be a positive number, got {lr!r}.")
    if not 0 <= weight_decay < math.inf:
        raise ValueError(f"weight_decay must be 0 or a positive number, got {weight_decay!r}.")


def warm_up_then_cosine(steps: int) -> Callable[[int], float]:
    """Which share of the learning rate to use at each step: up a straight line, then down half a cosine."""
    warm_up = max(1, steps // 10)

    def share(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))

    return share
