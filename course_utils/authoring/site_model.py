"""What "Show it a picture" runs: networks as ONNX files, the program that reads them, and sample photos.

A network is exported with two outputs, ``features`` (what reaches its head) and ``logits``, so that one file serves
both for naming a picture and for teaching two classes. Its weights are stored as 16-bit numbers where the
probabilities stay the same.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torchvision.models import WeightsEnum

from course_utils.authoring.site_pages import PAGES, SiteError
from course_utils.files import ROOT, write_text
from course_utils.heads import find_head
from course_utils.sample_photos import sample_images
from course_utils.weights import load_pretrained

NPM = ROOT / "build" / "site-npm"  # what npm installs, kept for the next time
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LARGE = 20_000  # numbers, from which on a weight is stored with 16 bits
TOLERANCE = 1e-3  # by which a probability may differ from PyTorch's


@dataclass(frozen=True)
class PageModel:
    """A network of the page: its name in `load_pretrained`, the source of its weights, and a title to choose it by."""

    name: str
    source: str
    title: str


# The first one is what the page begins with.
MODELS = (
    PageModel("efficientnet_lite0", "course", "EfficientNet-Lite0, 1000 classes"),
    PageModel("resnet18", "course", "ResNet-18 of this course, 200 classes"),
)


class WithFeatures(nn.Module):
    """A classifier that returns what reaches its head as well: features (N, D), then logits (N, classes)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        name, self.head = find_head(model)
        model.set_submodule(name, nn.Identity())
        self.backbone = model

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Turn pictures (N, 3, H, W) into features (N, D) and logits (N, classes)."""
        features = self.backbone(pictures)
        return features, self.head(features)


def add_playground(site: Path) -> None:
    """Put models, sample photos and ONNX Runtime Web into a site that Sphinx has built."""
    folder = site / "_static" / "playground"
    add_runtime(folder / "ort")
    add_samples(folder / "samples")
    (folder / "models").mkdir(exist_ok=True)
    records = [add_model(model, folder / "models") for model in MODELS]
    write_text(folder / "models" / "models.json", json.dumps(records, ensure_ascii=False))


def add_runtime(folder: Path) -> None:
    """Copy the files of ONNX Runtime Web that the page asks for, as npm installs them."""
    folder.mkdir(exist_ok=True)
    for name in RUNTIME:
        shutil.copy(node_modules() / "onnxruntime-web" / "dist" / name, folder)


def node_modules() -> Path:
    """Return the folder with the packages of ``docs/site/package.json``, installed when their list is new."""
    lock = (PAGES / "package-lock.json").read_text(encoding="utf-8")
    receipt = NPM / "installed.json"  # written last, so an interrupted installation never looks complete
    if not receipt.is_file() or receipt.read_text(encoding="utf-8") != lock:
        npm = shutil.which("npm")
        if npm is None:
            raise SiteError('"Show it a picture" needs npm: install Node.js, or build with --without-playground.')
        NPM.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PAGES / name, NPM)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NPM, capture_output=True, text=True
        )
        if done.returncode:
            raise SiteError(f"npm could not install the site's packages:\n{done.stderr.strip()}")
        write_text(receipt, lock)
    return NPM / "node_modules"


def add_samples(folder: Path) -> None:
    """Write the square of each sample photo as PNG, and a list of them with descriptions and licences."""
    folder.mkdir(exist_ok=True)
    listed = []
    for photo in sample_images().values():
        photo.square.save(folder / f"{photo.name}.png", optimize=True)
        about = {"description": photo.description, "source": photo.source, "licence": photo.licence}
        listed.append({"name": photo.name, "file": f"{photo.name}.png", **about})
    write_text(folder / "samples.json", json.dumps(listed, ensure_ascii=False))


def add_model(page_model: PageModel, folder: Path) -> dict:
    """Write the network as ONNX into ``folder`` and return its record: what the page must know to use it."""
    model, weights = load_pretrained(page_model.name, page_model.source, quiet=True)
    record = record_of(page_model, weights)
    pictures = torch.stack([weights.transforms()(photo.square) for photo in sample_images().values()])
    with torch.inference_mode():
        wanted = model(pictures).softmax(dim=1).numpy()
    content = smallest_that_agrees(export(model, record["crop"]), pictures.numpy(), wanted)
    (folder / record["file"]).write_bytes(content)
    return {**record, "bytes": len(content)}


def record_of(page_model: PageModel, weights: WeightsEnum) -> dict:
    """Return the preprocessing, the categories and the licence of a network, as the page's scripts read them."""
    preset = weights.transforms()
    (resize,), (crop,) = preset.resize_size, preset.crop_size
    if crop > resize:
        raise SiteError(f"The page cannot crop {crop} pixels from {resize}, as {page_model.name} would need.")
    arguments = [page_model.name] if page_model.source == "auto" else [page_model.name, page_model.source]
    return {
        "name": page_model.name,
        "title": page_model.title,
        "file": f"{page_model.name}.onnx",
        "load": ", ".join(json.dumps(argument) for argument in arguments),
        "resize": resize,
        "crop": crop,
        "interpolation": preset.interpolation.value,
        "mean": list(preset.mean),
        "std": list(preset.std),
        "categories": list(weights.meta["categories"]),
        "licence": weights.meta.get("license", "see the documentation of torchvision."),
    }


def export(model: nn.Module, side: int) -> onnx.ModelProto:
    """Return the network as ONNX, for batches of any size; changes ``model``."""
    example = torch.zeros(2, 3, side, side)
    program = torch.onnx.export(
        WithFeatures(model).eval(),
        (example,),
        dynamo=True,
        verbose=False,
        input_names=["pictures"],
        output_names=["features", "logits"],
        dynamic_shapes=({0: torch.export.Dim("pictures")},),
    )
    if program is None:
        raise SiteError("PyTorch exported nothing.")
    return program.model_proto


def smallest_that_agrees(proto: onnx.ModelProto, pictures: np.ndarray, wanted: np.ndarray) -> bytes:
    """Return the file with 16-bit weights, or with 32-bit ones where the probabilities ``wanted`` need them."""
    differences = []
    for content in (with_half_weights(proto).SerializeToString(), proto.SerializeToString()):
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        (logits,) = session.run(["logits"], {"pictures": pictures})
        found = torch.from_numpy(logits).softmax(dim=1).numpy()
        differences.append(np.abs(found - wanted).max())
        if differences[-1] < TOLERANCE / 2:  # the other half is for the browser's arithmetic
            return content
    raise SiteError(f"The exported network differs from PyTorch's: by {differences[-1]:.2g} in a probability.")


def with_half_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose large weights are stored as 16-bit numbers; they become 32-bit when the file is opened.

    The small ones (biases, filters of single channels) are a few per cent of the file, and the most sensitive part.
    """
    half = onnx.ModelProto()
    half.CopyFrom(proto)
    casts = []
    for weight in half.graph.initializer:
        if weight.data_type == TensorProto.FLOAT and np.prod(weight.dims) >= LARGE:
            name, stored = weight.name, f"{weight.name}.half"
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *half.graph.node]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    return half
