"""Measure what the course claims: ``make bench``.

    python -m course_utils bench                      everything: about half an hour on two idle CPU cores
    python -m course_utils bench --rows recipe 50     a part of it
    python -m course_utils bench --out BENCH.json     what the course shows: BENCH.md and the figure in README.md

Each finished run is in the JSON file at once, and the same command, called again, goes on from there. Beside the file
come a table and a figure; their numbers are all read from the file.
Let the computer do nothing else meanwhile.
"""

import argparse
import json
import os
import platform
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from course_utils.data import Pictures, doodle_pets
from course_utils.device import describe_device, get_device
from course_utils.fast_pass import fast_copy
from course_utils.files import write_text
from course_utils.reports.bench_page import (
    CACHED,
    EAGER,
    FAST,
    FLOOR,
    TUTORIAL,
    read_results,
    write_everything,
)
from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH, Measurement, Start, learn, new_head, start_from
from course_utils.shipped import SHIPPED

SIZES = (50, 200, 500)  # pictures to train on
TEST_PICTURES = 400
TEST_SEED = 1000  # the training pictures have the seeds 0, 1, 2 ..., so none of them is in the test

# Fewer pictures get more epochs, or there would be next to no steps. 500 pictures get what they get in lesson 05.
HEAD_EPOCHS = 100
EPOCHS = {SCRATCH: {50: 15, 200: 8, 500: 6}, EVERYTHING: {50: 8, 200: 4, 500: 3}}
LEARNING_RATE = 1e-3
TUTORIAL_EPOCHS = 25
TURNS = 3  # of the rows that take seconds only
PASS_PICTURES = 128
YOURS = Path("data/bench/bench.json")  # out of the way of what the course has measured

COMPARISONS = {name: f"one forward pass of {name}, as torch runs it and as the course does" for name in SHIPPED}
COMPARISONS |= {"recipe": "the head alone, in two ways, on 500 pictures"}
COMPARISONS |= {str(size): f"three ways to train on {size} pictures" for size in SIZES}


# The pictures ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def training_pictures(seed: int, pixels: int) -> Pictures:
    """The largest set of training pictures; the smaller ones are its beginning."""
    return doodle_pets(max(SIZES), seed=seed, size=pixels)


@lru_cache(maxsize=1)
def test_pictures(pixels: int) -> Pictures:
    """The test pictures, the same for every run."""
    return doodle_pets(TEST_PICTURES, seed=TEST_SEED, size=pixels)


# The ways -------------------------------------------------------------------------------------------------------


def head_by_the_tutorial(start: Start, pictures: Pictures, seed: int) -> Callable[[nn.Module], object]:
    """PyTorch's tutorial "Transfer Learning for Computer Vision", section "ConvNet as fixed feature extractor".

    Its settings: 25 epochs of batches of 4 random crops, forward and backward each time, SGD with momentum 0.9 and a
    learning rate of 0.001 that falls to a tenth every 7 epochs. Two things are left out, and both would only cost it
    more time: its pass over validation pictures after each epoch, and loading pictures from files.
    Source: https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html
    """
    augmentation = transforms.Compose(
        [
            transforms.RandomResizedCrop(start.pixels),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(start.transform.mean, start.transform.std),
        ]
    )

    def collate(batch: list) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.stack([augmentation(image) for image, _ in batch]), torch.tensor([label for _, label in batch])

    def train(model: nn.Module) -> None:
        torch.manual_seed(seed)
        for parameter in model.parameters():
            parameter.requires_grad = False
        old = model.fc
        assert isinstance(old, nn.Linear)  # the tutorial's network is a ResNet
        model.fc = nn.Linear(old.in_features, len(pictures.categories)).to(start.device)
        optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.001, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
        loader = DataLoader(cast(Dataset, pictures), batch_size=4, shuffle=True, collate_fn=collate)
        for _ in range(TUTORIAL_EPOCHS):
            model.train()
            for images, labels in loader:
                images, labels = images.to(start.device), labels.to(start.device)
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            scheduler.step()

    return train


