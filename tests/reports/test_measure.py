"""What is measured of a model that ships with the course."""

import pytest
import torch
from small_networks import noise_pictures, small_resnet, to_tensor
from torchvision import models

from course_utils import load_pretrained
from course_utils.reports import measure
from course_utils.reports.measure import (
    Report,
    Result,
    Way,
    compare_ways,
    gigaflops,
    read_report,
    report_text,
    validate,
)
from course_utils.reports.ways import HEAD, Start
from course_utils.shipped import SHIPPED


class Always3(torch.nn.Module):
    def forward(self, images):
        scores = torch.zeros(len(images), 8)
        scores[:, :5] = 1.0
        scores[:, 3] = 2.0
        return scores


def test_validation_counts_examples():
    images = torch.zeros(4, 3, 64, 64, dtype=torch.uint8)
    top1, top5, by_class = validate(Always3(), lambda x: x, images, torch.tensor([3, 3, 0, 7]), range(8))
    assert top1 == 0.5
    assert top5 == 0.75
    assert (by_class[3], by_class[0], by_class[7]) == (1.0, 0.0, 0.0)


def test_a_class_may_stand_anywhere_among_the_models_outputs():
    images, labels = torch.zeros(3, 3, 64, 64, dtype=torch.uint8), torch.tensor([0, 0, 1])
    top1, _, by_class = validate(Always3(), lambda x: x, images, labels, answers=[3, 6])
    assert top1 == pytest.approx(2 / 3) and by_class == [1.0, 0.0]


def test_gigaflops_are_multiply_adds_as_in_torchvisions_metadata():
    at_224 = models.ResNet18_Weights.DEFAULT.meta["_ops"]
    assert gigaflops(models.resnet18().eval(), 224) == pytest.approx(at_224, rel=0.02)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_records_have_the_operations_of_their_models(name):
    model, _ = load_pretrained(name, "course", quiet=True)
    assert SHIPPED[name].gigaflops == round(gigaflops(model, SHIPPED[name].preset.crop_size), 3)


def test_the_learning_rate_is_chosen_on_pictures_that_no_run_sees(monkeypatch):
    monkeypatch.setattr(measure, "WAYS", (Way(HEAD, epochs=30, learning_rates=(1e-9, 1e-2)),))
    monkeypatch.setattr(measure, "TRAINING_PICTURES", 12)
    monkeypatch.setattr(measure, "TEST_PICTURES", 12)
    asked = []

    def sample(n: int, seed: int):
        asked.append((n, seed))
        return noise_pictures(n, seed)

    start = Start("resnet18", small_resnet(), to_tensor, torch.device("cpu"))
    [result] = compare_ways(start, sample, seeds=range(2))
    assert result.way == HEAD and result.lr in (1e-9, 1e-2)
    assert 0 <= result.accuracy <= 1 and result.spread >= 0 and result.seconds > 0
    assert asked == [(12, 900), (12, 901), (12, 1000), (12, 0), (12, 1)]


def test_a_report_comes_back_as_it_was_written(tmp_path):
    report = Report({"ant": 0.5}, {"drawings": [Result("head only", 1e-3, 0.85, 0.07, 2.0)]}, "a laptop", 2)
    (tmp_path / "report.json").write_text(report_text(report), encoding="utf-8")
    assert read_report(tmp_path / "report.json") == report
