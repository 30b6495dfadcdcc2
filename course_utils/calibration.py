"""Does 80 % mean eight out of ten? Compare a classifier's probabilities with how often it is right, and correct them.

The method is that of Guo et al., "On Calibration of Modern Neural Networks" (2017), https://arxiv.org/abs/1706.04599.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch.nn import functional as F

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; beyond, every answer is 100 % sure or all are equally likely


class Reliability(NamedTuple):
    """Answers sorted by how sure they were: four arrays with a number for each bin that has an answer in it."""

    lower: np.ndarray  # where the bin begins, 0 to 1
    confidence: np.ndarray  # mean probability of the answers that were given
    accuracy: np.ndarray  # share of them that is right
    count: np.ndarray  # how many there are  # pyright: ignore[reportIncompatibleMethodOverride]


def reliability(logits: torch.Tensor, labels: torch.Tensor, bins: int = 10) -> Reliability:
    """Sort the answers into ``bins`` of equal width by the probability of the answer given; empty bins are left out.

    ``logits`` (N, classes) are scores before the softmax, ``labels`` (N,) the right classes.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}.")
    _check(logits, labels)
    confidence, answer = logits.detach().cpu().double().softmax(dim=1).max(dim=1)
    right = (answer == labels.cpu()).double().numpy()
    confidence = confidence.numpy()
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)  # 100 % belongs to the last bin
    filled = np.unique(bin_of)
    return Reliability(
        lower=filled / bins,
        confidence=np.array([confidence[bin_of == number].mean() for number in filled]),
        accuracy=np.array([right[bin_of == number].mean() for number in filled]),
        count=np.array([(bin_of == number).sum() for number in filled]),
    )


def calibration_error(logits: torch.Tensor, labels: torch.Tensor, bins: int = 10) -> float:
    """Return the mean distance between confidence and accuracy, 0 to 1: the "expected calibration error".

    ``logits``, ``labels`` and ``bins`` are those of `reliability`.
    """
    table = reliability(logits, labels, bins)
    return float(np.average(np.abs(table.confidence - table.accuracy), weights=table.count))


def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the temperature T for which ``logits / T`` has the lowest cross-entropy, 0.05 to 20.

    Use validation pictures: on training pictures the answers look better than they are. Above 1 the classifier was too
    sure of itself, below 1 not sure enough. No answer changes, because dividing keeps the order of the logits.
    """
    _check(logits, labels)
    logits, labels = logits.detach().cpu().double(), labels.cpu()

    def loss(log_temperature: float) -> float:
        return F.cross_entropy(logits / math.exp(log_temperature), labels).item()

    # The loss has a single valley, which a bounded search cannot miss.
    found = minimize_scalar(
        loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded", options={"xatol": 1e-4}
    )
    return math.exp(found.x)


def _check(logits: torch.Tensor, labels: torch.Tensor) -> None:
    if logits.ndim != 2 or logits.shape[0] == 0:
        raise ValueError(f"logits must have shape (pictures, classes), got {tuple(logits.shape)}.")
    if labels.shape != logits.shape[:1]:
        raise ValueError(f"There are {logits.shape[0]} rows of logits, but labels of shape {tuple(labels.shape)}.")
    if not logits.isfinite().all():
        raise ValueError("The logits hold NaN or infinity.")
