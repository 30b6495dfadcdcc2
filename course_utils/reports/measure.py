"""Measure a model that ships with the course: on validation pictures, in operations, and as a start for new tasks."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils.data import Pictures
from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH, Measurement, Start, learn

TRAINING_PICTURES, TEST_PICTURES = 500, 400


@dataclass(frozen=True)
class Way:
    """One of the three ways, with its epochs and the learning rates that are tried for it."""

    name: str
    epochs: int
    learning_rates: tuple[float, ...]


WAYS = (
    Way(SCRATCH, epochs=30, learning_rates=(3e-4, 1e-3, 3e-3)),
    Way(HEAD, epochs=100, learning_rates=(1e-3,)),
    Way(EVERYTHING, epochs=10, learning_rates=(1e-4, 3e-4, 1e-3)),
)


@dataclass(frozen=True)
class Result:
    """One way over several seeds: mean and standard deviation of the accuracy, and the mean seconds of training."""

    way: str
    lr: float
    accuracy: float
    spread: float
    seconds: float


@dataclass(frozen=True)
class Report:
    """What a model card tells beside the record: top-1 of each class by its name, and the ways for each kind of sample.

    ``device`` and ``seeds`` are those of the comparison of the ways.
    """

    by_class: dict[str, float]
    transfer: dict[str, list[Result]]
    device: str
    seeds: int


def read_report(file: Path) -> Report:
    """Read what `write_text` of `report_text` wrote."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content["transfer"] = {name: [Result(**row) for row in rows] for name, rows in content["transfer"].items()}
    return Report(**content)


def report_text(report: Report) -> str:
    """Return a report as JSON."""
    return json.dumps(asdict(report), indent=1) + "\n"


@torch.inference_mode()
def validate(
    model: nn.Module, transform: Callable, images: torch.Tensor, labels: torch.Tensor, answers: Sequence[int]
) -> tuple[float, float, list[float]]:
    """Return top-1 and top-5 accuracy, and the top-1 accuracy of each class, of uint8 images (N, 3, H, W).

    ``answers`` holds, for each label, the place of that class among the model's outputs, which may be many more.
    """
    right = torch.tensor(answers)[labels]
    hits = []
    for some in torch.arange(len(labels)).split(100):
        top = model(transform(images[some])).topk(5, dim=1).indices
        hits.append(top == right[some, None])
    hits = torch.cat(hits)
    by_class = [hits[labels == label, 0].float().mean().item() for label in range(len(answers))]
    return hits[:, 0].float().mean().item(), hits.any(dim=1).float().mean().item(), by_class


def gigaflops(model: nn.Module, pixels: int) -> float:
    """Return multiply-adds of one picture in billions, which is what torchvision's metadata calls GFLOPS."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, pixels, pixels))
    return counter.get_total_flops() / 2 / 1e9


def compare_ways(start: Start, sample: Callable[[int, int], Pictures], seeds: Sequence[int]) -> list[Result]:
    """Compare the three ways on ``sample(n, seed) -> Pictures``; every way gets its learning rate tuned first.

    The rate is chosen on pictures that no later run sees: it is the one with the best accuracy for one seed.
    """
    tuning = sample(TRAINING_PICTURES, 900), sample(TEST_PICTURES, 901)
    test = sample(TEST_PICTURES, 1000)
    results = []
    for way in WAYS:
        lr = way.learning_rates[0]
        if len(way.learning_rates) > 1:
            tried = {
                rate: _accuracy(learn(way.name, start, *tuning, epochs=way.epochs, lr=rate, seed=0))
                for rate in way.learning_rates
            }
            lr = max(tried, key=lambda rate: tried[rate])
        runs = [
            learn(way.name, start, sample(TRAINING_PICTURES, seed), test, epochs=way.epochs, lr=lr, seed=seed)
            for seed in seeds
        ]
        results.append(_summary(way.name, lr, runs))
        print(f"{way.name}: {results[-1].accuracy:.1%} ± {results[-1].spread:.1%} (lr {lr:g})", flush=True)
    return results


def _accuracy(run: Measurement) -> float:
    assert run.accuracy is not None  # each of the three ways learns something
    return run.accuracy


def _summary(way: str, lr: float, runs: Sequence[Measurement]) -> Result:
    accuracies = [_accuracy(run) for run in runs]
    spread = statistics.stdev(accuracies) if len(runs) > 1 else 0.0
    return Result(way, lr, statistics.fmean(accuracies), spread, statistics.fmean(run.seconds for run in runs))
