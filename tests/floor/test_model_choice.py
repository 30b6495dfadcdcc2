"""Choosing a model: the metadata, the Pareto front, a pick with its reason, and measurements that can be checked."""

import dataclasses
import time

import pytest
import torch
from torch import nn
from torchvision import models

from course_utils.model_choice import (
    Candidate,
    catalogue,
    from_weights,
    measure,
    pareto_front,
    peak_memory,
    pick,
    seconds_per_call,
)


def candidate(name: str, accuracy: float, gflops: float, **more) -> Candidate:
    return Candidate(name, "random", accuracy, gflops, parameters=1000, file_mib=1.0, pixels=32, **more)


SMALL, MIDDLE, LARGE = candidate("small", 0.6, 0.5), candidate("middle", 0.7, 1.0), candidate("large", 0.8, 9.0)
CLUMSY = candidate("clumsy", 0.65, 2.0)  # middle is better and cheaper
FOUR = [LARGE, CLUMSY, SMALL, MIDDLE]


# The metadata


def test_the_catalogue_has_every_classifier_with_its_default_weights():
    everything = catalogue()
    assert [one.name for one in everything] == models.list_models(module=models)
    assert len(everything) >= 80
    for one in everything:
        assert 0.5 < one.accuracy < 1
        assert one.weights.endswith(models.get_model_weights(one.name).DEFAULT.name)
        assert one.latency_ms is one.pictures_per_second is one.memory_mb is None


def test_the_numbers_are_those_of_the_weights():
    [resnet] = catalogue(["resnet18"])
    assert resnet == Candidate(
        "resnet18", "ResNet18_Weights.IMAGENET1K_V1", pytest.approx(0.69758), 1.814, 11_689_512, 44.661, 224
    )


def test_the_number_of_parameters_is_that_of_the_model():
    [one] = catalogue(["mobilenet_v3_small"])
    with torch.device("meta"):
        model = models.mobilenet_v3_small(weights=None)
    assert one.parameters == sum(parameter.numel() for parameter in model.parameters())


def test_other_weights_of_a_model_can_be_asked_as_well():
    old, new = (from_weights("resnet50", weights) for weights in models.ResNet50_Weights)
    assert new.accuracy > old.accuracy
    assert new.gflops == old.gflops


def test_a_licence_is_told_where_the_weights_have_one():
    [free, bound] = catalogue(["resnet18", "vit_h_14"])
    assert free.licence is None
    assert bound.licence == "CC-BY-NC-4.0"


def test_every_set_of_swag_weights_is_bound_and_no_other():
    for name in models.list_models(module=models):
        for weights in models.get_model_weights(name):
            assert (from_weights(name, weights).licence == "CC-BY-NC-4.0") == ("SWAG" in weights.name)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no classifier 'resnet19'"):
        catalogue(["resnet18", "resnet19"])


# The front


def test_the_front_leaves_out_who_is_beaten():
    assert pareto_front(FOUR) == [SMALL, MIDDLE, LARGE]


def test_as_good_for_less_and_better_for_as_much_both_beat():
    dear, dull = candidate("dear", 0.7, 1.5), candidate("dull", 0.65, 1.0)
    assert pareto_front([dear, MIDDLE, dull]) == [MIDDLE]


def test_twins_do_not_beat_each_other():
    twin = dataclasses.replace(MIDDLE, name="twin")
    assert pareto_front([MIDDLE, twin]) == [MIDDLE, twin]


def test_the_front_depends_on_the_cost():
    light = dataclasses.replace(CLUMSY, parameters=10)
    assert light not in pareto_front([light, *FOUR])
    assert light in pareto_front([light, *FOUR], cost="parameters")


def test_the_front_of_the_catalogue_agrees_with_a_second_way_to_find_it():
    best, expected = 0.0, []
    for one in sorted(catalogue(), key=lambda one: (one.gflops, -one.accuracy)):
        if one.accuracy > best:
            best = one.accuracy
            expected.append(one)
    assert pareto_front(catalogue()) == expected


# The pick


def test_the_most_accurate_within_the_limit_is_picked_with_a_reason():
    choice = pick(FOUR, at_most={"gflops": 2})
    assert choice.candidate == MIDDLE
    assert choice.reason == (
        "3 of 4 fit gflops <= 2. The most accurate of them is middle with 70.0%; next comes clumsy with 65.0%."
    )


def test_limits_hold_together():
    fast = dataclasses.replace(SMALL, pictures_per_second=50.0)
    slow = dataclasses.replace(MIDDLE, pictures_per_second=5.0)
    choice = pick([fast, slow], at_most={"gflops": 1}, at_least={"pictures_per_second": 10})
    assert choice.candidate == fast
    assert "1 of 2 fit gflops <= 1 and pictures_per_second >= 10." in choice.reason


