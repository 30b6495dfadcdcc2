"""Measure what the course claims: ``make bench``.

    python -m course_utils bench                      everything: about half an hour on two idle CPU cores
    python -m course_utils bench --rows recipe 50     a part of it
    python -m course_utils bench --out BENCH.json     what the course shows: BENCH.md and the figure in README.md

Each finished run is in the JSON file at once, and the same command, called again, goes on from there. Beside the file
come a table and a figure; their numbers are all read from the file.
Let the computer do nothing else meanwhile.
"""

import argparse
import copy
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import models, transforms

from course_utils.data import Pictures, doodle_pets
from course_utils.device import describe_device, get_device
from course_utils.features import evaluate, extract_features, fit_head, install_head
from course_utils.files import write_text
from course_utils.heads import replace_head
from course_utils.reports.bench_page import (
    CACHED,
    EVERYTHING,
    FLOOR,
    HEAD,
    SCRATCH,
    TUTORIAL,
    read_results,
    write_everything,
)
from course_utils.training import fine_tune
from course_utils.weights import load_pretrained

SIZES = (50, 200, 500)  # pictures to train on
TEST_PICTURES = 400
TEST_SEED = 1000  # the training pictures have the seeds 0, 1, 2 ..., so none of them is in the test

# Fewer pictures get more epochs, or there would be next to no steps. 500 pictures get what they get in lesson 05.
HEAD_EPOCHS = 100
EPOCHS = {SCRATCH: {50: 15, 200: 8, 500: 6}, EVERYTHING: {50: 8, 200: 4, 500: 3}}
LEARNING_RATE = 1e-3
TUTORIAL_EPOCHS = 25
TURNS = 3  # of the two rows that take seconds only
YOURS = Path("data/bench/bench.json")  # out of the way of what the course has measured

COMPARISONS = {"recipe": "the head alone, in two ways, on 500 pictures"}
COMPARISONS |= {str(size): f"three ways to train on {size} pictures" for size in SIZES}


@dataclass(frozen=True)
class Measurement:
    """One way, trained once: its accuracy on the test pictures (None where nothing is learned) and its seconds."""

    row: str
    accuracy: float | None
    seconds: float


class Bench:
    """What all measurements share: the network, its preprocessing, the device and the pictures."""

    def __init__(self, device: torch.device):
        self.device = device
        self.model, weights = load_pretrained("resnet18", "course", quiet=True)
        self.transform = weights.transforms()
        self.pixels = self.transform.crop_size[0]

    def pretrained(self) -> nn.Module:
        """A fresh copy of the pre-trained network, in eval mode, where the measuring takes place."""
        return copy.deepcopy(self.model).to(self.device)

    @lru_cache(maxsize=1)  # noqa: B019 - a bench lives as long as the program
    def train(self, seed: int) -> Pictures:
        """The largest set of training pictures; the smaller ones are its beginning."""
        return doodle_pets(max(SIZES), seed=seed, size=self.pixels)

    @cached_property
    def test(self) -> Pictures:
        """The test pictures, the same for every run."""
        return doodle_pets(TEST_PICTURES, seed=TEST_SEED, size=self.pixels)

    def accuracy(self, model: nn.Module) -> float:
        """The share of test pictures that the model names rightly."""
        logits, labels = evaluate(model, self.transform, self.test, device=self.device, progress=False)
        return (logits.argmax(dim=1) == labels).float().mean().item()

    def seconds(self, work: Callable[[], object]) -> float:
        """How long ``work`` takes, up to the end of what it left running on a GPU."""
        started = time.perf_counter()
        work()
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)
        return time.perf_counter() - started

    def trained(self, row: str, model: nn.Module, train: Callable[[nn.Module], object]) -> Measurement:
        """Train the model, on the clock, then test it, off the clock."""
        seconds = self.seconds(lambda: train(model))
        return Measurement(row, self.accuracy(model), seconds)


# The ways -------------------------------------------------------------------------------------------------------


