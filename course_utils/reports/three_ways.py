"""How accurate each way gets, by the number of epochs: what lesson 05 shows beside one run of the reader's own.

    python -m course_utils three-ways                 every run that the stored file lacks
    python -m course_utils three-ways --seeds 2       for a first look

Accuracies do not depend on the computer, seconds do. So only accuracies are stored, and the lesson multiplies the
epochs by the seconds that an epoch takes where it is read. Each seed has 500 drawn pets of its own to learn from, and
all are tested on the same 400 others. Each number of epochs is a run of its own, from the start, because the learning
rate falls to zero over a run: half of a long run is not a short one.
"""

import argparse
import json
from pathlib import Path

import torch
from torchvision import models

from course_utils.data import doodle_pets
from course_utils.device import get_device
from course_utils.features import extract_features, fit_head, install_head
from course_utils.files import write_text
from course_utils.heads import replace_head
from course_utils.inference import evaluate
from course_utils.results import FOLDER
from course_utils.training import fine_tune
from course_utils.weights import load_pretrained

RESULTS = FOLDER / "three_ways.json"
TRAINING_PICTURES, TEST_PICTURES, TEST_SEED = 500, 400, 1000
SEEDS = 3
SCRATCH, HEAD, EVERYTHING = "from scratch", "head only", "fine-tune everything"
IMAGENET_HEAD = "head only, EfficientNet-Lite0"
# The learning rates are the best of three for each way, chosen on pictures of another seed (see MODEL_CARD.md).
RATES = {SCRATCH: 3e-3, HEAD: 1e-3, EVERYTHING: 1e-3, IMAGENET_HEAD: 1e-3}
EPOCHS = {HEAD: (100,), IMAGENET_HEAD: (100,), EVERYTHING: (1, 3, 10), SCRATCH: (3, 10, 30)}


RECIPE = {"pictures": TRAINING_PICTURES, "test pictures": TEST_PICTURES, "learning rates": RATES}


def accuracy_of(way: str, epochs: int, seed: int, device: torch.device) -> float:
    """Train a classifier of drawn cats and dogs in one of the ways; return its accuracy (0 to 1) on the test."""
    name = "efficientnet_lite0" if way == IMAGENET_HEAD else "resnet18"
    pretrained, weights = load_pretrained(name, "course", quiet=True)
    transform = weights.transforms()
    size = transform.crop_size[0]
    train = doodle_pets(TRAINING_PICTURES, seed=seed, size=size)
    test = doodle_pets(TEST_PICTURES, seed=TEST_SEED, size=size)
    torch.manual_seed(seed)
    if way in (HEAD, IMAGENET_HEAD):
        features, labels = extract_features(pretrained, transform, train, device=device, progress=False)
        head, _ = fit_head(features, labels, num_classes=2, epochs=epochs, lr=RATES[way], seed=seed)
        model = install_head(pretrained, head)
    else:
        model = models.resnet18(num_classes=2) if way == SCRATCH else replace_head(pretrained, 2)
        options = {"epochs": epochs, "lr": RATES[way], "seed": seed, "device": device, "progress": False}
        fine_tune(model, transform, train, **options)
    logits, labels = evaluate(model, transform, test, device=device, progress=False)
    return (logits.argmax(dim=1) == labels).float().mean().item()


def read_results(path: Path = RESULTS) -> list[dict]:
    """The stored runs: ``{"way", "epochs", "seed", "accuracy"}`` each, accuracy from 0 to 1; empty without a file."""
    return json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils three-ways``."""
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs for each point (default: {SEEDS})")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the file of results, which is gone on with")


def run(args: argparse.Namespace) -> int:
    """Measure what the file lacks; each finished run is in the file at once."""
    runs = read_results(args.out)
    done = {(run["way"], run["epochs"], run["seed"]) for run in runs}
    device = get_device()
    for seed in range(args.seeds):
        for way, budgets in EPOCHS.items():
            for epochs in budgets:
                if (way, epochs, seed) in done:
                    continue
                accuracy = round(accuracy_of(way, epochs, seed, device), 4)
                print(f"{way}, {epochs} epochs, seed {seed}: {accuracy:.1%}", flush=True)
                runs.append({"way": way, "epochs": epochs, "seed": seed, "accuracy": accuracy})
                args.out.parent.mkdir(parents=True, exist_ok=True)
                content = {"command": "python -m course_utils three-ways", "recipe": RECIPE, "runs": runs}
                write_text(args.out, json.dumps(content, indent=1) + "\n")
    return 0
