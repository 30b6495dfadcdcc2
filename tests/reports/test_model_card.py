"""The model cards say what the records and reports hold, and nothing else."""

import argparse
import json
from dataclasses import asdict, replace

import pytest
import torch

from course_utils.files import ROOT
from course_utils.pretraining import command as pretrain
from course_utils.pretraining.recipe import Recipe
from course_utils.reports import model_card
from course_utils.reports.measure import Result
from course_utils.reports.model_card import (
    accuracy_table,
    card,
    class_table,
    draw_learning_curve,
    index,
    learning_curve_in_words,
    read_log,
    transfer_table,
)
from course_utils.shipped import SHIPPED


def test_the_cards_in_the_repository_are_those_of_the_records():
    assert (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8") == index(SHIPPED)
    for record in SHIPPED.values():
        assert (ROOT / "model_cards" / f"{record.model}.md").read_text(encoding="utf-8") == card(record)
        assert not read_log(record) or (ROOT / model_card.curve_of(record)).is_file()


@pytest.mark.parametrize("record", SHIPPED.values(), ids=SHIPPED)
def test_a_card_says_licence_source_and_limits(record):
    said = card(record)
    assert all(words in said for words in (record.license, record.limits, record.training_data, record.member))
    assert f"{record.num_params:,} parameters" in said and f"{record.file_mib} MiB" in said


def test_published_and_measured_numbers_are_told_apart():
    record = replace(
        SHIPPED["efficientnet_lite0"],
        published={"ImageNet-1K": {"acc@1": 75.1}},
        measured={"these pictures": {"acc@1": 12.3, "acc@5": 45.6}},
    )
    table = accuracy_table(record)
    assert "| top-1 on ImageNet-1K, published by its authors | 75.10 % |" in table
    assert "| top-1 on these pictures, measured here | 12.30 % |" in table
    assert "| top-5 on these pictures, measured here | 45.60 % |" in table


def test_the_curve_says_in_words_what_it_shows(tmp_path):
    log = [{"px": 32, "top1": 0.1, "top5": 0.3}, {"px": 64, "top1": 0.4, "top5": 0.7}]
    assert "top-1 rises from 10% to 40%" in learning_curve_in_words(log)
    draw_learning_curve(log, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_tables():
    assert "| head only | 85.0% ± 7.1% | 2.0 | 0.001 |" in transfer_table(
        [Result("head only", 1e-3, 0.85, 0.0707, 2.0)]
    )
    assert class_table({"a": 0.5, "b": 0.9, "c": 0.1}, 1).endswith("| b | 90% | c | 10% |")


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(sizes=((48, 12), (64, 3)), lr=0.25, precision="bf16", warm_start="first.safetensors", mixup=0.2),
    ],
)
def test_the_command_on_the_card_gives_the_recipe_again(recipe):
    parser = argparse.ArgumentParser()
    pretrain.add_arguments(parser)
    command = model_card.command(json.loads(json.dumps(asdict(recipe))))
    args = parser.parse_args(command.split()[4:])
    assert pretrain.recipe_from(args, torch.device("cpu"), 1) == recipe
