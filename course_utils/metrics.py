"""Is it any good? scikit-learn's counts, with the positive category called by its name.

Everything here is counted picture by picture over the whole set. The mean of batch means is something else as
soon as the last batch is smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.stats
import sklearn.metrics
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts: the actual category in the rows, the predicted one in the columns, both in ``categories`` order.

    A category named ``positive`` comes first, so for two categories ``matrix`` reads
    ``[[true positives, false negatives], [false positives, true negatives]]``.
    """

    matrix: np.ndarray
    categories: tuple[str, ...]
    positive: str | None = None

    def table(self) -> str:
        """Return the counts as plain text with names on both sides."""
        corner = "actual \\ predicted"
        names = [f"{name} (positive)" if name == self.positive else name for name in self.categories]
        left = max(len(name) for name in [corner, *names])
        widths = [max(len(name), len(str(column.max()))) for name, column in zip(names, self.matrix.T, strict=True)]
        rows = [[corner.ljust(left), *(name.rjust(width) for name, width in zip(names, widths, strict=True))]]
        for name, counts in zip(names, self.matrix, strict=True):
            numbers = (str(count).rjust(width) for count, width in zip(counts, widths, strict=True))
            rows.append([name.ljust(left), *numbers])
        return "\n".join("  ".join(row) for row in rows)


class PrecisionRecall(NamedTuple):
    """Of those called positive, the share that is; of those that are positive, the share that was found."""

    precision: float
    recall: float


class Ranking(NamedTuple):
    """How well probabilities sort the positive pictures before the others, each 0 to 1, whatever the threshold.

    `roc_auc` is the chance that a positive picture stands before one that is not; blind guessing has 0.5.
    `average_precision` is the area under precision over recall; guessing has the share of positive pictures.
    """

    roc_auc: float
    average_precision: float


class Interval(NamedTuple):
    """From ``low`` to ``high``, both shares from 0 to 1."""

    low: float
    high: float


class Paired(NamedTuple):
    """Two classifiers on the same pictures: where only one of them is right, and how often luck alone does that.

    `p_value`: with two equally good classifiers, the chance of numbers as far apart as these, or farther.
    """

    both_right: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


class ThresholdSweep(NamedTuple):
    """Three arrays of one length: call positive at ``threshold`` or above, get this precision and recall."""

    threshold: np.ndarray
    precision: np.ndarray
    recall: np.ndarray


