"""How deep to train, with how many pictures, and what BatchNorm does meanwhile: the runs that lesson 08 draws.

    python -m course_utils grid                    all that is missing in course_utils/assets/results/depth.json
    python -m course_utils grid --out mine.json    everything, into a file of your own

Every run has the same number of steps, whatever the number of pictures. Each finished run is in the file at once, and
the same command, called again, goes on from there; the most telling runs come first. Half an hour on one idle core.
"""

import argparse
import copy
import itertools
import json
from functools import lru_cache
from pathlib import Path

import torch

from course_utils.data import Pictures, doodle_pets
from course_utils.depth import chain, train_from
from course_utils.features import extract_features, fit_head, install_head
from course_utils.files import ASSETS, write_text
from course_utils.weights import load_pretrained

COMMAND = "python -m course_utils grid"
OUT = ASSETS / "results" / "depth.json"
SIZES = (500, 50, 1000, 200)  # pictures to train on; of each draw the smaller sets are the beginning of the larger
DEPTHS = {"last stage": "layer4", "everything": "conv1"}
DRAWS = 8  # each has training pictures, an order and, where it matters, luck of its own
STEPS, LEARNING_RATE, BATCH_SIZE = 40, 3e-4, 20
TEST_PICTURES, TEST_SEEDS = 200, {"plain": 1, "pencil": 2}
FIRST_SEED = 10  # of the training pictures, away from those for testing

# Learning rates by depth, from layer3 on: the rate of the head, and what each stage before gets of the next one's.
RATES = {"0.01 for all": (0.01, 1.0), "0.01, by depth": (0.01, 0.1), "0.001 for all": (0.001, 1.0)}
RATES_FROM, RATES_PICTURES = "layer3", 500


def plan(draws: int) -> list[dict]:
    """Return all runs in their order, each as the entries that name it."""
    runs = []
    for size in SIZES:
        for draw in range(draws):
            runs.append({"pictures": size, "draw": draw, "trained": "head"})
            runs += [
                {"pictures": size, "draw": draw, "trained": depth, "batch_norm": batch_norm}
                for depth, batch_norm in itertools.product(DEPTHS, ("stored", "batch"))
            ]
        if size == RATES_PICTURES:
            runs += [
                {"pictures": size, "draw": draw, "trained": RATES_FROM, "rates": name}
                for draw, name in itertools.product(range(draws), RATES)
            ]
    return runs


class Grid:
    """The pre-trained network, its preprocessing and the test pictures, which all runs share."""

    def __init__(self) -> None:
        self.model, weights = load_pretrained("resnet18", "course", quiet=True)
        self.transform = weights.transforms()
        self.size = self.transform.crop_size[0]
        styles = {"plain": "plain", "pencil": "shifted"}
        self.tests = {
            name: self.tensors(doodle_pets(TEST_PICTURES, seed=seed, size=self.size, style=styles[name]))
            for name, seed in TEST_SEEDS.items()
        }

    def tensors(self, pictures: Pictures) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the preprocessed pictures (N, 3, H, W) and their labels (N,)."""
        return torch.stack([self.transform(image) for image in pictures.images]), torch.tensor(pictures.labels)

    @lru_cache(maxsize=1)  # noqa: B019 - a grid lives as long as the program
    def draw(self, count: int, draw: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the training pictures of this draw as tensors, their labels, and their features."""
        pictures = doodle_pets(count, seed=FIRST_SEED + draw, size=self.size)
        features, _ = extract_features(self.model, self.transform, pictures, device="cpu", progress=False)
        return *self.tensors(pictures), features

    def run(self, run: dict) -> dict:
        """Train as ``run`` says; return it with the accuracies on plain and on pencil pictures."""
        images, labels, features = self.draw(run["pictures"], run["draw"])
        head, _ = fit_head(features, labels, num_classes=2, seed=run["draw"])
        network = chain(install_head(copy.deepcopy(self.model), head)).eval()
        options = {"steps": STEPS, "batch_size": BATCH_SIZE, "seed": run["draw"]}
        if "rates" in run:
            lr, factor = RATES[run["rates"]]
            losses = train_from(
                network, RATES_FROM, images, labels, lr=lr, factor=factor, batch_norm="batch", **options
            )
            run = run | {"largest_loss": round(max(losses), 3)}
        elif run["trained"] != "head":
            stage, batch_norm = DEPTHS[run["trained"]], run["batch_norm"]
            train_from(network, stage, images, labels, lr=LEARNING_RATE, batch_norm=batch_norm, **options)
        return run | {style: accuracy_of(network, *test) for style, test in self.tests.items()}


def accuracy_of(network: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of right answers."""
    with torch.no_grad():
        answers = torch.cat([network(part).argmax(dim=1) for part in images.split(50)])
    return round((answers == labels).double().mean().item(), 4)


def recipe() -> dict:
    """Return what all runs have in common, for the file."""
    return {
        "model": "ResNet18_Course_Weights.TINY200_V1, head trained first on cached features",
        "draws": DRAWS,
        "steps": STEPS,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "optimizer": "AdamW, warm-up and cosine, no augmentation",
        "test_pictures": f"{TEST_PICTURES} plain and {TEST_PICTURES} pencil, the same for all runs",
        "rates": {name: {"head": lr, "factor": factor} for name, (lr, factor) in RATES.items()},
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the options of ``python -m course_utils grid``."""
    parser.add_argument("--out", type=Path, default=OUT, help="the JSON file to go on with (default: the course's)")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"how many draws (default: {DRAWS})")


def run(args: argparse.Namespace) -> int:
    """Run what is missing in the file."""
    stored = json.loads(args.out.read_text(encoding="utf-8")) if args.out.is_file() else {}
    runs = stored.get("runs", []) if stored.get("recipe") == recipe() else []
    missing = [entry for entry in plan(args.draws) if not any(entry.items() <= done.items() for done in runs)]
    if missing:
        grid = Grid()
        for entry in missing:
            runs.append(grid.run(entry))
            _write(args.out, runs)
            print(runs[-1], flush=True)
    print(f"{len(runs)} runs in {args.out}")
    return 0


def _write(out: Path, runs: list[dict]) -> None:
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    head = f'"command": {json.dumps(COMMAND)},\n"recipe": {json.dumps(recipe(), indent=1)}'
    write_text(out, f'{{\n{head},\n"runs": [\n{lines}\n]\n}}\n')
