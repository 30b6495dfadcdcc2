"""Which model for which budget: what the weights say about themselves, what a device says, and a choice with a reason.

`catalogue` reads the metadata that torchvision ships with its weights, so it needs no download. `measure` adds what
only your own device can tell. `pareto_front` and `pick` work with either.
"""

import dataclasses
import statistics
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode  # documented under this name, in "Extending PyTorch"
from torchvision import models

from course_utils.device import get_device

# What torchvision's metadata names by an address only, and torchvision's README by name.
LICENCES = {"https://github.com/facebookresearch/SWAG/blob/main/LICENSE": "CC-BY-NC-4.0"}
USES = ("any", "commercial")
BUILT_WITH_A_WARNING = ("googlenet", "inception_v3")  # unless they are told how to start their random weights
DESCRIPTIONS = ("name", "weights", "licence")
GAINS = ("accuracy", "pictures_per_second")  # more is better; of every other number, less is


@dataclass(frozen=True)
class Candidate:
    """One model with one set of weights, and what it costs. What nobody has measured yet is None.

    `accuracy` is top-1 on ImageNet's validation pictures, 0 to 1; `gflops` are billions of multiply-adds for one
    picture of `pixels` x `pixels`; `file_mib` is the download in units of 2**20 bytes. These come with the weights.
    `licence` is the weights' own, None where torchvision names none; NC in its name forbids commercial use.
    `latency_ms` (one picture alone), `pictures_per_second` and `memory_mb` (both for a batch) come from `measure`.
    """

    name: str
    weights: str
    accuracy: float
    gflops: float
    parameters: int
    file_mib: float
    pixels: int
    licence: str | None = None
    latency_ms: float | None = None
    pictures_per_second: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Choice:
    """What `pick` chose, and why."""

    candidate: Candidate
    reason: str


def catalogue(names: Sequence[str] | None = None) -> list[Candidate]:
    """Return a `Candidate` for the default weights of each classifier, all of torchvision's or those named.

    A ValueError names a classifier that torchvision does not have.
    """
    known = models.list_models(module=models)
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ValueError(f"torchvision has no classifier {unknown[0]!r}; see torchvision.models.list_models().")
    return [from_weights(name, models.get_model_weights(name)["DEFAULT"]) for name in names or known]


def from_weights(name: str, weights: models.WeightsEnum) -> Candidate:
    """Return what the metadata of ``weights`` says about the model ``name``."""
    meta = weights.meta
    return Candidate(
        name=name,
        weights=str(weights),
        accuracy=meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        gflops=meta["_ops"],
        parameters=meta["num_params"],
        file_mib=meta["_file_size"],
        pixels=weights.transforms().crop_size[0],
        licence=LICENCES.get(meta.get("license"), meta.get("license")),
    )


def pareto_front(candidates: Sequence[Candidate], cost: str = "gflops", gain: str = "accuracy") -> list[Candidate]:
    """Return the candidates that nobody beats, the cheapest first.

    One beats another if it is at least as good in both numbers and better in one of them.
    """

    def beats(one: Candidate, other: Candidate) -> bool:
        cheaper, better = costs[one] - costs[other], gains[one] - gains[other]
        return cheaper <= 0 <= better and (cheaper, better) != (0, 0)

    costs = {candidate: _number(candidate, cost) for candidate in candidates}
    gains = {candidate: _number(candidate, gain) for candidate in candidates}
    front = [one for one in candidates if not any(beats(other, one) for other in candidates)]
    return sorted(front, key=lambda candidate: (costs[candidate], gains[candidate]))


def pick(
    candidates: Sequence[Candidate],
    at_most: Mapping[str, float] | None = None,
    at_least: Mapping[str, float] | None = None,
    licence: str = "any",
) -> Choice:
    """Return the most accurate candidate within the limits, and the reason in words.

    ``at_most={"gflops": 1, "file_mib": 30}`` and ``at_least={"pictures_per_second": 50}`` name numbers of
    `Candidate`. ``licence="commercial"`` leaves out weights whose own licence forbids commercial use; where none is
    named, the terms of the training data are still yours to look up. Of equally accurate ones the one with fewer
    operations wins. When nothing fits, a ValueError says how many candidates each limit alone leaves.
    """
    if not candidates:
        raise ValueError("There is no candidate to pick from.")
    if licence not in USES:
        raise ValueError(f"licence must be {' or '.join(map(repr, USES))}, got {licence!r}.")
    at_most, at_least = at_most or {}, at_least or {}
    for name in [*at_most, *at_least]:
        _number(candidates[0], name)  # an unknown name is told as such
        if (name in GAINS) == (name in at_most):
            better = "better" if name in GAINS else "worse"
            raise ValueError(f"More {name} is {better}: the limit is on the wrong side.")
    tests = {f"{name} <= {limit:g}": _at_most(name, limit) for name, limit in at_most.items()}
    tests |= {f"{name} >= {limit:g}": _at_least(name, limit) for name, limit in at_least.items()}
    if licence == "commercial":
        tests["a licence that allows commercial use"] = lambda candidate: (
            "NC" not in (candidate.licence or "").split("-")
        )
    fitting = [candidate for candidate in candidates if all(test(candidate) for test in tests.values())]
    if not fitting:
        alone = (f"{sum(map(test, candidates))} with {text}" for text, test in tests.items())
        raise ValueError(f"None of {len(candidates)} candidates fits. Each limit alone leaves: {', '.join(alone)}.")

    best, *others = sorted(fitting, key=lambda candidate: (-candidate.accuracy, candidate.gflops))
    reason = f"{len(fitting)} of {len(candidates)} fit {' and '.join(tests) or 'no limit at all'}. "
    reason += f"The most accurate of them is {best.name} with {best.accuracy:.1%}"
    if others:
        reason += f"; next comes {others[0].name} with {others[0].accuracy:.1%}"
    return Choice(best, reason + ".")