def accuracy(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return the share of right answers, 0 to 1. Both are category numbers, one for each picture."""
    return float(sklearn.metrics.accuracy_score(*_same_length(actual=actual, predicted=predicted)))


def confusion_matrix(
    actual: ArrayLike, predicted: ArrayLike, categories: Sequence[str], positive: str | None = None
) -> ConfusionMatrix:
    """Count how often each actual category was given each answer.

    ``actual`` and ``predicted`` are category numbers (positions in ``categories``), one for each picture.
    scikit-learn puts category 0 first; ``positive`` puts the category that you are looking for first instead.
    """
    actual, predicted = _same_length(actual=actual, predicted=predicted)
    _check_labels(categories, actual=actual, predicted=predicted)
    order = list(range(len(categories)))
    if positive is not None:
        first = _position(positive, categories)
        order = [first, *(index for index in order if index != first)]
    matrix = sklearn.metrics.confusion_matrix(actual, predicted, labels=order)
    return ConfusionMatrix(matrix, tuple(categories[index] for index in order), positive)


def precision_recall(
    actual: ArrayLike, predicted: ArrayLike, categories: Sequence[str], positive: str
) -> PrecisionRecall:
    """Return precision and recall of the category named ``positive``, each 0 to 1.

    A share of nothing is NaN: precision when nothing was called positive, recall when nothing is.
    """
    actual, predicted = _same_length(actual=actual, predicted=predicted)
    _check_labels(categories, actual=actual, predicted=predicted)
    index = _position(positive, categories)
    options: dict[str, Any] = {"labels": [index], "average": None, "zero_division": np.nan}
    precision, recall, *_ = sklearn.metrics.precision_recall_fscore_support(actual, predicted, **options)
    return PrecisionRecall(np.asarray(precision).item(), np.asarray(recall).item())


def f1_scores(actual: Sequence[int], predicted: Sequence[int], categories: Sequence[str]) -> dict[str, float]:
    """Return F1 of each category by name, 0 to 1: the harmonic mean of its precision and its recall.

    ``actual`` and ``predicted`` (N,) are positions in ``categories``; a ValueError where they differ in length.
    The mean of these, each category counting alike, is the macro F1. One that is neither there nor called is NaN.
    """
    true, called = _same_length(actual=actual, predicted=predicted)
    _check_labels(categories, actual=true, predicted=called)
    options: dict[str, Any] = {"labels": list(range(len(categories))), "average": None, "zero_division": np.nan}
    scores = np.asarray(sklearn.metrics.f1_score(true, called, **options))
    return {name: float(score) for name, score in zip(categories, scores, strict=True)}


def ranking(actual: Sequence[int], probabilities: ArrayLike, categories: Sequence[str], positive: str) -> Ranking:
    """Return the areas under the ROC curve and under the precision-recall curve, for the category ``positive``.

    ``probabilities`` are those of `threshold_sweep`. Both kinds of picture must be there.
    """
    is_positive, scores = _positive_and_scores(actual, probabilities, categories, positive)
    if is_positive.all():
        raise ValueError(f"Every picture is {positive!r}, so there is nothing to sort it from.")
    return Ranking(
        float(sklearn.metrics.roc_auc_score(is_positive, scores)),
        float(sklearn.metrics.average_precision_score(is_positive, scores)),
    )


def wilson_interval(right: int, total: int, confidence: float = 0.95) -> Interval:
    """Return between which shares the true one lies, in ``confidence`` of all such intervals, for right of total.

    Wilson's score interval (1927, https://doi.org/10.1080/01621459.1927.10502953). It never leaves 0 to 1, and has a
    width also when all or none are right, where share ± 2 standard errors has none.
    """
    if total < 1 or not 0 <= right <= total:
        raise ValueError(f"From 0 to all of at least one picture can be right, got {right} of {total}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a share between 0 and 1, such as 0.95, got {confidence!r}.")
    found = scipy.stats.binomtest(int(right), int(total)).proportion_ci(confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def compare_paired(actual: Sequence[int], first: Sequence[int], second: Sequence[int]) -> Paired:
    """Compare the answers ``first`` and ``second`` of two classifiers for the same pictures.

    Pictures that both get right, or both wrong, say nothing about which is better. Of the others, equally good
    classifiers win half each: the exact form of McNemar's test (1947, https://doi.org/10.1007/BF02295996).
    """
    true, *answers = _same_length(actual=actual, first=first, second=second)
    one, two = (answer == true for answer in answers)
    only_first, only_second = int((one & ~two).sum()), int((two & ~one).sum())
    differ = only_first + only_second
    p_value = float(scipy.stats.binomtest(only_first, differ).pvalue) if differ else 1.0
    return Paired(int((one & two).sum()), only_first, only_second, int((~one & ~two).sum()), p_value)


def threshold_sweep(
    actual: ArrayLike, probabilities: ArrayLike, categories: Sequence[str], positive: str
) -> ThresholdSweep:
    """Return precision and recall of ``positive`` at every threshold that makes a difference, lowest first.

    ``probabilities`` has shape (N,): how likely each picture is ``positive``, or (N, categories) as softmax gives
    it. At least one picture must be positive, else there is nothing to recall.
    """
    is_positive, scores = _positive_and_scores(actual, probabilities, categories, positive)
    precision, recall, threshold = sklearn.metrics.precision_recall_curve(is_positive, scores)
    # scikit-learn closes the curve with the point (precision 1, recall 0), which belongs to no threshold.
    return ThresholdSweep(threshold, precision[:-1], recall[:-1])


def _positive_and_scores(
    actual: ArrayLike, probabilities: ArrayLike, categories: Sequence[str], positive: str
) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures are ``positive`` (N,), and how likely each is called so (N,)."""
    index = _position(positive, categories)
    probabilities = _array(probabilities)
    if probabilities.ndim == 2 and probabilities.shape[1] == len(categories):
        probabilities = probabilities[:, index]
    true, probabilities = _same_length(actual=actual, probabilities=probabilities)
    _check_labels(categories, actual=true)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():  # NaN is neither
        raise ValueError("Probabilities must lie between 0 and 1; turn logits into them with softmax first.")
    if not (true == index).any():
        raise ValueError(f"No picture is actually {positive!r}, so recall has no meaning here.")
    return true == index, probabilities


def _array(values: ArrayLike) -> np.ndarray:
    if getattr(values, "is_meta", False):
        raise ValueError("A tensor on the meta device has a shape but no numbers; compute it on 'cpu' instead.")
    detach = getattr(values, "detach", None)  # a tensor with gradients, or on a GPU, is no array yet
    return np.asarray(detach().cpu() if detach else values)


def _same_length(**values: ArrayLike) -> list[np.ndarray]:
    """The named sequences as one-dimensional arrays of one length, or a ValueError that names them."""
    arrays = {name: _array(value) for name, value in values.items()}
    for name, array in arrays.items():
        if array.ndim != 1:
            raise ValueError(f"{name!r} must hold one value for each picture, got shape {array.shape}.")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"These must have the same length, got {lengths}.")
    if 0 in lengths.values():
        raise ValueError(f"There is nothing to count: {' and '.join(lengths)} are empty.")
    return list(arrays.values())


def _check_labels(categories: Sequence[str], **values: np.ndarray) -> None:
    if len(set(categories)) != len(categories):
        raise ValueError(f"Each category needs a name of its own, got {list(categories)}.")
    for name, labels in values.items():
        if not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"{name!r} must hold category numbers (whole numbers), got {labels.dtype}.")
        if labels.min() < 0 or labels.max() >= len(categories):
            raise ValueError(
                f"{name!r} holds numbers from {labels.min()} to {labels.max()}, "
                f"but {len(categories)} categories are numbered 0 to {len(categories) - 1}."
            )


def _position(positive: str, categories: Sequence[str]) -> int:
    if positive not in categories:
        raise ValueError(f"The positive category {positive!r} is none of {list(categories)}.")
    return list(categories).index(positive)
