"""The page's own arithmetic against Pillow, torchvision and the course: resizing, preprocessing, training a head."""

import base64
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights
from torchvision.transforms import InterpolationMode

from course_utils.checkpoint import CheckpointError, load_head
from course_utils.features import fit_head, install_head
from course_utils.weights import load_pretrained

PICTURE = """
const picture = ({ width, height, data }) => ({ width, height, data: new Uint8Array(Buffer.from(data, "base64")) });
const text = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
"""
HEAD = """
const { fitHead, leaveOneOut, logits } = await import("./playground/head.js");
const features = given.features.map((row) => Float32Array.from(row));
"""


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng([width, height]).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def as_json(image: Image.Image) -> dict:
    return {"width": image.width, "height": image.height, "data": base64.b64encode(image.tobytes()).decode()}


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(300, 200, 64, 64), (37, 501, 20, 270), (64, 64, 64, 64), (10, 7, 33, 21)], ids=str)
def test_a_resized_picture_is_pillows_to_the_last_bit(node, interpolation, size):
    image, new_size = noise(*size[:2]), size[2:]
    found = node(
        PICTURE + 'const { resize } = await import("./playground/resize.js");'
        "const resized = resize(picture(given.picture), ...given.size, given.interpolation);"
        "console.log(JSON.stringify(text(resized.data)));",
        picture=as_json(image),
        size=new_size,
        interpolation=interpolation,
    )
    filter = Image.Resampling[interpolation.upper()]
    rows_first = image.resize((new_size[0], image.height), filter).resize(new_size, filter)
    assert base64.b64decode(found) == rows_first.tobytes()
    at_once = np.asarray(image.resize(new_size, filter)).astype(int)  # in an order that Pillow chooses
    assert np.abs(at_once - np.asarray(rows_first)).max() <= {"bilinear": 1, "bicubic": 8}[interpolation]  # of noise


@pytest.mark.parametrize("size", [(500, 331), (333, 640), (65, 64), (70, 71), (40, 64)], ids=str)
@pytest.mark.parametrize("interpolation", list(InterpolationMode)[2:4])
@pytest.mark.parametrize("preset_size", [(64, 64), (96, 75)], ids=str)
def test_preprocessing_gives_torchvisions_numbers(node, size, interpolation, preset_size):
    resize, crop = preset_size
    preset = ResNet18_Weights.DEFAULT.transforms(resize_size=resize, crop_size=crop, interpolation=interpolation)
    image = noise(*size)
    model = {"resize": resize, "crop": crop, "interpolation": interpolation.value}
    found = node(
        PICTURE + 'const { preprocess } = await import("./playground/preprocess.js");'
        "console.log(JSON.stringify(text(preprocess(given.model, picture(given.picture)).tensor)));",
        picture=as_json(image),
        model=model | {"mean": preset.mean, "std": preset.std},
    )
    tensor = np.frombuffer(base64.b64decode(found), dtype="<f4").reshape(3, crop, crop)
    np.testing.assert_allclose(tensor, preset(image).numpy(), rtol=0, atol=0.0176)  # 1 of 255, divided by the std


@pytest.fixture(scope="module")
def few_features() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 1] * 10)
    features = torch.randn(20, 48, generator=generator).relu() + 0.8 * labels[:, None] * torch.linspace(0, 1, 48)
    features[:, 7] = 0.25  # a feature that never changes
    return features, labels


def test_the_page_trains_the_head_that_fit_head_trains(node, few_features):
    features, labels = few_features
    wanted, _ = fit_head(features, labels, 2, batch_size=len(labels))
    found = node(
        HEAD + "const head = fitHead(features, given.labels, 2);"
        "console.log(JSON.stringify({ weight: head.weight.map((row) => [...row]), bias: [...head.bias] }));",
        features=features.tolist(),
        labels=labels.tolist(),
    )
    torch.testing.assert_close(torch.tensor(found["weight"]), wanted.weight.detach(), rtol=0, atol=2e-4)
    torch.testing.assert_close(torch.tensor(found["bias"]), wanted.bias.detach(), rtol=0, atol=2e-4)


def test_leave_one_out_counts_what_heads_say_of_pictures_they_have_not_seen(node, few_features):
    features, labels = few_features
    right = 0
    for place in range(len(labels)):
        rest = torch.arange(len(labels)) != place
        head, _ = fit_head(features[rest], labels[rest], 2, batch_size=len(labels))
        right += int(head(features[place]).argmax() == labels[place])
    assert 0 < right < len(labels)  # so that both kinds of wrong counting would be seen
    script = HEAD + "console.log(leaveOneOut(features, given.labels, 2));"
    assert node(script, features=features.tolist(), labels=labels.tolist()) == right


@pytest.fixture
def head_file(node, few_features, tmp_path):
    """A head for ResNet-18's 512 features, its file from the page, and what the page computes with it."""
    features = few_features[0].repeat(1, 11)[:, :512]
    found = node(
        HEAD + 'const { headFile } = await import("./playground/head_file.js");'
        "const head = fitHead(features, given.labels, 2);"
        "const file = Buffer.from(headFile(head, given.categories, 'resnet18')).toString('base64');"
        "console.log(JSON.stringify({ file, logits: features.map((row) => logits(head, row)) }));",
        features=features.tolist(),
        labels=few_features[1].tolist(),
        categories=["Tasse ☕", 'no "cup"'],
    )
    path = tmp_path / "my_head.safetensors"
    path.write_bytes(base64.b64decode(found["file"]))
    return path, features, torch.tensor(found["logits"])


def test_a_downloaded_head_gives_the_pages_scores_in_pytorch(head_file):
    path, features, logits = head_file
    head, categories = load_head(path)
    assert categories == ["Tasse ☕", 'no "cup"']
    torch.testing.assert_close(head(features).detach(), logits, rtol=1e-4, atol=1e-4)
    model, _ = load_pretrained("resnet18", "course", quiet=True)
    install_head(model, head)
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


def test_a_file_that_is_no_head_is_refused_in_one_sentence(head_file, tmp_path):
    path, _, _ = head_file
    content = path.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    renamed = content.replace(json.dumps("weight").encode(), json.dumps("height").encode())
    (tmp_path / "renamed.safetensors").write_bytes(renamed)
    (tmp_path / "nameless.safetensors").write_bytes(content.replace(b'"categories"', b'"caterpillar'[:11] + b'"'))
    for name in ("cut", "empty", "renamed", "nameless", "missing"):
        with pytest.raises(CheckpointError) as caught:
            load_head(tmp_path / f"{name}.safetensors")
        assert "\n" not in str(caught.value)