def _at_most(name: str, limit: float) -> Callable[[Candidate], bool]:
    return lambda candidate: _number(candidate, name) <= limit


def _at_least(name: str, limit: float) -> Callable[[Candidate], bool]:
    return lambda candidate: _number(candidate, name) >= limit


# Measured on your device ----------------------------------------------------------------------------------------


def measure(
    candidate: Candidate, *, device: torch.device | str | None = None, batch_size: int = 16, seconds: float = 1.0
) -> Candidate:
    """Return the candidate with latency, throughput and memory of a forward pass filled in.

    The weights are random, which costs the same time as trained ones and no download. Each of the two timings takes
    about ``seconds``. `memory_mb` counts weights and intermediate results at their highest, in millions of bytes.
    """
    device = get_device(device)
    options = {"init_weights": False} if candidate.name in BUILT_WITH_A_WARNING else {}
    model = models.get_model(candidate.name, weights=None, **options).eval().to(device)
    batch = torch.rand(batch_size, 3, candidate.pixels, candidate.pixels, device=device)
    with torch.inference_mode():
        one = seconds_per_call(lambda: model(batch[:1]), device, seconds)
        many = seconds_per_call(lambda: model(batch), device, seconds)
    return dataclasses.replace(
        candidate,
        latency_ms=1000 * one,
        pictures_per_second=batch_size / many,
        memory_mb=peak_memory(model, batch) / 1e6,
    )


def seconds_per_call(function: Callable[[], object], device: torch.device | str = "cpu", seconds: float = 1.0) -> float:
    """Return the median time of a call, from as many calls as fit into ``seconds`` (at least three).

    The first call is not counted: it sets memory aside and chooses algorithms. A GPU takes orders and returns at
    once, so the clock is only read when it has finished.
    """
    finish = _finisher(torch.device(device))
    function()
    finish()
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = time.perf_counter()
        function()
        finish()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peak_memory(model: nn.Module, batch: torch.Tensor) -> int:
    """Return the bytes of the model's tensors plus the most that a forward pass holds beside them, the batch included.

    On a CUDA GPU torch keeps the account. Elsewhere it is counted here, tensor by tensor, without what a library sets
    aside for its own work; on the meta device that needs no arithmetic.
    """
    own = sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()])
    with torch.no_grad():
        if batch.device.type == "cuda":
            before = torch.cuda.memory_allocated(batch.device)
            torch.cuda.reset_peak_memory_stats(batch.device)
            model(batch)
            return own + batch.nbytes + torch.cuda.max_memory_allocated(batch.device) - before
        with _LiveTensors(exclude=[*model.parameters(), *model.buffers(), batch]) as live:
            model(batch)
    return own + batch.nbytes + live.peak


class _LiveTensors(TorchDispatchMode):
    """Inside ``with``, adds up the bytes of all new tensors for as long as each of them lives; remembers the peak.

    What holds the numbers of a tensor is its storage. Two tensors can share one (a view), which is counted once.
    (torch.profiler would add what libraries set aside, and sees nothing on the meta device.)
    """

    def __init__(self, exclude: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.excluded = [tensor.untyped_storage() for tensor in exclude]  # alive, so that nothing else gets their id
        self.known = {id(storage) for storage in self.excluded}

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, list | tuple) else [result]:
            if isinstance(tensor, torch.Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if id(storage) in self.known:
            return
        self.known.add(id(storage))
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, id(storage), storage.nbytes())

    def _forget(self, identity: int, size: int) -> None:
        self.known.discard(identity)
        self.now -= size


def _finisher(device: torch.device) -> Callable[[], None]:
    """What to call so that everything handed to the device so far is done."""
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if device.type == "mps" else lambda: None


def _number(candidate: Candidate, field: str) -> float:
    numbers = [f.name for f in dataclasses.fields(Candidate) if f.name not in DESCRIPTIONS]
    if field not in numbers:
        raise ValueError(f"A candidate has no number {field!r}; it has {', '.join(numbers)}.")
    value = getattr(candidate, field)
    if value is None:
        raise ValueError(f"Nobody has measured {field!r} of {candidate.name} yet; give it to `measure` first.")
    return value
