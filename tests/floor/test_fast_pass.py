"""The copy for fast passes gives the model's own answers, and is not made where that is not certain."""

import pytest
import torch
from small_networks import noise_pictures, small_resnet, tiny_net, to_tensor
from torch import nn
from torchvision import models

from course_utils import (
    efficientnet_lite0,
    evaluate,
    extract_features,
    find_head,
    freeze_backbone,
    load_pretrained,
    predict,
)
from course_utils import inference as inference_module
from course_utils.fast_pass import fast_copy


def lively(model: nn.Module) -> nn.Module:
    """Give every BatchNorm other numbers than 0 and 1, as training does."""
    generator = torch.Generator().manual_seed(0)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1, generator=generator)
            layer.running_var.uniform_(0.5, 1.5, generator=generator)
    return model.eval()


def batch_norms(model: nn.Module) -> int:
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (models.resnet18, 0),
        (efficientnet_lite0, 0),
        (models.mobilenet_v3_small, 0),
        (models.shufflenet_v2_x0_5, 0),
        (models.densenet121, 62),  # where BatchNorm comes before the convolution, nothing can be folded
    ],
)
def test_the_copy_gives_the_answers_of_the_model_and_leaves_it_alone(build, left):
    torch.manual_seed(0)
    model = lively(build())
    before = {name: (tensor.clone(), tensor.stride()) for name, tensor in model.state_dict().items()}
    batch = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model(batch)
        fast = fast_copy(model)
        torch.testing.assert_close(fast(batch), expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())
    assert fast is not model and batch_norms(fast) == left
    assert all(
        torch.equal(tensor, before[name][0]) and tensor.stride() == before[name][1]
        for name, tensor in model.state_dict().items()
    )
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_is_not_changed_is_shared_and_takes_no_memory():
    model = lively(models.resnet18())
    assert fast_copy(model).fc.weight is model.fc.weight


def test_a_frozen_backbone_is_no_obstacle():
    model = freeze_backbone(lively(models.resnet18()))
    assert batch_norms(fast_copy(model)) == 0


class Shared(nn.Module):
    """One convolution in two places, so that what follows it in one of them is not its own."""

    __module__ = "course_utils.for_this_test"

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(self.conv(self.conv(x)))


class Sum(Shared):
    """What the convolution gives is also used without the BatchNorm."""

    __module__ = "course_utils.for_this_test"

    def forward(self, x):
        maps = self.conv(x)
        return self.norm(maps) + maps


@pytest.mark.parametrize("network", [Shared, Sum])
def test_a_convolution_whose_output_is_used_elsewhere_is_not_folded(network):
    model = lively(network())
    assert fast_copy(model) is model


def hooked() -> nn.Module:
    model = lively(models.resnet18())
    model.layer1.register_forward_hook(lambda *_: None)
    return model


def in_train_mode() -> nn.Module:
    model = lively(models.resnet18())
    model.layer1.train()
    return model


def patched() -> nn.Module:
    model = lively(models.resnet18())
    model.layer1.forward = lambda x: x
    return model


def with_activations_kept() -> nn.Module:
    """A tensor with a history cannot be copied; readers keep such tensors for Grad-CAM."""
    model = lively(models.resnet18())
    model.kept = model.conv1(torch.rand(1, 3, 8, 8))
    return model


@pytest.mark.parametrize(
    "build", [hooked, in_train_mode, patched, with_activations_kept, tiny_net, models.vgg11, models.squeezenet1_1]
)
def test_where_it_is_not_certain_or_of_no_use_the_model_itself_runs(build):
    model = build()
    assert fast_copy(model) is model


# Where it is used


@pytest.fixture
def made(monkeypatch) -> list[nn.Module]:
    """The networks that `predict` and the others really ran."""
    networks = []

    def noted(model):
        networks.append(fast_copy(model))
        return networks[-1]

    monkeypatch.setattr(inference_module, "fast_copy", noted)
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    return networks


def test_many_pictures_go_through_the_copy_and_the_answers_are_those_of_the_model(made):
    model, weights = load_pretrained("resnet18", "course", quiet=True)
    model.train()
    pictures = noise_pictures(inference_module.WORTH_A_COPY, size=64)
    transform = weights.transforms()
    logits, _ = evaluate(model, transform, pictures, progress=False)
    features, _ = extract_features(model, transform, pictures, progress=False)
    answers = predict(model, weights, pictures.images, k=1)
    assert [batch_norms(network) for network in made] == [0, 0, 0]
    assert all(module.training for module in model.modules()) and batch_norms(model) == 20

    model.eval()
    batch = torch.stack([transform(image) for image in pictures.images])
    with torch.inference_mode():
        expected = model(batch)
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(find_head(model).layer(features), expected, rtol=1e-4, atol=1e-4)
    assert [answer[0].index for answer in answers] == expected.argmax(dim=1).tolist()


def test_a_few_pictures_are_not_worth_a_copy(made):
    evaluate(small_resnet(), to_tensor, noise_pictures(inference_module.WORTH_A_COPY - 1), progress=False)
    assert made == []


def test_hooks_of_the_reader_see_every_batch(made):
    model, seen = small_resnet(), []
    model.layer4.register_forward_hook(lambda _layer, _inputs, output: seen.append(len(output)))
    extract_features(model, to_tensor, noise_pictures(20), batch_size=8, progress=False)
    assert seen == [8, 8, 4]
