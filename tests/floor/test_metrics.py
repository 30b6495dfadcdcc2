"""The metrics, against a table counted by hand: 95 defects of which 85 are found, 105 good parts, 15 false alarms."""

import math

import numpy as np
import pytest
import torch

from course_utils import accuracy, confusion_matrix, precision_recall, threshold_sweep

NAMES = ("good", "defect")
ACTUAL = [1] * 95 + [0] * 105
PREDICTED = [1] * 85 + [0] * 10 + [1] * 15 + [0] * 90


def test_accuracy_is_the_share_of_right_answers():
    assert accuracy(PREDICTED, ACTUAL) == 0.875


def test_accuracy_counts_pictures_not_batches():
    # Two batches, 4 of 4 and 0 of 1 right: the mean of the batch means would be 0.5.
    assert accuracy([0, 0, 0, 0, 1], [0, 0, 0, 0, 0]) == 0.8


def test_the_positive_category_comes_first():
    matrix = confusion_matrix(ACTUAL, PREDICTED, NAMES, positive="defect")
    assert matrix.matrix.tolist() == [[85, 10], [15, 90]]
    assert matrix.categories == ("defect", "good")


def test_without_a_positive_category_the_order_is_that_of_the_categories():
    matrix = confusion_matrix(ACTUAL, PREDICTED, NAMES)
    assert matrix.matrix.tolist() == [[90, 15], [10, 85]]
    assert matrix.categories == NAMES


def test_rows_are_actual_and_columns_predicted():
    assert confusion_matrix([0, 0, 2], [1, 1, 2], ["a", "b", "c"]).matrix.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_the_table_names_rows_columns_and_the_positive_category():
    lines = confusion_matrix(ACTUAL, PREDICTED, NAMES, positive="defect").table().splitlines()
    assert lines[0].split() == ["actual", "\\", "predicted", "defect", "(positive)", "good"]
    assert lines[1].split() == ["defect", "(positive)", "85", "10"]
    assert lines[2].split() == ["good", "15", "90"]
    assert len({len(line) for line in lines}) == 1


def test_precision_and_recall_belong_to_the_named_category():
    defect = precision_recall(ACTUAL, PREDICTED, NAMES, "defect")
    assert defect.precision == pytest.approx(85 / 100)
    assert defect.recall == pytest.approx(85 / 95)
    good = precision_recall(ACTUAL, PREDICTED, NAMES, "good")
    assert good.precision == pytest.approx(90 / 100)
    assert good.recall == pytest.approx(90 / 105)


def test_precision_of_nothing_is_not_a_number():
    result = precision_recall([0, 1], [0, 0], NAMES, "defect")
    assert math.isnan(result.precision)
    assert result.recall == 0


def test_recall_of_nothing_is_not_a_number():
    assert math.isnan(precision_recall([0, 0], [0, 1], NAMES, "defect").recall)


def test_the_sweep_agrees_with_precision_and_recall_at_each_threshold():
    generator = np.random.default_rng(0)
    actual = generator.integers(0, 2, 60)
    scores = np.clip(0.3 * actual + generator.random(60) * 0.7, 0, 1)
    sweep = threshold_sweep(actual, scores, NAMES, "defect")
    assert len(sweep.threshold) == len(sweep.precision) == len(sweep.recall)
    assert (np.diff(sweep.threshold) > 0).all()
    assert sweep.recall[0] == 1
    for threshold, precision, recall in zip(*sweep, strict=True):
        expected = precision_recall(actual, (scores >= threshold).astype(int), NAMES, "defect")
        assert (precision, recall) == pytest.approx(expected)


def test_the_sweep_takes_the_column_of_the_positive_category():
    probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    from_matrix = threshold_sweep([0, 1, 1], probabilities, NAMES, "defect")
    from_column = threshold_sweep([0, 1, 1], probabilities[:, 1], NAMES, "defect")
    assert all((one == other).all() for one, other in zip(from_matrix, from_column, strict=True))
    assert from_matrix.threshold == pytest.approx([0.1, 0.6, 0.8])


def test_tensors_are_welcome():
    assert accuracy(torch.tensor(PREDICTED), torch.tensor(ACTUAL)) == 0.875
    assert confusion_matrix(torch.tensor(ACTUAL), torch.tensor(PREDICTED), NAMES).matrix.sum() == 200


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([0, 1], [0]), "same length.*'actual': 2, 'predicted': 1"),
        (lambda: accuracy([], []), "nothing to count"),
        (lambda: accuracy([[0], [1]], [0, 1]), "one value for each picture"),
        (lambda: confusion_matrix([0, 2], [0, 1], NAMES), "'actual' holds numbers from 0 to 2"),
        (lambda: confusion_matrix([0, 1], [0, -1], NAMES), "'predicted' holds numbers from -1 to 0"),
        (lambda: confusion_matrix([0.0, 1.0], [0, 1], NAMES), "whole numbers"),
        (lambda: confusion_matrix([0], [0], ["a", "a"]), "name of its own"),
        (lambda: confusion_matrix([0], [0], NAMES, positive="broken"), "'broken' is none of"),
        (lambda: precision_recall([0], [0], NAMES, "broken"), "'broken' is none of"),
        (lambda: threshold_sweep([0, 1], [0.1, 1.2], NAMES, "defect"), "between 0 and 1"),
        (lambda: threshold_sweep([0, 1], [0.1, math.nan], NAMES, "defect"), "between 0 and 1"),
        (lambda: threshold_sweep([0, 0], [0.1, 0.2], NAMES, "defect"), "No picture is actually 'defect'"),
        (lambda: threshold_sweep([0, 1, 1], [0.1, 0.2], NAMES, "defect"), "same length"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_tensors_that_ask_for_gradients_are_numbers_too():
    probabilities = torch.tensor([0.2, 0.9], requires_grad=True)
    assert threshold_sweep([0, 1], probabilities, NAMES, NAMES[1]).recall.max() == 1


def test_a_tensor_on_the_meta_device_is_refused():
    with pytest.raises(ValueError, match="on the meta device has a shape but no numbers"):
        accuracy(torch.zeros(3, device="meta"), torch.zeros(3))
