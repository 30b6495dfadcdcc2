"""Stages from the first layer to the head: complete, in order, and each with its own learning rate."""

import copy

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.ops import StochasticDepth

from course_utils import find_head
from course_utils.depth import chain, parameter_groups, stages, train_from, unfreeze_from

FAMILIES = [
    "resnet18",
    "vgg11_bn",
    "densenet121",
    "mobilenet_v2",
    "convnext_tiny",
    "vit_b_16",
    "swin_t",
    "squeezenet1_1",
]


def blueprint(name: str) -> nn.Module:
    with torch.device("meta"):
        return models.get_model(name, weights=None)


@pytest.fixture
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return models.resnet18(weights=None, num_classes=2)


def test_a_resnet_has_six_stages_and_bn1_belongs_to_conv1(resnet):
    assert list(stages(resnet)) == ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]
    assert len(stages(resnet)["conv1"]) == 3  # one weight, and weight and bias of bn1


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_is_in_one_stage_and_the_head_in_the_last(name):
    model = blueprint(name)
    found = [id(parameter) for parameters in stages(model).values() for parameter in parameters]
    assert sorted(found) == sorted(id(parameter) for parameter in model.parameters())
    last = {id(parameter) for parameter in list(stages(model).values())[-1]}
    assert {id(parameter) for parameter in find_head(model).layer.parameters()} <= last
    assert len(stages(model)) > 2


def test_a_model_without_a_head_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="Was its head removed"):
        stages(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()))


def test_unfreezing_leaves_what_lies_before_untouched_by_training(resnet):
    unfreeze_from(resnet, "layer4")
    before = {name: tensor.clone() for name, tensor in resnet.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in resnet.parameters() if p.requires_grad], lr=0.1)
    resnet.train()(torch.rand(4, 3, 32, 32)).square().mean().backward()
    optimizer.step()
    changed = {name.split(".")[0] for name, x in resnet.state_dict().items() if not torch.equal(x, before[name])}
    assert changed == {"layer4", "fc"}  # the running averages before layer4 have not moved either


def test_unfreezing_again_from_a_later_stage_freezes_the_earlier_one(resnet):
    unfreeze_from(unfreeze_from(resnet, "conv1"), "fc")
    assert [name for name, p in resnet.named_parameters() if p.requires_grad] == ["fc.weight", "fc.bias"]


def test_an_unknown_stage_is_refused_before_anything_changes(resnet):
    with pytest.raises(ValueError, match="ResNet has no stage 'layer5'; it has conv1, layer1"):
        unfreeze_from(resnet, "layer5")
    assert all(parameter.requires_grad for parameter in resnet.parameters())


def test_rates_fall_from_the_head_to_the_first_layer(resnet):
    groups = parameter_groups(resnet, lr=0.1, factor=0.5)
    assert [group["name"] for group in groups] == ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]
    assert [group["lr"] for group in groups] == pytest.approx([0.1 / 32, 0.1 / 16, 0.0125, 0.025, 0.05, 0.1])
    optimizer = torch.optim.AdamW(groups)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 62


def test_frozen_stages_get_no_group_and_do_not_change_the_rates_of_the_others(resnet):
    groups = parameter_groups(unfreeze_from(resnet, "layer4"), lr=0.1, factor=0.5)
    assert [(group["name"], group["lr"]) for group in groups] == [("layer4", 0.05), ("fc", 0.1)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0}, "lr, the learning rate of the head, must be a positive number, got 0"),
        ({"lr": float("nan")}, "must be a positive number"),
        ({"lr": 0.1, "factor": 0}, "factor must be above 0 and at most 1, got 0"),
        ({"lr": 0.1, "factor": 2}, "factor must be above 0"),
    ],
)
def test_impossible_rates_are_refused(resnet, settings, message):
    with pytest.raises(ValueError, match=message):
        parameter_groups(resnet, **settings)


def test_nothing_to_train_is_an_error(resnet):
    with pytest.raises(ValueError, match="Nothing can be trained"):
        parameter_groups(resnet.requires_grad_(False), lr=0.1)


def test_what_drops_out_in_a_stage_that_learns_goes_on_doing_so():
    model = unfreeze_from(models.efficientnet_b0(num_classes=2), "features.6").train()
    model(torch.rand(2, 3, 32, 32))
    working = {name for name, module in model.named_modules() if module.training and name.startswith("features.")}
    assert any(isinstance(model.get_submodule(name), StochasticDepth) for name in working)
    assert {name.split(".")[1] for name in working} == {"6", "7", "8"}


# A chain, cut and trained

IMAGES = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1] * 4)


def moved(network: nn.Module, before: dict) -> set[str]:
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


def test_a_chain_computes_what_its_resnet_does_and_shares_its_weights(resnet):
    network = chain(resnet.eval()).eval()
    with torch.no_grad():
        assert torch.equal(network(IMAGES), resnet(IMAGES))
    assert network.layer4 is resnet.layer4


@pytest.mark.parametrize("batch_norm", ["stored", "batch"])
@pytest.mark.parametrize("stage", ["conv1", "layer3", "fc"])
def test_training_from_a_stage_moves_it_and_what_follows_and_nothing_before(resnet, stage, batch_norm):
    network = chain(resnet)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    losses = train_from(network, stage, IMAGES, LABELS, steps=3, batch_size=4, batch_norm=batch_norm)
    order = list(dict.fromkeys(name.split(".")[0] for name in before))
    after_cut = set(order[order.index(stage) :])
    changed = moved(network, before)
    assert {name.split(".")[0] for name in changed} == after_cut
    running = {name for name in before if "running" in name and name.split(".")[0] in after_cut}
    assert changed & running == (running if batch_norm == "batch" else set())
    assert len(losses) == 3
    assert not network.training and not network.fc.training


def test_the_same_seed_trains_the_same_and_learns(resnet):
    first, second = (chain(copy.deepcopy(resnet)) for _ in range(2))
    losses = [train_from(one, "layer4", IMAGES, LABELS, steps=10, lr=1e-3, seed=3) for one in (first, second)]
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]


def test_rates_by_depth_move_early_stages_less(resnet):
    distance = {}
    for factor in (1.0, 0.01):
        network = chain(copy.deepcopy(resnet))
        train_from(network, "layer3", IMAGES, LABELS, steps=1, lr=1e-3, factor=factor)
        distance[factor] = (network.layer3[0].conv1.weight - resnet.layer3[0].conv1.weight).abs().max().item()
    assert 0 < distance[0.01] < 0.01 * distance[1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda network: chain(nn.Linear(2, 2)), "Only a ResNet .* this is a Linear"),
        (lambda network: train_from(network, "layer9", IMAGES, LABELS), "no part 'layer9'; it has conv1, bn1"),
        (lambda network: train_from(network, "fc", IMAGES, LABELS, batch_norm="eval"), 'must be "stored" or "batch"'),
    ],
)
def test_what_cannot_be_cut_or_trained_is_named(resnet, call, message):
    with pytest.raises(ValueError, match=message):
        call(chain(resnet))
