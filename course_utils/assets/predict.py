"""Say what is in a photo:

    python predict.py photo.jpg [more photos]

Lesson 09 hands this program over together with `pets.safetensors`, which has to lie beside it. It needs torch,
torchvision, safetensors and Pillow, and nothing of the course. What the network expects (its architecture, the names
of its categories, its preprocessing) stands in the header of the weights file.
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from torch import nn
from torchvision import models
from torchvision.transforms import v2

WEIGHTS = Path(__file__).with_name("pets.safetensors")


def load(path: Path = WEIGHTS) -> tuple[nn.Module, v2.Transform, list[str]]:
    """Return the network in eval mode, its preprocessing, and the names of its categories."""
    with safe_open(path, framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - this is no dict
        passport = {name: json.loads(text) for name, text in file.metadata().items()}
    network = models.get_model(passport["architecture"], weights=None, num_classes=len(passport["categories"]))
    network.load_state_dict(state)
    transform = v2.Compose(
        [
            v2.Resize(passport["resize_size"], interpolation=v2.InterpolationMode(passport["interpolation"])),
            v2.CenterCrop(passport["crop_size"]),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(passport["mean"], passport["std"]),
        ]
    )
    return network.eval(), transform, passport["categories"]


def open_photo(path: str) -> Image.Image:
    """Return the photo in RGB, the right way up, transparent places white."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("RGB")


def predict(image: Image.Image, network: nn.Module, transform: v2.Transform) -> torch.Tensor:
    """Return the probability of each category, shape (categories,)."""
    with torch.inference_mode():
        return network(transform(image)[None]).softmax(dim=1)[0]


def main(photos: list[str]) -> int:
    """Print one line for each photo: file, category, probability. The exit status is 1 if one could not be read."""
    if not photos:
        print("Which photo? python predict.py photo.jpg", file=sys.stderr)
        return 2
    network, transform, categories = load()
    failed = False
    for photo in photos:
        try:
            image = open_photo(photo)
        except (OSError, ValueError) as error:
            print(f"{photo}: no picture that can be read ({error})", file=sys.stderr)
            failed = True
            continue
        probabilities = predict(image, network, transform)
        best = int(probabilities.argmax())
        print(f"{photo}\t{categories[best]}\t{probabilities[best]:.4f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
