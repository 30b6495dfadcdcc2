"""The three ways to teach a network: what each of them changes, on a network small enough for a test."""

import pytest
import torch
from small_networks import noise_pictures, small_resnet, to_tensor

from course_utils.reports.ways import EVERYTHING, HEAD, SCRATCH, Start, learn, new_head, start_from


@pytest.fixture
def start() -> Start:
    return Start("resnet18", small_resnet(num_classes=5), to_tensor, torch.device("cpu"))


@pytest.mark.parametrize("way", [SCRATCH, HEAD, EVERYTHING])
def test_every_way_gives_a_time_and_a_share_of_right_answers(start, way):
    measured = learn(way, start, noise_pictures(4), noise_pictures(4, seed=9), epochs=1, lr=1e-3, seed=0)
    assert measured.row == way
    assert measured.seconds > 0 and measured.accuracy in (0, 0.25, 0.5, 0.75, 1)


def test_the_same_seed_measures_the_same_accuracy(start):
    options = {"epochs": 2, "lr": 1e-2, "seed": 3}
    first, second = (learn(SCRATCH, start, noise_pictures(8), noise_pictures(8, 1), **options) for _ in range(2))
    assert first.accuracy == second.accuracy


def test_the_network_to_start_from_never_changes(start):
    before = {name: tensor.clone() for name, tensor in start.model.state_dict().items()}
    for way in (SCRATCH, HEAD, EVERYTHING):
        learn(way, start, noise_pictures(4), noise_pictures(4), epochs=1, lr=0.1, seed=0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in start.model.state_dict().items())


def test_a_new_head_changes_nothing_else(start):
    model = start.pretrained()
    new_head(start, noise_pictures(4), epochs=1, seed=0)(model)
    old = dict(start.model.named_parameters())
    changed = {name for name, tensor in model.named_parameters() if not torch.equal(tensor, old[name])}
    assert changed == {"fc.weight", "fc.bias"}


def test_random_weights_are_random_but_the_same_for_a_seed(start):
    one, same, other = (start.untrained(2, seed).fc.weight for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize(("name", "pixels"), [("resnet18", 64), ("efficientnet_lite0", 224)])
def test_every_shipped_model_can_be_started_from(name, pixels):
    start = start_from(name, torch.device("cpu"))
    assert start.pixels == pixels
    assert type(start.untrained(2, seed=0)) is type(start.model)
