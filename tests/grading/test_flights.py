"""Made-up flights for the test cells of ps4-metrics, and answers read in any form."""

import numpy as np
import pytest
import torch

from course_utils.grading import flights
from course_utils.grading.points import Unmet


def test_a_flight_is_the_same_at_every_call_and_another_for_another_seed():
    first, again, other = (flights.scored(20, 3, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (20, 3) and first[0].dtype == torch.float32
    assert set(first[1].tolist()) <= {0, 1, 2}


def test_the_network_is_mostly_right_and_sometimes_wrong():
    logits, labels = flights.scored(1000, 3, seed=0)
    assert 0.6 < (logits.argmax(dim=1) == labels).float().mean() < 0.95


def test_batches_have_the_sizes_that_were_asked_for():
    assert [(len(logits), len(labels)) for logits, labels in flights.batches([5, 1, 3], 4, seed=0)] == [
        (5, 5),
        (1, 1),
        (3, 3),
    ]


@pytest.mark.parametrize("fawns", [0, 1, 20, 300])
def test_a_rare_flight_has_exactly_that_many_fawns_and_float32_holds_its_probabilities(fawns):
    probabilities, is_fawn = flights.rare(300, fawns, seed=3)
    assert is_fawn.dtype == bool and is_fawn.sum() == fawns
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert np.array_equal(probabilities, probabilities.astype(np.float32).astype(float))
    assert len(set(probabilities)) < 300, "some are equal"


def test_each_seed_gives_a_frame_of_its_own():
    assert flights.frame(1).tobytes() == flights.frame(1).tobytes() != flights.frame(2).tobytes()
    assert flights.frame(1, 5, 7).size == (5, 7)


@pytest.mark.parametrize(
    "answer",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2), (3, 4)),
        np.array([[1, 2], [3, 4]]),
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2], [3, 4]], requires_grad=True),
        [[torch.tensor(1), torch.tensor(2)], [np.int64(3), 4]],
    ],
)
def test_numbers_are_read_in_any_form(answer):
    assert flights.numbers(answer, "They", (2, 2)).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "They: there is only None"),
        ("abc", "They should be numbers. 'abc' is a text."),
        ("nan", "They should be numbers. 'nan' is a text."),
        (["0.5", 1], "They should be numbers. '0.5' is a text."),
        ({1: 2}, "not something of the type dict"),
        ([[1, 2], [3]], "not something of the type list"),
        ([1, 2, 3], r"They should have the shape \(2, 2\), not \(3,\)."),
    ],
)
def test_what_is_no_answer_gets_a_sentence(answer, sentence):
    with pytest.raises(Unmet, match=sentence):
        flights.numbers(answer, "They", (2, 2))


def test_one_number_may_be_a_tensor_or_nan():
    assert flights.number(torch.tensor(0.5), "It") == 0.5
    assert np.isnan(flights.number(float("nan"), "It"))


@pytest.mark.parametrize("answer", [["a", "b"], ("a", "b"), np.array(["a", "b"])])
def test_words_are_read_from_any_list(answer):
    assert flights.words(answer, "They", 2) == ["a", "b"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "not None"),
        ("ab", "should be a list, with one name for each picture"),
        (["a"], "They should be 2, one for each picture. Yours are 1."),
        (["a", 1], "One of yours is something of the type int"),
    ],
)
def test_what_are_no_words_gets_a_sentence(answer, sentence):
    with pytest.raises(Unmet, match=sentence):
        flights.words(answer, "They", 2)


def test_numbers_are_the_same_but_for_rounding():
    assert flights.same(0.1 + 0.2, 0.3) and flights.same(float("nan"), float("nan"))
    assert not flights.same(0.3, 0.31) and not flights.same(float("nan"), 0.0)