def head_on_cached_features(bench: Bench, pictures: Pictures, seed: int) -> Callable[[nn.Module], object]:
    """The course's way: every picture goes through the frozen network once, then the head learns from the features."""

    def train(model: nn.Module) -> None:
        features, labels = extract_features(model, bench.transform, pictures, device=bench.device, progress=False)
        linear, _ = fit_head(features, labels, len(pictures.categories), epochs=HEAD_EPOCHS, seed=seed)
        install_head(model, linear)

    return train


def head_by_the_tutorial(bench: Bench, pictures: Pictures, seed: int) -> Callable[[nn.Module], object]:
    """PyTorch's tutorial "Transfer Learning for Computer Vision", section "ConvNet as fixed feature extractor".

    Its settings: 25 epochs of batches of 4 random crops, forward and backward each time, SGD with momentum 0.9 and a
    learning rate of 0.001 that falls to a tenth every 7 epochs. Two things are left out, and both would only cost it
    more time: its pass over validation pictures after each epoch, and loading pictures from files.
    Source: https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    augmentation = transforms.Compose(
        [
            transforms.RandomResizedCrop(bench.pixels),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(bench.transform.mean, bench.transform.std),
        ]
    )

    def collate(batch: list) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.stack([augmentation(image) for image, _ in batch]), torch.tensor([label for _, label in batch])

    def train(model: nn.Module) -> None:
        torch.manual_seed(seed)
        for parameter in model.parameters():
            parameter.requires_grad = False
        model.fc = nn.Linear(model.fc.in_features, len(pictures.categories)).to(bench.device)
        optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.001, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
        loader = DataLoader(pictures, batch_size=4, shuffle=True, collate_fn=collate)
        for _ in range(TUTORIAL_EPOCHS):
            model.train()
            for images, labels in loader:
                images, labels = images.to(bench.device), labels.to(bench.device)
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            scheduler.step()

    return train


def whole_network(bench: Bench, pictures: Pictures, seed: int, epochs: int) -> Callable[[nn.Module], object]:
    """Everything learns, from whatever weights the model has."""
    return lambda model: fine_tune(
        model,
        bench.transform,
        pictures,
        epochs=epochs,
        lr=LEARNING_RATE,
        seed=seed,
        device=bench.device,
        progress=False,
    )


def one_forward_pass(bench: Bench, pictures: Pictures) -> Callable[[], object]:
    """The network alone on pictures that are tensors already: no way to use a frozen network can cost less."""
    model = bench.pretrained()
    images = torch.stack([bench.transform(image) for image in pictures.images])

    @torch.inference_mode()
    def run() -> None:
        for batch in images.split(64):
            model(batch.to(bench.device))

    return run


# The comparisons ------------------------------------------------------------------------------------------------


def compare_recipes(bench: Bench, seed: int) -> list[Measurement]:
    """The head learned from cached features, beside the least it could cost and beside the tutorial's recipe."""
    pictures = bench.train(seed)
    cached, tutorial = head_on_cached_features(bench, pictures, seed), head_by_the_tutorial(bench, pictures, seed)
    floor = one_forward_pass(bench, pictures)
    floor()  # the first pass of a process is slower than all others
    turns = [
        (Measurement(FLOOR, None, bench.seconds(floor)), bench.trained(CACHED, bench.pretrained(), cached))
        for _ in range(TURNS)
    ]
    # Another program can only make a run longer, so of these short ones the shortest counts.
    shortest = [min(runs, key=lambda run: run.seconds) for runs in zip(*turns, strict=True)]
    return [*shortest, bench.trained(TUTORIAL, bench.pretrained(), tutorial)]


