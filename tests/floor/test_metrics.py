"""The metrics, against a table counted by hand: 95 defects of which 85 are found, 105 good parts, 15 false alarms."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from course_utils import accuracy, confusion_matrix, precision_recall, threshold_sweep
from course_utils.metrics import compare_paired, f1_scores, ranking, wilson_interval

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


def test_f1_is_the_harmonic_mean_of_precision_and_recall_of_each_category():
    scores = f1_scores(ACTUAL, PREDICTED, NAMES)
    for name in NAMES:
        precision, recall = precision_recall(ACTUAL, PREDICTED, NAMES, name)
        assert scores[name] == pytest.approx(2 / (1 / precision + 1 / recall))


def test_f1_names_every_category_also_one_that_never_comes_up():
    scores = f1_scores([0, 0, 1], [0, 1, 1], ("a", "b", "c"))
    assert list(scores) == ["a", "b", "c"]
    assert math.isnan(scores["c"])


def test_ranking_counts_the_pairs_that_stand_in_the_right_order():
    generator = np.random.default_rng(0)
    actual = generator.integers(0, 2, 40)
    scores = np.clip(0.4 * actual + 0.6 * generator.random(40), 0, 1)
    pairs = [(p > n) for p in scores[actual == 1] for n in scores[actual == 0]]
    assert ranking(actual, scores, NAMES, "defect").roc_auc == pytest.approx(np.mean(pairs))


def test_ranking_takes_the_positive_category_by_name():
    actual = [0, 0, 1, 1, 1]
    probabilities = torch.tensor([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9]])
    defect, good = (ranking(actual, probabilities, NAMES, name) for name in ("defect", "good"))
    assert defect.roc_auc == pytest.approx(good.roc_auc)
    assert defect.average_precision != pytest.approx(good.average_precision)


def test_average_precision_of_scores_that_say_nothing_is_the_share_of_positives():
    result = ranking([1] * 2 + [0] * 98, [0.5] * 100, NAMES, "defect")
    assert result == pytest.approx((0.5, 0.02))


@pytest.mark.parametrize(("right", "total"), [(0, 20), (17, 20), (20, 20), (140, 200)])
def test_wilsons_interval_holds_the_shares_that_a_score_test_does_not_reject(right, total):
    z = stats.norm.ppf(0.975)
    low, high = wilson_interval(right, total)
    for edge in (low, high):
        assert not 0 < edge < 1 or abs(right / total - edge) == pytest.approx(z * (edge * (1 - edge) / total) ** 0.5)
    assert 0 <= low <= right / total <= high <= 1
    assert low < high


def test_more_confidence_needs_a_wider_interval_and_more_pictures_a_narrower_one():
    width = {key: high - low for key, (low, high) in {
        "usual": wilson_interval(70, 100), "sure": wilson_interval(70, 100, 0.99), "many": wilson_interval(700, 1000)
    }.items()}  # fmt: skip
    assert width["many"] < width["usual"] < width["sure"]


def test_paired_counts_are_where_the_two_differ():
    actual, first, second = [0] * 10, [0] * 8 + [1] * 2, [0] * 3 + [1] * 6 + [0]
    result = compare_paired(actual, first, second)
    assert result[:4] == (3, 5, 1, 1)
    # Six coins, five or more of them on one side: (6 + 1) / 64, on either side twice that.
    assert result.p_value == pytest.approx(14 / 64)


def test_two_classifiers_that_never_differ_cannot_be_told_apart():
    assert compare_paired([0, 1], [0, 0], [0, 0]) == (1, 0, 0, 1, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f1_scores([0, 2], [0, 1], NAMES), "'actual' holds numbers from 0 to 2"),
        (lambda: ranking([1, 1], [0.1, 0.2], NAMES, "defect"), "Every picture is 'defect'"),
        (lambda: ranking([0, 0], [0.1, 0.2], NAMES, "defect"), "No picture is actually 'defect'"),
        (lambda: ranking([0, 1], [0.1, 2], NAMES, "defect"), "between 0 and 1"),
        (lambda: wilson_interval(3, 2), "got 3 of 2"),
        (lambda: wilson_interval(0, 0), "got 0 of 0"),
        (lambda: wilson_interval(1, 2, 95), "share between 0 and 1"),
        (lambda: compare_paired([0, 1], [0, 1], [0]), "same length"),
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
