"""Grad-CAM, compared with captum's, and on networks that must not be changed by looking."""

import pytest
import torch
from torchvision import models

from course_utils import freeze_backbone
from course_utils.grad_cam import brightest_place, grad_cam
from course_utils.plots import show_grad_cam

LAYERS = {"resnet18": "layer3", "mobilenet_v3_small": "features.8", "squeezenet1_1": "features.10"}


def network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return models.get_model(name, num_classes=5).eval()


def pictures(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 96, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", LAYERS)
def test_the_maps_are_those_of_captum(name):
    attr = pytest.importorskip("captum.attr", reason="captum comes with the test extra")
    model, batch, categories = network(name), pictures(3), [4, 0, 2]
    layer = model.get_submodule(LAYERS[name])
    cams = grad_cam(model, layer, batch, categories)
    theirs = attr.LayerGradCam(model, layer).attribute(batch, target=categories, relu_attributions=True)[:, 0]
    assert cams.max() > 0
    torch.testing.assert_close(cams, theirs.detach())


def test_looking_changes_nothing():
    model = network("resnet18").train()
    model.bn1.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    batch = pictures(2)
    cams = grad_cam(model, model.layer3, batch, [0, 1])
    assert not cams.requires_grad and not batch.requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.layer3._forward_hooks


def test_a_frozen_network_can_be_looked_into_also_under_no_grad():
    model = network("resnet18")
    expected = grad_cam(model, model.layer3, pictures(1), [3])
    with torch.no_grad():
        found = grad_cam(freeze_backbone(model), model.layer3, pictures(1), [3])
    torch.testing.assert_close(found, expected)


def test_a_layer_without_maps_and_missing_categories_are_refused():
    model = network("resnet18")
    with pytest.raises(ValueError, match="gives maps"):
        grad_cam(model, model.fc, pictures(1), [0])
    with pytest.raises(ValueError, match="2 pictures and 1 targets"):
        grad_cam(model, model.layer3, pictures(2), [0])


@pytest.mark.parametrize(
    ("row", "column", "words"), [(0, 0, "upper left"), (2, 2, "middle"), (4, 2, "lower middle"), (2, 4, "right")]
)
def test_the_brightest_place_in_words(row, column, words):
    cam = torch.zeros(5, 5)
    cam[row, column] = 1
    assert brightest_place(cam) == words
    assert brightest_place(0 * cam) == "nowhere"


def test_each_picture_needs_a_map_and_a_title():
    with pytest.raises(ValueError, match="each picture needs both"):
        show_grad_cam([torch.zeros(8, 8, 3).byte().numpy()], torch.zeros(2, 4, 4), ["a"], alt="nothing")


def test_a_tensor_can_be_shown_with_a_map_that_asks_for_gradients(monkeypatch):
    said = []
    monkeypatch.setattr("course_utils.plots.pictures.show", lambda figure, alt: said.append(alt))
    cam = torch.tensor([[[0.1, 0.9], [0.2, 0.3]]], requires_grad=True)
    show_grad_cam([torch.rand(3, 8, 8)], cam, ["bee"], "A picture.")
    assert said == [f"A picture. bee: {brightest_place(cam[0])}."]
