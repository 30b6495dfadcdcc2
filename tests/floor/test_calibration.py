"""Calibration: answers in bins, their distance from the truth, and one number that corrects them."""

import math

import pytest
import torch

from course_utils.calibration import calibration_error, fit_temperature, reliability


def logits_for(probabilities: list[float]) -> torch.Tensor:
    """Logits of two classes whose softmax gives class 1 these probabilities."""
    return torch.tensor([[0.0, math.log(p / (1 - p))] for p in probabilities], dtype=torch.float64)


def test_answers_are_sorted_by_the_probability_of_the_answer_given():
    table = reliability(logits_for([0.95, 0.95, 0.25, 0.62]), torch.tensor([1, 0, 0, 1]))
    assert table.lower.tolist() == pytest.approx([0.6, 0.7, 0.9])
    assert table.confidence.tolist() == pytest.approx([0.62, 0.75, 0.95])  # 0.25 for class 1 is 0.75 for class 0
    assert table.accuracy.tolist() == [1, 1, 0.5]
    assert table.count.tolist() == [1, 1, 2]


def test_a_sure_answer_belongs_to_the_last_bin():
    table = reliability(torch.tensor([[0.0, 1000.0]]), torch.tensor([1]))
    assert table.lower.tolist() == [0.9]
    assert table.confidence.tolist() == [1]


def test_the_error_weighs_each_answer_alike():
    logits, labels = logits_for([0.95, 0.95, 0.95, 0.65]), torch.tensor([1, 1, 0, 1])
    assert calibration_error(logits, labels) == pytest.approx((3 * (0.95 - 2 / 3) + (1 - 0.65)) / 4)


def test_honest_probabilities_have_no_error_and_temperature_one():
    logits, labels = logits_for([0.75] * 4), torch.tensor([1, 1, 1, 0])
    assert calibration_error(logits, labels) == pytest.approx(0)
    assert fit_temperature(logits, labels) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("factor", [0.3, 5.0])
def test_logits_that_were_multiplied_are_divided_again(factor):
    logits, labels = factor * logits_for([0.75] * 4 + [0.6] * 5), torch.tensor([1, 1, 1, 0, 1, 1, 1, 0, 0])
    assert fit_temperature(logits, labels) == pytest.approx(factor, rel=1e-3)


def test_no_answer_changes():
    torch.manual_seed(0)
    logits, labels = 8 * torch.randn(50, 5), torch.randint(0, 5, (50,))
    temperature = fit_temperature(logits, labels)
    assert temperature > 1
    assert (logits / temperature).argmax(dim=1).equal(logits.argmax(dim=1))


def test_the_temperature_stays_within_its_limits():
    no_mistake, hopeless = torch.tensor([1, 0]), torch.tensor([0, 1])
    assert 0.05 <= fit_temperature(logits_for([0.9, 0.1]), no_mistake) < 0.1
    assert fit_temperature(logits_for([0.9, 0.1]), hopeless) == pytest.approx(20, rel=1e-3)


@pytest.mark.parametrize("function", [reliability, calibration_error, fit_temperature])
@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (torch.zeros(3), torch.zeros(3), r"\(pictures, classes\), got \(3,\)"),
        (torch.zeros(0, 2), torch.zeros(0), r"got \(0, 2\)"),
        (torch.zeros(3, 2), torch.zeros(2), r"3 rows of logits, but labels of shape \(2,\)"),
        (torch.tensor([[0.0, math.nan]]), torch.tensor([0]), "NaN"),
    ],
)
def test_bad_input_is_named(function, logits, labels, message):
    with pytest.raises(ValueError, match=message):
        function(logits, labels)


def test_bins_cannot_be_fewer_than_one():
    with pytest.raises(ValueError, match="at least 1"):
        reliability(torch.zeros(1, 2), torch.zeros(1), bins=0)