def compare_ways(bench: Bench, seed: int, size: int) -> list[Measurement]:
    """From scratch, head only, and everything, on the first ``size`` training pictures."""
    pictures = bench.train(seed).subset(range(size))
    torch.manual_seed(seed)
    scratch = models.resnet18(weights=None, num_classes=len(pictures.categories))
    pretrained = replace_head(bench.pretrained(), len(pictures.categories))
    return [
        bench.trained(SCRATCH, scratch, whole_network(bench, pictures, seed, EPOCHS[SCRATCH][size])),
        bench.trained(HEAD, bench.pretrained(), head_on_cached_features(bench, pictures, seed)),
        bench.trained(EVERYTHING, pretrained, whole_network(bench, pictures, seed, EPOCHS[EVERYTHING][size])),
    ]


def measure(bench: Bench, comparison: str, seed: int) -> list[Measurement]:
    """Run one comparison with one seed, all its ways one after another."""
    return compare_recipes(bench, seed) if comparison == "recipe" else compare_ways(bench, seed, int(comparison))


# The command ----------------------------------------------------------------------------------------------------


def circumstances(device: torch.device) -> dict:
    """What has to be the same for two runs to stand in one table."""
    weights = load_pretrained("resnet18", "course", quiet=True)[1]
    return {
        "hardware": hardware(device),
        "torch": torch.__version__,
        "weights": f"{weights}, {weights.meta['sha256'][:12]}",
        "settings": {
            "recipe pictures": max(SIZES),
            "test pictures": TEST_PICTURES,
            "head epochs": HEAD_EPOCHS,
            "tutorial epochs": TUTORIAL_EPOCHS,
            "turns": TURNS,
            "epochs": {way: {str(size): epochs for size, epochs in plan.items()} for way, plan in EPOCHS.items()},
            "learning rate": LEARNING_RATE,
        },
    }


def hardware(device: torch.device) -> str:
    """The device in words, with the processor's name where it is the device."""
    name = ""
    if device.type == "cpu":
        cpuinfo = Path("/proc/cpuinfo")
        found = re.search(r"model name\s*: (.+)", cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else "")
        name = found[1] if found else platform.processor()
        name = re.sub(r"\((R|TM)\)", "", name).replace("|", "/").strip()
    return f"{name}, {describe_device(device)}".removeprefix(", ")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the options of ``python -m course_utils bench``."""
    meaning = "; ".join(f"{name}: {text}" for name, text in COMPARISONS.items())
    parser.add_argument("--rows", nargs="+", choices=COMPARISONS, default=list(COMPARISONS), help=meaning)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each row, with their own pictures (default: 3)")
    parser.add_argument("--out", type=Path, default=YOURS, help=f"file of results (default: {YOURS})")


def run(args: argparse.Namespace) -> int:
    """Measure what the file does not hold yet, then write the table, the figure and the lines in README.md."""
    device = get_device()
    try:
        if args.seeds < 1:
            raise ValueError(f"--seeds must be at least 1, got {args.seeds}.")
        results = read_results(args.out, circumstances(device))
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    args.out.parent.mkdir(parents=True, exist_ok=True)
    done = {(run["comparison"], run["seed"]) for run in results["runs"]}
    missing = [(name, seed) for seed in range(args.seeds) for name in args.rows if (name, seed) not in done]
    if missing:
        _warn_when_busy()
        bench = Bench(device)
    for number, (comparison, seed) in enumerate(missing, start=1):
        print(f"[{number}/{len(missing)}] {COMPARISONS[comparison]}, seed {seed}", flush=True)
        measured = measure(bench, comparison, seed)
        for line in measured:
            right = "" if line.accuracy is None else f"  {line.accuracy:.1%}"
            print(f"    {line.row:28} {line.seconds:8.1f} s{right}", flush=True)
        results["runs"].append({"comparison": comparison, "seed": seed, "measured": [asdict(m) for m in measured]})
        write_text(args.out, json.dumps(results, indent=1) + "\n")
    print("Wrote", ", ".join(write_everything(results, args.out)))
    return 0


def _warn_when_busy() -> None:
    if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > 0.5 * (os.cpu_count() or 1):
        print(f"This computer is busy (load {load:.1f} on {os.cpu_count()} cores); the seconds will be too high.")
