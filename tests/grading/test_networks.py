"""The networks that test cells build, watch and train."""

import pytest
import torch
from torch import nn

from course_utils import find_head
from course_utils.grading import networks
from course_utils.grading.points import Unmet


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "squeezenet1_1", "swin_t", "regnet_y_400mf", "googlenet"])
def test_an_outline_runs_and_its_last_layer_is_the_head(name):
    model = networks.outline(name)
    run = networks.forward(model, networks.pictures(name))
    assert run.scores.shape == (2, 1000)
    assert run.head is find_head(model).layer


def test_watching_a_forward_pass_leaves_no_trace():
    model = networks.build("shufflenet_v2_x0_5").train()
    model.conv1.eval()
    before = networks.snapshot(model)
    networks.forward(model, networks.pictures("shufflenet_v2_x0_5"))
    assert networks.moved(before, networks.snapshot(model)) == []
    assert model.training and model.stage2.training and not model.conv1.training
    assert not [module for module in model.modules() if module._forward_hooks]


def test_a_network_is_built_the_same_each_time_and_the_seed_of_others_is_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first, second = networks.build("squeezenet1_1", 3), networks.build("squeezenet1_1", 3)
    assert torch.equal(torch.rand(1), expected)
    assert networks.moved(networks.snapshot(first), networks.snapshot(second)) == []


@pytest.mark.parametrize("name", networks.SMALL)
def test_a_small_network_has_its_head_where_the_large_one_has_it(name):
    model = networks.build(name, 3)
    run = networks.forward(model, networks.pictures(name))
    assert run.scores.shape == (2, 3)
    assert run.head is find_head(model).layer
    assert networks.head_name(name) == find_head(model).name


def test_a_network_is_the_callers_own_and_has_seen_pictures():
    first = networks.build("shufflenet_v2_x0_5", 3)
    assert first.conv1[1].running_mean.abs().min() > 0
    first.conv1[1].running_mean.zero_()
    assert networks.build("shufflenet_v2_x0_5", 3).conv1[1].running_mean.abs().min() > 0


def test_features_are_what_the_head_is_given_with_dropout_open():
    model = networks.build("a small VGG", 2).train()
    images = networks.pictures("a small VGG")
    modes = {module: module.training for module in model.modules()}
    model.features.eval()
    given = networks.features(model, images)
    assert given.shape == (2, 16)
    assert torch.equal(given, networks.features(model, images))
    assert model.classifier[2].p == 0.5
    assert torch.allclose(model.classifier[-1](given), networks.forward(model, images).scores, atol=1e-6)
    assert all(module.training == mode for module, mode in modes.items() if module not in set(model.features.modules()))


def test_layers_that_no_longer_run_are_named():
    images = networks.pictures("alexnet")
    model = networks.outline("alexnet")
    before = networks.forward(model, images)
    model.classifier[6] = nn.Linear(4096, 3)
    assert networks.lost_layers(before, networks.forward(model, images)) == []
    model.classifier = nn.Linear(9216, 3)
    lost = networks.lost_layers(before, networks.forward(model, images))
    assert lost == ["Dropout", "Dropout", "Linear", "Linear", "ReLU", "ReLU"]


def test_training_moves_what_may_learn_and_the_statistics():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model[1].requires_grad_(False)
    before = networks.snapshot(model)
    networks.train(model, networks.pictures("resnet18", count=4))
    changed = networks.moved(before, networks.snapshot(model))
    assert set(changed) == {name for name in before if not name.startswith("1.")}


def test_training_a_model_that_cannot_learn_says_so():
    with pytest.raises(Unmet, match="Nothing is left that may learn"):
        networks.train(nn.Linear(2, 2).requires_grad_(False), torch.rand(1, 2))
