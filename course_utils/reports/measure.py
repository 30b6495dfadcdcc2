"""Measure a checkpoint of the course and write down what was measured: ``make checkpoint-report``.

    python -m course_utils checkpoint-report --data DIR                      measure the shipped checkpoint again
    python -m course_utils checkpoint-report --data DIR --checkpoint FILE    ship FILE (of `pretrain`) instead

It writes the entry in ``course_utils/assets/``, the learning curve, and ``MODEL_CARD.md``: every number in them comes
from here. Run it in the repository, after `pretrain`.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import torch
from safetensors import safe_open
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from course_utils.checkpoint import full_precision
from course_utils.data import Pictures, cifar_cats_dogs, doodle_pets
from course_utils.device import describe_device, get_device
from course_utils.features import evaluate, extract_features, fit_head, install_head
from course_utils.files import ASSETS, ROOT, write_whole
from course_utils.heads import replace_head
from course_utils.plots import PALETTE
from course_utils.pretraining import tiny_imagenet
from course_utils.pretraining.augmentation import normalize
from course_utils.pretraining.recipe import Recipe
from course_utils.training import fine_tune

FOLDER = "resnet18_tiny200_v1"  # in ASSETS
PIXELS = 64
TRAINING_PICTURES, TEST_PICTURES = 500, 400

DATA_TERMS = (
    "Tiny ImageNet (Stanford CS231n), a subset of ImageNet; its pictures belong to their authors and may be used "
    "for non-commercial research and education."
)
REAL_PICTURES_MISSING = "Photos (CIFAR-10) are measured with `--cifar DIR`; they were not at hand for this card."
LICENSE = "CC BY 4.0 for the numbers in the file, as far as they are ours; mind the terms of the training data."


@dataclass(frozen=True)
class Way:
    """One way to get a classifier of cats and dogs, with the learning rates that are tried for it."""

    name: str
    epochs: int
    learning_rates: tuple[float, ...]


SCRATCH = Way("from scratch", epochs=30, learning_rates=(3e-4, 1e-3, 3e-3))
HEAD = Way("head only", epochs=100, learning_rates=(1e-3,))
EVERYTHING = Way("fine-tune everything", epochs=10, learning_rates=(1e-4, 3e-4, 1e-3))


@dataclass(frozen=True)
class Result:
    """Accuracy on the test pictures, one number for each seed, and the seconds that training took."""

    way: str
    lr: float
    accuracies: tuple[float, ...]
    seconds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0


@torch.inference_mode()
def validate(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float, list[float]]:
    """Return top-1 and top-5 accuracy, and the top-1 accuracy of each class, of uint8 images (N, 3, 64, 64)."""
    hits = []
    for start in range(0, len(labels), 500):
        top = model(normalize(images[start : start + 500].float())).topk(5, dim=1).indices
        hits.append(top == labels[start : start + 500, None])
    hits = torch.cat(hits)
    by_class = [hits[labels == label, 0].float().mean().item() for label in range(int(labels.max()) + 1)]
    return hits[:, 0].float().mean().item(), hits.any(dim=1).float().mean().item(), by_class


def learn(
    way: Way, lr: float, pretrained, transform, train: Pictures, test: Pictures, seed: int, device
) -> tuple[float, float]:
    """Train one classifier and return (accuracy on ``test``, seconds of training, preprocessing included).

    ``pretrained`` is a function that returns a fresh copy of the pre-trained network.
    """
    torch.manual_seed(seed)
    started = time.perf_counter()
    model = models.resnet18(weights=None, num_classes=len(train.categories)) if way is SCRATCH else pretrained()
    if way is HEAD:
        features, labels = extract_features(model, transform, train, device=device, progress=False)
        linear, _ = fit_head(features, labels, len(train.categories), epochs=way.epochs, lr=lr, seed=seed)
        install_head(model, linear)
    else:
        replace_head(model, len(train.categories))
        fine_tune(model, transform, train, epochs=way.epochs, lr=lr, seed=seed, device=device, progress=False)
    seconds = time.perf_counter() - started
    logits, labels = evaluate(model, transform, test, device=device, progress=False)
    return (logits.argmax(dim=1) == labels).float().mean().item(), seconds


def compare_ways(pretrained, transform, sample, seeds: Sequence[int], device) -> list[Result]:
    """Compare the three ways on ``sample(n, seed) -> Pictures``; every way gets its learning rate tuned first.

    The rate is chosen on pictures that no later run sees: it is the one with the best accuracy for one seed.
    """
    tuning_train, tuning_test = sample(TRAINING_PICTURES, 900), sample(TEST_PICTURES, 901)
    test = sample(TEST_PICTURES, 1000)
    results = []
    for way in (SCRATCH, HEAD, EVERYTHING):
        rates = {
            lr: learn(way, lr, pretrained, transform, tuning_train, tuning_test, 0, device)[0]
            for lr in way.learning_rates
            if len(way.learning_rates) > 1
        }
        lr = max(rates, key=rates.get) if rates else way.learning_rates[0]
        runs = [
            learn(way, lr, pretrained, transform, sample(TRAINING_PICTURES, seed), test, seed, device) for seed in seeds
        ]
        accuracies, seconds = zip(*runs, strict=True)
        results.append(Result(way.name, lr, accuracies, seconds))
        print(f"{way.name}: {results[-1].mean:.1%} ± {results[-1].spread:.1%} (lr {lr:g})", flush=True)
    return results


def gigaflops(model: nn.Module) -> float:
    """Return multiply-adds of one picture in billions, which is what torchvision's metadata calls GFLOPS."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, 3, PIXELS, PIXELS))
    return counter.get_total_flops() / 2 / 1e9


