"""EfficientNet-Lite0 in torchvision's class: the same numbers as the network that its weights were published for."""

import pytest
import torch
from small_networks import noise_pictures
from torch import nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

from course_utils import (
    efficientnet_lite0,
    evaluate,
    extract_features,
    find_head,
    fit_head,
    install_head,
    load_pretrained,
    replace_head,
)
from course_utils.depth import stages, unfreeze_from
from course_utils.efficientnet_lite import SamePadConv2d, torchvision_names
from course_utils.grad_cam import grad_cam
from course_utils.shipped import SHIPPED
from course_utils.weights import SHIPPED_WEIGHTS


@pytest.fixture(scope="module")
def published() -> dict[str, torch.Tensor]:
    """The state dict as it is in the file, under its own names."""
    return torch.load(SHIPPED["efficientnet_lite0"].path, weights_only=True)


@pytest.fixture
def lite() -> nn.Module:
    model, _ = load_pretrained("efficientnet_lite0", quiet=True)
    return model


@pytest.mark.parametrize("size", [(224, 224), (193, 193), (225, 150), (64, 64), (33, 47)])
def test_the_outputs_are_those_of_the_reference_implementation(lite, published, size):
    reference = pytest.importorskip("efficientnet_lite_pytorch")
    parts = reference.get_model_params("efficientnet-lite0", {"image_size": None})  # None: it pads for any size
    other = reference.EfficientNet(*parts).eval()
    other.load_state_dict(published)
    batch = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(lite(batch), other(batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 2)])
def test_same_padding_gives_one_output_for_each_step_and_the_odd_zero_at_the_end(kernel, stride, size):
    layer = SamePadConv2d(1, 1, kernel, stride, bias=False)
    nn.init.ones_(layer.weight)
    rows, columns = size
    with torch.no_grad():
        sums = layer(torch.ones(1, 1, rows, columns))
    assert sums.shape == (1, 1, -(-rows // stride), -(-columns // stride))
    # What TensorFlow documents: the zeros before are half of all, rounded down.
    before = [max((-(-side // stride) - 1) * stride + kernel - side, 0) // 2 for side in size]
    padded = F.pad(torch.ones(1, 1, rows, columns), (before[1], kernel, before[0], kernel))
    windows = F.conv2d(padded, torch.ones(1, 1, kernel, kernel), stride=stride)
    assert torch.equal(sums, windows[..., : sums.shape[2], : sums.shape[3]])


def test_torchs_own_padding_fits_the_same_weights_and_answers_otherwise(lite):
    """All keys match, nothing complains, and the answers are others: what the class is for."""
    batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        right = lite(batch)
        for name, layer in list(lite.named_modules()):
            if isinstance(layer, SamePadConv2d):
                half = layer.kernel_size[0] // 2
                plain = nn.Conv2d(
                    layer.in_channels, layer.out_channels, layer.kernel_size, 2, half, groups=layer.groups, bias=False
                )
                plain.weight = layer.weight
                lite.set_submodule(name, plain)
        assert (lite(batch) - right).abs().max() > 0.1


def test_every_tensor_of_the_file_finds_its_place(published):
    renamed = torchvision_names(published)
    assert len(renamed) == len(published) == 296
    expected = {name: tensor.shape for name, tensor in efficientnet_lite0().state_dict().items()}
    assert {name: tensor.shape for name, tensor in renamed.items()} == expected


def test_it_is_made_for_phones():
    kinds = {type(module) for module in efficientnet_lite0().modules()}
    assert nn.ReLU6 in kinds and nn.SiLU not in kinds and nn.Sigmoid not in kinds
    norms = [module for module in efficientnet_lite0().modules() if isinstance(module, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-3}


def test_the_number_of_classes_can_be_chosen():
    assert efficientnet_lite0(num_classes=7).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 7)


# What the course does with a classifier


def test_its_head_is_found_and_replaced(lite):
    head = find_head(lite)
    assert (head.name, head.in_features, head.num_classes) == ("classifier.1", 1280, 1000)
    assert find_head(replace_head(lite, 2)).num_classes == 2


def test_a_head_on_its_features_can_be_trained_and_installed(lite):
    transform, pictures = SHIPPED_WEIGHTS["efficientnet_lite0"].transforms(), noise_pictures(8, size=64)
    features, labels = extract_features(lite, transform, pictures, device="cpu", progress=False)
    assert features.shape == (8, 1280)
    linear, _ = fit_head(features, labels, 2, epochs=50)
    install_head(lite, linear)
    logits, _ = evaluate(lite, transform, pictures, device="cpu", progress=False)
    torch.testing.assert_close(logits, linear(features), atol=1e-4, rtol=1e-4)
    assert (logits.argmax(dim=1) == labels).all()


def test_the_last_stages_alone_can_learn(lite):
    assert list(stages(lite)) == [*(f"features.{number}" for number in range(9)), "classifier"]
    unfreeze_from(lite, "features.8")
    learning = {name for name, parameter in lite.named_parameters() if parameter.requires_grad}
    assert learning == {name for name, _ in lite.named_parameters() if name.startswith(("features.8.", "classifier."))}


def test_grad_cam_looks_at_its_last_maps(lite):
    maps = grad_cam(lite, lite.features[-1], torch.rand(2, 3, 224, 224), [281, 967])
    assert maps.shape == (2, 7, 7) and maps.max() > 0
    assert not lite.training and all(parameter.grad is None for parameter in lite.parameters())


def test_it_learns_as_a_whole(lite):
    """One step of gradient descent through every layer, padding included; no block is left out by chance."""
    for layer in lite.modules():
        if isinstance(layer, StochasticDepth):
            layer.p = 0.0
    before = [parameter.clone() for parameter in lite.parameters()]
    optimizer = torch.optim.SGD(lite.train().parameters(), lr=0.1)
    F.cross_entropy(lite(torch.rand(4, 3, 64, 64)), torch.tensor([0, 1, 2, 3])).backward()
    optimizer.step()
    moved = [not torch.equal(old, new) for old, new in zip(before, lite.parameters(), strict=True)]
    assert all(moved)