def one_forward_pass(start: Start, pictures: Pictures, *, fast: bool) -> Callable[[], object]:
    """The network alone on pictures that are tensors already: as it is, or the `fast_copy` that the course runs."""
    model = start.pretrained()
    images = torch.stack([start.transform(image) for image in pictures.images])

    @torch.inference_mode()
    def run() -> None:
        network = fast_copy(model) if fast else model
        for batch in images.split(64):
            network(batch.to(start.device))

    return run


# The comparisons ------------------------------------------------------------------------------------------------


def compare_passes(start: Start, seed: int) -> list[Measurement]:
    """The frozen network as torch runs it, and as the course does, taking turns on the same pictures."""
    pictures = training_pictures(seed, start.pixels).subset(range(PASS_PICTURES))
    passes = {row: one_forward_pass(start, pictures, fast=row == FAST) for row in (EAGER, FAST)}
    return _shortest({row: lambda run=run: start.seconds(run) for row, run in passes.items()})


def compare_recipes(start: Start, seed: int) -> list[Measurement]:
    """The head learned from cached features, beside the least it could cost and beside the tutorial's recipe."""
    pictures, test = training_pictures(seed, start.pixels), test_pictures(start.pixels)
    cached = new_head(start, pictures, epochs=HEAD_EPOCHS, seed=seed)
    floor = one_forward_pass(start, pictures, fast=False)
    model = start.pretrained()
    turns = _shortest({FLOOR: lambda: start.seconds(floor), CACHED: lambda: start.seconds(lambda: cached(model))})
    learned = start.trained(CACHED, start.pretrained(), cached, test)
    tutorial = head_by_the_tutorial(start, pictures, seed)
    return [
        turns[0],
        Measurement(CACHED, learned.accuracy, turns[1].seconds),
        start.trained(TUTORIAL, start.pretrained(), tutorial, test),
    ]


def _shortest(rows: dict[str, Callable[[], float]]) -> list[Measurement]:
    """Let the rows take turns; another program can only make a run longer, so the shortest of each counts."""
    for seconds in rows.values():
        seconds()  # the first pass of a process is slower than all others
    turns = [[seconds() for seconds in rows.values()] for _ in range(TURNS)]
    return [Measurement(row, None, min(seconds)) for row, seconds in zip(rows, zip(*turns, strict=True), strict=True)]


def compare_ways(start: Start, seed: int, size: int) -> list[Measurement]:
    """From scratch, head only, and everything, on the first ``size`` training pictures."""
    pictures, test = training_pictures(seed, start.pixels).subset(range(size)), test_pictures(start.pixels)
    epochs = {HEAD: HEAD_EPOCHS, SCRATCH: EPOCHS[SCRATCH][size], EVERYTHING: EPOCHS[EVERYTHING][size]}
    return [
        learn(way, start, pictures, test, epochs=epochs[way], lr=LEARNING_RATE, seed=seed)
        for way in (SCRATCH, HEAD, EVERYTHING)
    ]


def measure(device: torch.device, comparison: str, seed: int) -> list[Measurement]:
    """Run one comparison with one seed, all its ways one after another."""
    if comparison in SHIPPED:
        return compare_passes(_start(comparison, device), seed)
    start = _start("resnet18", device)
    return compare_recipes(start, seed) if comparison == "recipe" else compare_ways(start, seed, int(comparison))


@lru_cache(maxsize=2)
def _start(name: str, device: torch.device) -> Start:
    return start_from(name, device)


# The command ----------------------------------------------------------------------------------------------------


def circumstances(device: torch.device) -> dict:
    """What has to be the same for two runs to stand in one table."""
    weights = ", ".join(f"{record.member} {record.sha256[:12]}" for record in SHIPPED.values())
    return {
        "hardware": hardware(device),
        "torch": torch.__version__,
        "weights": weights,
        "settings": {
            "recipe pictures": max(SIZES),
            "test pictures": TEST_PICTURES,
            "head epochs": HEAD_EPOCHS,
            "tutorial epochs": TUTORIAL_EPOCHS,
            "turns": TURNS,
            "pass pictures": PASS_PICTURES,
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
    for number, (comparison, seed) in enumerate(missing, start=1):
        print(f"[{number}/{len(missing)}] {COMPARISONS[comparison]}, seed {seed}", flush=True)
        measured = measure(device, comparison, seed)
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