def learning_curve(log: list[dict], path: Path) -> str:
    """Draw loss and accuracy over the epochs into ``path``; return the alt text."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    epochs = range(1, len(log) + 1)
    fig, axes = plt.subplots(figsize=(7.5, 3.5), layout="constrained")
    axes.plot(epochs, [100 * line["top1"] for line in log], color=PALETTE[0], marker="o", label="top-1")
    axes.plot(epochs, [100 * line["top5"] for line in log], color=PALETTE[1], marker="s", label="top-5")
    sizes = sorted({line["px"] for line in log})
    for line, epoch in zip(log, epochs, strict=True):
        shade = 0.04 + 0.08 * sizes.index(line["px"])
        axes.axvspan(epoch - 0.5, epoch + 0.5, color="black", alpha=shade, linewidth=0)
    labels = 0
    for start, line in enumerate(log):
        if start == 0 or line["px"] != log[start - 1]["px"]:
            labels += 1
            axes.text(start + 0.55, 2 if labels % 2 else 8, f"{line['px']} px", fontsize=9)
    axes.set(xlabel="epoch", ylabel="validation accuracy in %", ylim=(0, 100), xlim=(0.5, len(log) + 0.5))
    axes.legend(loc="upper left")
    path.parent.mkdir(exist_ok=True)
    fig.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(fig)
    return (
        f"Validation accuracy over {len(log)} epochs: top-1 rises from {log[0]['top1']:.0%} to {log[-1]['top1']:.0%}, "
        f"top-5 from {log[0]['top5']:.0%} to {log[-1]['top5']:.0%}; "
        f"sides of the pictures: {', '.join(str(px) for px in sizes)} px."
    )


def transfer_table(results: list[Result]) -> str:
    """Return a Markdown table of `compare_ways`."""
    rows = [
        f"| {r.way} | {r.mean:.1%} ± {r.spread:.1%} | {statistics.fmean(r.seconds):.1f} | {r.lr:g} |" for r in results
    ]
    return "\n".join(["| way | accuracy | seconds | learning rate |", "|---|--:|--:|--:|", *rows])


def class_table(names: list[str], accuracies: list[float], count: int) -> str:
    """Return a Markdown table of the ``count`` best and worst classes."""
    order = sorted(range(len(names)), key=lambda label: -accuracies[label])
    rows = [
        f"| {names[best]} | {accuracies[best]:.0%} | {names[worst]} | {accuracies[worst]:.0%} |"
        for best, worst in zip(order[:count], reversed(order[-count:]), strict=True)
    ]
    return "\n".join(["| best | top-1 | worst | top-1 |", "|---|--:|---|--:|", *rows])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the options of ``python -m course_utils checkpoint-report``."""
    parser.add_argument("--data", type=Path, required=True, help="Tiny ImageNet, as for pretrain")
    parser.add_argument("--checkpoint", type=Path, help="ship this file of pretrain (default: what is shipped)")
    parser.add_argument("--log", type=Path, nargs="+", help="its JSON lines, in order (default: beside the file)")
    parser.add_argument("--how", help="what the card should say besides the command: what came before this run")
    parser.add_argument("--cifar", type=Path, help="folder with CIFAR-10, to measure transfer on real pictures too")
    parser.add_argument(
        "--seeds", type=int, default=5, help="runs for each way of the transfer table (default: 5; 0 leaves it out)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, then write; nothing is written when measuring fails."""
    shipped = ASSETS / FOLDER / "weights.safetensors"
    log_file, entry_file = shipped.with_name("log.jsonl"), shipped.with_name("meta.json")
    checkpoint = args.checkpoint or shipped
    log_paths = args.log or [checkpoint.with_suffix(".jsonl") if args.checkpoint else log_file]
    try:
        content = checkpoint.read_bytes()
        log = [json.loads(line) for path in log_paths for line in path.read_text(encoding="utf-8").splitlines()]
        data = tiny_imagenet.load(args.data)
    except (OSError, ValueError) as error:
        print(f"checkpoint-report: {error}", file=sys.stderr)
        return 1

    device = get_device()
    with safe_open(checkpoint, framework="pt") as file:
        header = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - this is no dict
    state = full_precision(state)

    def pretrained() -> nn.Module:
        model = models.resnet18(weights=None, num_classes=len(data.wnids))
        model.load_state_dict(state)
        return model.eval()

    model = pretrained()
    top1, top5, by_class = validate(model, data.val_images, data.val_labels)
    print(f"validation: top-1 {top1:.2%}, top-5 {top5:.2%}", flush=True)
    transform = models.ResNet18_Weights.DEFAULT.transforms(crop_size=PIXELS, resize_size=PIXELS)
    samples = {"drawn cats and dogs (`doodle_pets`)": lambda n, seed: doodle_pets(n, seed=seed, size=PIXELS)}
    if args.cifar:
        samples["photos of cats and dogs (CIFAR-10, enlarged to 64 px)"] = _cifar_sample(args.cifar)
    transfer = {
        name: compare_ways(pretrained, transform, sample, range(args.seeds), device)
        for name, sample in samples.items()
        if args.seeds > 0
    }

    sha256 = hashlib.sha256(content).hexdigest()
    recipe = json.loads(header.get("recipe", "{}"))
    known = json.loads(entry_file.read_text(encoding="utf-8")) if entry_file.exists() else {}
    if how := args.how or (known["recipe"].get("how") if known.get("sha256") == sha256 else None):
        recipe["how"] = how
    entry = {
        "file": f"{FOLDER}/{shipped.name}",
        "sha256": sha256,
        "pixels": PIXELS,
        "categories_file": f"{FOLDER}/categories.txt",
        "num_params": sum(parameter.numel() for parameter in model.parameters()),
        "min_size": [1, 1],
        "_metrics": {"Tiny-ImageNet-200 (validation)": {"acc@1": round(100 * top1, 2), "acc@5": round(100 * top5, 2)}},
        "_ops": round(gigaflops(model), 3),
        "_file_size": round(len(content) / 2**20, 1),
        "recipe": recipe,
        "training_data": DATA_TERMS,
        "license": LICENSE,
        "_docs": "ResNet-18 trained from scratch on Tiny ImageNet at up to 64 x 64 pixels; see MODEL_CARD.md.",
    }
    figure = ROOT / "figures" / "learning_curve.png"
    alt = learning_curve(log, figure)
    card = _card(entry, log, figure, alt, by_class, transfer, device, args.seeds)

    if args.checkpoint:
        _replace(shipped, content)
        _replace(log_file, "".join(json.dumps(line) + "\n" for line in log).encode())
    _replace(entry_file, (json.dumps(entry, indent=2) + "\n").encode())
    _replace(ROOT / "MODEL_CARD.md", card.encode())
    print("Wrote MODEL_CARD.md, figures/learning_curve.png and course_utils/assets/.")
    return 0


def _cifar_sample(root: Path):
    train, test = (cifar_cats_dogs(root, download=False, train=part) for part in (True, False))

    def sample(n: int, seed: int) -> Pictures:
        source = test if seed >= 900 else train
        order = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))
        return source.subset(order[:n].tolist())

    return sample