def test_without_a_limit_accuracy_alone_decides():
    assert pick(FOUR).candidate == LARGE


def test_weights_that_forbid_commercial_use_can_be_left_out():
    bound = dataclasses.replace(LARGE, licence="CC-BY-NC-4.0")
    free = dataclasses.replace(CLUMSY, licence="Apache-2.0")
    assert pick([bound, MIDDLE, free]).candidate == bound
    choice = pick([bound, MIDDLE, free], licence="commercial")
    assert choice.candidate == MIDDLE
    assert choice.reason.startswith("2 of 3 fit a licence that allows commercial use.")
    with pytest.raises(ValueError, match="0 with a licence that allows commercial use"):
        pick([bound], licence="commercial")


def test_equally_accurate_the_cheaper_one_is_picked():
    dear = dataclasses.replace(MIDDLE, name="dear", gflops=1.5)
    assert pick([dear, MIDDLE], at_most={"gflops": 5}).candidate == MIDDLE


def test_when_nothing_fits_each_limit_says_what_it_leaves():
    with pytest.raises(ValueError, match=r"None of 4 .* 1 with gflops <= 0.5, 1 with accuracy >= 0.75"):
        pick(FOUR, at_most={"gflops": 0.5}, at_least={"accuracy": 0.75})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pick([]), "no candidate"),
        (lambda: pick(FOUR, licence="free"), "licence must be 'any' or 'commercial', got 'free'"),
        (lambda: pick(FOUR, at_most={"price": 1}), "no number 'price'; it has accuracy, gflops"),
        (lambda: pick(FOUR, at_least={"price": 1}), "no number 'price'"),
        (lambda: pick(FOUR, at_most={"name": 1}), "no number 'name'"),
        (lambda: pick(FOUR, at_most={"latency_ms": 1}), "Nobody has measured 'latency_ms' of large yet"),
        (lambda: pick(FOUR, at_most={"accuracy": 0.7}), "More accuracy is better: the limit is on the wrong side"),
        (lambda: pick(FOUR, at_least={"gflops": 0.7}), "More gflops is worse: the limit is on the wrong side"),
        (lambda: pareto_front(FOUR, cost="seconds"), "no number 'seconds'"),
        (lambda: pareto_front(FOUR, gain="pictures_per_second"), "Nobody has measured"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Measuring


def test_the_first_call_is_not_counted():
    calls = []

    def slow_at_first():
        time.sleep(0.3 if not calls else 0.001)
        calls.append(1)

    assert seconds_per_call(slow_at_first, seconds=0.01) < 0.25
    assert len(calls) >= 4  # one to warm up, three to count


def test_memory_is_the_weights_the_batch_and_what_lives_at_once():
    model = nn.Sequential(nn.Linear(10, 100), nn.Linear(100, 50), nn.Flatten(), nn.Linear(50, 1))
    batch = torch.rand(4, 10)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    # At its highest, 100 and 50 numbers for each of the four rows live together; flattening copies nothing.
    assert peak_memory(model, batch) == weights + batch.nbytes + 4 * 4 * (100 + 50)


def test_memory_in_place_costs_nothing_more():
    plain = nn.Sequential(nn.Linear(10, 100), nn.ReLU())
    in_place = nn.Sequential(nn.Linear(10, 100), nn.ReLU(inplace=True))
    batch = torch.rand(4, 10)
    assert peak_memory(plain, batch) - peak_memory(in_place, batch) == 4 * 4 * 100


def test_memory_can_be_known_on_paper():
    model, batch = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)), torch.rand(2, 3, 16, 16)
    on_paper = peak_memory(model.to("meta"), batch.to("meta"))
    assert on_paper == peak_memory(model.to_empty(device="cpu"), batch)


def test_measuring_fills_in_what_was_missing():
    [before] = catalogue(["mobilenet_v3_small"])
    after = measure(dataclasses.replace(before, pixels=32), device="cpu", batch_size=2, seconds=0.01)
    assert after.latency_ms > 0
    assert after.pictures_per_second > 0
    assert after.memory_mb > 4 * before.parameters / 1e6
    assert (after.name, after.accuracy, after.gflops) == (before.name, before.accuracy, before.gflops)


def test_measuring_leaves_no_warning_behind(recwarn):
    [googlenet] = catalogue(["googlenet"])
    measure(dataclasses.replace(googlenet, pixels=64), device="cpu", batch_size=1, seconds=0.0)
    assert [str(warning.message) for warning in recwarn] == []
