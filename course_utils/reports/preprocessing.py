"""What a mistake that nothing complains about costs, on real pictures: the numbers that lessons 02 and 08 show.

In lesson 02 the mistake is in the preprocessing, in lesson 08 in the padding of a network.

    python -m course_utils preprocessing-costs --data DIR       some minutes on two cores

The pictures are the first 5 validation pictures of each class of Tiny ImageNet, 1,000 in all, made wide by mirroring
a strip at each side, as real photos are rarely square. Their 200 classes are among the 1,000 of ImageNet.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models, transforms
from torchvision.models import EfficientNet, WeightsEnum

from course_utils.data import Pictures
from course_utils.device import get_device
from course_utils.efficientnet_lite import pad_alike
from course_utils.files import write_text
from course_utils.inference import evaluate
from course_utils.pretraining import tiny_imagenet
from course_utils.results import FOLDER
from course_utils.weights import load_pretrained

RESULTS = FOLDER / "preprocessing.json"
MODELS = ("efficientnet_lite0", "resnet18")
PICTURES_A_CLASS = 5


def recipes(weights: WeightsEnum) -> dict[str, Callable[[Image.Image], Tensor]]:
    """The right preprocessing of ``weights`` and the mistakes, by the names that lesson 02 gives them."""
    preset = weights.transforms()
    pixels = preset.crop_size[0]
    resize = transforms.Resize(preset.resize_size, interpolation=preset.interpolation)
    square = [resize, transforms.CenterCrop(preset.crop_size)]
    to_tensor, to_uint8 = transforms.ToTensor(), transforms.PILToTensor()
    normalize = transforms.Normalize(preset.mean, preset.std)
    other = models.ResNet18_Weights.DEFAULT.transforms()
    whole = transforms.Resize((pixels, pixels), interpolation=preset.interpolation)
    return {
        "as trained": preset,
        "another model's normalisation": transforms.Compose(
            [*square, to_tensor, transforms.Normalize(other.mean, other.std)]
        ),
        "no normalisation": transforms.Compose([*square, to_tensor]),
        "0 to 255": transforms.Compose([*square, to_uint8, Tensor.float, normalize]),
        "BGR": transforms.Compose([*square, to_tensor, lambda rgb: rgb.flip(0), normalize]),
        "squashed": transforms.Compose([whole, to_tensor, normalize]),
        "half the size": transforms.Compose([preset, transforms.Resize(pixels // 2)]),
        "no centre crop": transforms.Compose([resize, to_tensor, normalize]),
    }


def wide_pictures(data: tiny_imagenet.TinyImageNet, names: list[str]) -> Pictures:
    """The pictures of the test, labelled by the place of their class in ``names``, the course's 200 names."""
    chosen = [
        int(index)
        for label in range(len(data.wnids))
        for index in (data.val_labels == label).nonzero()[:PICTURES_A_CLASS]
    ]
    images = [data.val_images[index].permute(1, 2, 0).numpy() for index in chosen]
    strip = images[0].shape[1] // 4
    widened = [Image.fromarray(np.pad(image, ((0, 0), (strip, strip), (0, 0)), mode="reflect")) for image in images]
    return Pictures(widened, data.val_labels[chosen].tolist(), tuple(names))


def measure(
    model: nn.Module,
    weights: WeightsEnum,
    recipes: dict[str, Callable[[Image.Image], Tensor]],
    pictures: Pictures,
    device: torch.device,
) -> list[dict]:
    """One line a recipe: ``top1`` and the mean ``confidence`` of the first answer, both from 0 to 1."""
    place = [weights.meta["categories"].index(name) for name in pictures.categories]
    actual = torch.tensor([place[label] for label in pictures.labels])
    lines = []
    for name, recipe in recipes.items():
        logits, _ = evaluate(model, recipe, pictures, device=device, batch_size=32, progress=False)
        confidence, answers = logits.softmax(dim=1).max(dim=1)
        top1 = (answers == actual).float().mean().item()
        lines.append({"recipe": name, "top1": round(top1, 4), "confidence": round(confidence.mean().item(), 4)})
        print(f"    {name:30} {top1:6.1%}", flush=True)
    return lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``python -m course_utils preprocessing-costs``."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Tiny ImageNet, as for pretrain")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the file of results")


def run(args: argparse.Namespace) -> int:
    """Measure both networks and write the file; nothing is written when the data cannot be read."""
    try:
        data = tiny_imagenet.load(args.data)
    except tiny_imagenet.DataError as error:
        print(f"preprocessing-costs: {error}", file=sys.stderr)
        return 1
    device = get_device()
    names = load_pretrained("resnet18", "course", quiet=True)[1].meta["categories"]
    pictures = wide_pictures(data, names)
    runs = []
    for name in MODELS:
        model, weights = load_pretrained(name, "course", device=device, quiet=True)
        print(weights)
        lines = measure(model, weights, recipes(weights), pictures, device)
        if name == "efficientnet_lite0":
            assert isinstance(model, EfficientNet)
            lines += measure(pad_alike(model), weights, {"padded alike": weights.transforms()}, pictures, device)
        runs += [{"model": name, **line} for line in lines]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": "python -m course_utils preprocessing-costs --data DIR",
        "recipe": {"data": "Tiny ImageNet, validation pictures", "pictures of a class": PICTURES_A_CLASS},
        "pictures": len(pictures.labels),
        "runs": runs,
    }
    write_text(args.out, json.dumps(content, indent=1) + "\n")
    return 0