def _replace(path: Path, content: bytes) -> None:
    write_whole(path, lambda partial: partial.write_bytes(content))


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _command(recipe: dict) -> str:
    """The command line of a recipe: the settings that are not the defaults, and those that matter most."""
    sizes = ",".join(f"{px}:{epochs}" for px, epochs in recipe["sizes"])
    options = {"sizes": sizes, "lr": recipe["lr"], "batch_size": recipe["batch_size"], "seed": recipe["seed"]}
    defaults = asdict(Recipe())
    derived = ("sizes", "processes")  # torchrun sets the number of processes
    options |= {
        name: value
        for name, value in recipe.items()
        if name in defaults and name not in derived and value != defaults[name]
    }
    flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    return f"    python -m course_utils pretrain --data DIR --out resnet18.safetensors {flags}"


def _hours(log: list[dict]) -> float:
    return sum(line["seconds"] for line in log) / 3600


def _card(entry, log, figure, alt, by_class, transfer, device, seeds) -> str:
    names = (ASSETS / entry["categories_file"]).read_text(encoding="utf-8").splitlines()
    metrics = entry["_metrics"]["Tiny-ImageNet-200 (validation)"]
    recipe = dict(entry["recipe"])
    how = f" {recipe.pop('how')}" if "how" in recipe else ""  # tells of what came before the command
    settings = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in recipe.items())
    hardware = sorted({line.get("device", "unknown") for line in log})
    return f"""# Model card: ResNet-18 on Tiny ImageNet

<!-- Written by `make checkpoint-report`; edit course_utils/reports/measure.py instead. -->

`ResNet18_Course_Weights.TINY200_V1`: torchvision's own `resnet18`, unchanged, with {len(names)} classes,
{entry["num_params"]:,} parameters, stored as 16-bit safetensors ({entry["_file_size"]} MiB). It ships inside the
package so that the course also works where no weights can be downloaded.

| | |
|---|--:|
| top-1 on the 10,000 validation pictures at {entry["pixels"]} x {entry["pixels"]} | {metrics["acc@1"]:.2f} % |
| top-5 | {metrics["acc@5"]:.2f} % |
| billions of multiply-adds for a picture | {entry["_ops"]:.3f} |

## What it is for, and what it is bad at

It is made for learning: loading, preprocessing, predicting, replacing the head. It knows {len(names)} things, at
64 x 64 pixels, from 500 pictures each, and gives everything else one of these {len(names)} names. Look at its worst
classes below before you trust it, and base no decision about people on it. For real work use ImageNet weights, which
`load_pretrained` takes by itself where they can be had.

## Data

{entry["training_data"]} 100,000 pictures to train on, 10,000 to validate, 64 x 64 pixels. No picture of it is in
this repository. The weights: {entry["license"]}

## Recipe

{_command(entry["recipe"])}

{_hours(log):.1f} hours by the clock on {" and ".join(hardware)}.{how}
Files that a run starts from or learns from are not shipped; `make checkpoint` trains one like it without them.

| setting | value |
|---|---|
{settings}

![{alt}]({figure.relative_to(ROOT).as_posix()})

{alt}

## Accuracy by class

{class_table(names, by_class, 10)}

The median class reaches {statistics.median(by_class):.0%}.
{_transfer_section(transfer, device, seeds)}"""


def _transfer_section(transfer: dict[str, list[Result]], device, seeds: int) -> str:
    if not transfer:
        return ""
    tables = [f"### {name[0].upper()}{name[1:]}\n\n{transfer_table(rows)}\n" for name, rows in transfer.items()]
    if len(transfer) == 1:
        tables.append(REAL_PICTURES_MISSING + "\n")
    return f"""
## What it is worth for another task

{TRAINING_PICTURES} labelled pictures of cats and dogs, {TEST_PICTURES} others to test on, the same network each time;
mean and standard deviation of {seeds} seeds, each with its own training pictures. Seconds include preprocessing, on
{describe_device(device)}. From scratch means random weights, {SCRATCH.epochs} epochs; head only means one pass over the
pictures and {HEAD.epochs} epochs on the features; fine-tuning everything means {EVERYTHING.epochs} epochs.
From scratch and fine-tuning use AdamW with warm-up and cosine, flips and random crops; their learning rates were
chosen among {_numbers(SCRATCH.learning_rates)} and {_numbers(EVERYTHING.learning_rates)} on pictures that are
used for nothing else.

{chr(10).join(tables)}"""
