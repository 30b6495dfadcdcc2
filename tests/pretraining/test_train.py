"""The training program, on tiny data sets."""

import argparse
import copy
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
import torchvision
from safetensors.torch import load_file
from tiny_data import CPU, colored, same
from torch.nn import functional as F

from course_utils import checkpoint
from course_utils.checkpoint import CheckpointError
from course_utils.pretraining import command
from course_utils.pretraining import train as pretrain
from course_utils.pretraining.recipe import PretrainError, Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


# --- the parts of training


def test_one_cycle_rises_to_its_peak_and_falls_to_zero():
    rates = [pretrain.one_cycle(step / 100, 0.4, 0.1) for step in range(101)]
    assert rates[0] == 0 and max(rates) == rates[10] == 0.4 and rates[100] == 0
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)


def test_ema_averages_numbers_and_copies_counters():
    ema, model = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(3.0)
    model.running_var.fill_(5.0)
    model.num_batches_tracked.fill_(7)
    pretrain.update_ema(ema, model, 0.75)  # from 1
    assert ema.weight.item() == 1.5 and ema.running_var.item() == 2.0 and ema.num_batches_tracked.item() == 7
    assert model.weight.item() == 3.0


def test_accuracy_counts_top_1_and_top_5():
    class Constant(torch.nn.Module):
        def forward(self, images):
            return torch.arange(10.0).expand(len(images), 10)  # 9 is first, 5 is fifth

    images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    assert pretrain.accuracy(Constant(), images, torch.tensor([9, 5, 4, 0])) == (0.25, 0.5)


def test_the_loss_of_mixed_pictures_mixes_the_labels():
    logits = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    target = torch.tensor([0, 1])
    own, partner = F.cross_entropy(logits, target), F.cross_entropy(logits, target.flip(0))
    torch.testing.assert_close(pretrain.smoothed_loss(logits, target, 1, 0.0), own)
    torch.testing.assert_close(pretrain.smoothed_loss(logits, target, 0.75, 0.0), 0.75 * own + 0.25 * partner)


def test_sizes_are_read_and_bad_ones_refused():
    assert command.parse_sizes("32:4,64:3") == ((32, 4), (64, 3))
    assert Recipe(sizes=((32, 2), (64, 1))).px_of_epoch == [32, 32, 64]
    for text in ("32", "32:0", "a:b", "", "4:1", "32:1,"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not like 32:4,48:3,64:3"):
            command.parse_sizes(text)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"lr": 0}, {"min_area": 0}, {"ema_every": 0}, {"batch_size": 0}])
def test_a_recipe_without_sense_is_refused(wrong):
    with pytest.raises(PretrainError, match=f"{next(iter(wrong))} is .*; it must be"):
        Recipe(**wrong)


# --- whole runs


def test_the_loss_falls_on_64_pictures_and_the_file_gives_the_accuracy_in_its_header(tmp_path, capsys):
    out = tmp_path / "weights.safetensors"
    data = colored()
    recipe = Recipe(sizes=((32, 3),), batch_size=16, lr=0.05, label_smoothing=0.0, ema_every=1)
    pretrain.train(data, recipe, out, device=CPU, progress=False)

    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    assert lines[-1]["lr"] == 0

    model = torchvision.models.resnet18(num_classes=4)
    model.load_state_dict(load_file(out))
    with safetensors.safe_open(out, "pt") as file:
        header = file.metadata()
    assert (header["architecture"], header["num_classes"], header["epochs_done"]) == ("resnet18", "4", "3")
    assert json.loads(header["recipe"])["sizes"] == [[32, 3]]
    top1, top5 = pretrain.accuracy(model, data.val_images, data.val_labels)
    assert (top1, top5) == (float(header["top1"]), float(header["top5"]))
    assert {t.dtype for t in load_file(out).values()} == {torch.float16, torch.int64}


def test_an_interrupted_run_that_is_resumed_ends_with_the_same_weights_bit_for_bit(tmp_path, monkeypatch):
    """MobileNet has dropout, so torch's own random state matters too; mixup and CutMix are on."""
    data = colored(4)
    recipe = Recipe("mobilenet_v3_small", ((32, 1), (48, 2)), 8, lr=0.05, mixup=0.4, cutmix=1.0, ema_every=1)
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    expected = pretrain.train(data, recipe, whole, device=CPU, progress=False)

    saved = pretrain.save_checkpoint

    def pull_the_plug(*args):
        saved(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pretrain, "save_checkpoint", pull_the_plug)  # after the checkpoint, before the other files
        pretrain.train(data, recipe, broken, device=CPU, progress=False)
    assert not broken.exists()
    torch.rand(5)  # whatever the interrupted process did with the global random state
    resumed = pretrain.train(data, recipe, broken, device=CPU, resume=True, progress=False)

    assert same(resumed.state_dict(), expected.state_dict())
    assert broken.read_bytes() == whole.read_bytes()
    logs = [
        [json.loads(line) for line in path.with_suffix(".jsonl").open(encoding="utf-8")] for path in (whole, broken)
    ]
    for line in logs[0] + logs[1]:
        del line["seconds"]
    assert logs[0] == logs[1] and len(logs[0]) == 3


def test_another_seed_gives_other_weights(tmp_path):
    data = colored(2)
    models = [
        pretrain.train(
            data, Recipe("mobilenet_v3_small", ((32, 1),), 8, seed=seed), tmp_path / f"{i}.safetensors",
            device=CPU, progress=False,
        )
        for i, seed in enumerate((0, 0, 1))
    ]  # fmt: skip
    assert same(models[0].state_dict(), models[1].state_dict())
    assert not same(models[0].state_dict(), models[2].state_dict())


def test_bfloat16_trains_too(tmp_path):
    recipe = Recipe("mobilenet_v3_small", ((32, 1),), 8, precision="bf16")
    model = pretrain.train(colored(2), recipe, tmp_path / "a.safetensors", device=CPU, progress=False)
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())


def test_a_loss_that_explodes_stops_the_run_and_leaves_no_file(tmp_path):
    recipe = Recipe("mobilenet_v3_small", ((32, 1),), 8, lr=1e30, warmup=0.01)
    with pytest.raises(PretrainError, match="The loss became (nan|inf) in epoch 1: .*lower --lr"):
        pretrain.train(colored(4), recipe, tmp_path / "a.safetensors", device=CPU, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_more_pictures_a_batch_than_there_are_is_refused(tmp_path):
    with pytest.raises(PretrainError, match="A batch of 256 does not fit 8 pictures on 1 processes"):
        pretrain.train(colored(2), Recipe(), tmp_path / "a.safetensors", device=CPU)


# --- the command line


def run_command(*args: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(arg) for arg in args]))


def quick(data: Path, out: Path, *more: object) -> list[object]:
    return ["--data", data, "--out", out, "--device", "cpu", "--model", "mobilenet_v3_small",
            "--sizes", "32:1", "--batch-size", 16, *more]  # fmt: skip


def test_the_command_trains_resumes_and_warm_starts(shards, tmp_path, capsys):
    out = tmp_path / "new" / "a.safetensors"
    assert run_command(*quick(shards, out)) == 0
    before = out.read_bytes()
    assert run_command(*quick(shards, out)) == 2  # never over an earlier run
    assert "is there already: add --resume" in capsys.readouterr().err
    out.unlink()
    assert run_command(*quick(shards, out, "--resume")) == 0  # complete: only writes the file again
    assert out.read_bytes() == before

    warm = tmp_path / "warm.safetensors"
    assert run_command(*quick(shards, warm, "--warm-start", out, "--lr", "1e-9")) == 0
    a, b = load_file(out), load_file(warm)
    torch.testing.assert_close(a["classifier.3.weight"], b["classifier.3.weight"], atol=1e-3, rtol=0)
    assert sorted(path.name for path in out.parent.iterdir()) == ["a.checkpoint.pt", "a.jsonl", "a.safetensors"]


def test_resuming_another_recipe_or_a_damaged_checkpoint_is_refused(shards, tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    assert run_command(*quick(shards, out, "--resume")) == 0
    assert "There is no" in capsys.readouterr().out
    assert run_command(*quick(shards, out, "--resume", "--seed", 1, "--model", "resnet18")) == 2
    error = capsys.readouterr().err
    assert "model ('mobilenet_v3_small' there, 'resnet18' here), seed (0 there, 1 here)" in error
    path = pretrain.checkpoint_path(out)
    path.write_bytes(path.read_bytes()[:5000])
    assert run_command(*quick(shards, out, "--resume")) == 2
    assert "is no checkpoint of this program" in capsys.readouterr().err


def test_bad_input_is_one_sentence_and_exit_status_2(shards, tmp_path, capsys):
    torch.save(torchvision.models.resnet18(num_classes=4).state_dict(), tmp_path / "resnet.pt")
    (tmp_path / "noise.safetensors").write_bytes(b"noise" * 10)
    out = tmp_path / "a.safetensors"
    for arguments, sentence in [
        (quick(tmp_path / "nowhere", out), "No Tiny ImageNet in .*nowhere"),
        (quick(shards, tmp_path / "a.pt"), "must be a .safetensors file, such as a.safetensors"),
        (
            quick(shards, out, "--warm-start", tmp_path / "resnet.pt"),
            "resnet.pt holds another network: features.0.0.weight is nothing",
        ),
        (quick(shards, out, "--warm-start", tmp_path / "no.pt"), "No weights can be read from .*no.pt"),
        (quick(shards, out, "--warm-start", tmp_path / "noise.safetensors"), "No weights can be read from .*noise"),
        (quick(shards, out, "--device", "tpu"), "device is 'tpu'"),
        (quick(shards, out, "--lr", "-1"), "lr is -1.0; it must be more than 0"),
        (quick(shards, out, "--lr", "inf"), "lr is inf; it must be more than 0"),
        (quick(shards, out, "--weight-decay", "-0.1"), "weight_decay is -0.1; it must be 0 or more"),
        (quick(shards, out, "--weight-decay", "nan"), "weight_decay is nan"),
        (quick(shards, out, "--seed", 10**30), "seed is 1000.*less than 2"),
        (quick(shards, ""), "--out '.' must be a .safetensors file, such as weights.safetensors"),
        (quick(shards, ".."), "must be a .safetensors file"),
        (quick(shards, tmp_path / "resnet.pt" / "a.safetensors"), "nothing can be written in .*resnet.pt"),
        (quick(shards, tmp_path / ("x" * 300 + ".safetensors")), "--out .*|too long"),
    ]:
        assert run_command(*arguments) == 2
        *progress_bars, error = capsys.readouterr().err.splitlines()
        assert error.startswith("pretrain: ") and all("%|" in line or not line for line in progress_bars)
        assert re.search(sentence, error), error
    assert not out.exists()


def test_an_unknown_model_or_size_is_refused_with_the_choices(shards, tmp_path, capsys):
    for arguments, sentence in [
        (["--model", "resnet19"], "mobilenet_v3_small"),
        (["--sizes", "64"], "is not like"),
        (["--sizes", "999999:1"], "at most 512"),
        (["--sizes", "64:999999999999"], "more than 10,000 epochs"),
        (["--sizes", "8" * 9000], "is not like"),
    ]:
        with pytest.raises(SystemExit):
            run_command("--data", shards, "--out", tmp_path / "a.safetensors", *arguments)
        assert sentence in capsys.readouterr().err


def test_a_second_run_with_the_same_output_is_refused(shards, tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    with command.only_run(out):
        assert run_command(*quick(shards, out)) == 2
        assert "Another run is writing" in capsys.readouterr().err
        assert run_command(*quick(shards, tmp_path / "b.safetensors")) == 0
    assert run_command(*quick(shards, out)) == 0
    assert not list(tmp_path.glob("*.lock"))


def test_a_folder_where_a_file_must_go_is_refused_before_any_work(shards, tmp_path, capsys):
    for name in ("a.safetensors", "b.jsonl", "c.checkpoint.pt"):
        (tmp_path / name).mkdir()
        assert run_command(*quick(shards, tmp_path / f"{name[0]}.safetensors", "--resume")) == 2
        assert f"{name} is a folder" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence_that_says_how_to_go_on(shards, tmp_path, monkeypatch, capsys):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run_command(*quick(shards, tmp_path / "a.safetensors")) == 2
    assert re.search(r"a\.\S+: No space left on device; make room.*--resume", capsys.readouterr().err)
    assert not list(tmp_path.glob("a.*"))


def test_one_flipped_byte_anywhere_in_a_checkpoint_is_noticed(tmp_path):
    part = torch.nn.Linear(100, 10)
    path = tmp_path / "x.checkpoint.pt"
    checkpoint.save_checkpoint(path, {"model": part}, {"seed": 0}, {"history": [{"epoch": 1}]})
    whole = path.read_bytes()
    trained, rng = copy.deepcopy(part.state_dict()), np.random.default_rng(0)
    noticed = 0
    for place in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        other = torch.nn.Linear(100, 10)
        try:
            so_far = checkpoint.load_checkpoint(path, {"model": other}, {"seed": 0})
        except CheckpointError:
            noticed += 1
        else:  # in a part of the file that holds no content, such as the time of day
            assert so_far == {"history": [{"epoch": 1}]}
            assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in trained.items())
    assert noticed > 30


def test_ctrl_c_says_how_to_go_on(shards, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "train_epoch", interrupted)
    assert run_command(*quick(shards, tmp_path / "a.safetensors")) == 130
    assert "--resume" in capsys.readouterr().err


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "weights"
    path.write_text("old", encoding="utf-8")

    def full_disk(partial):
        partial.write_text("ne", encoding="utf-8")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.write_whole(path, full_disk)
    assert path.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"something": 1}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="is no checkpoint of this program"):
        checkpoint.load_checkpoint(tmp_path / "x.pt", {}, {})


# --- several processes


WORKER = """
import argparse, sys
import torch
from course_utils.pretraining import command
from course_utils.pretraining import train as pretrain

torch.nn.BatchNorm2d.train = lambda self, mode=True: torch.nn.Module.train(self, False)  # as in the test below
runs = []
train_epoch = pretrain.train_epoch
pretrain.train_epoch = lambda run, *args: runs.append(run) or train_epoch(run, *args)
parser = argparse.ArgumentParser()
command.add_arguments(parser)
status = command.run(parser.parse_args())
torch.save(runs[0].model.state_dict(), f"rank-{runs[0].rank}.pt")
sys.exit(status)
"""


@pytest.mark.slow
def test_two_processes_share_each_batch_and_learn_what_one_learns(shards, tmp_path, monkeypatch):
    """With batch statistics off, because each process would normalize by its own half of a batch."""
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    options = ["--data", shards, "--device", "cpu", "--sizes", "32:2", "--batch-size", 16, "--lr", "0.01"]
    two, one = tmp_path / "two.safetensors", tmp_path / "one.safetensors"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "worker.py", "--out", str(two), *map(str, options)],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = [torch.load(tmp_path / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert same(*ranks)

    monkeypatch.setattr(torch.nn.BatchNorm2d, "train", lambda self, mode=True: torch.nn.Module.train(self, False))
    assert run_command("--out", one, *options) == 0
    alone = torch.load(pretrain.checkpoint_path(one), weights_only=True)["model"]
    for name, expected in alone.items():
        torch.testing.assert_close(ranks[0][name], expected, atol=1e-4, rtol=1e-3)

    logs = [[json.loads(line) for line in path.with_suffix(".jsonl").open(encoding="utf-8")] for path in (two, one)]
    assert [line["loss"] for line in logs[0]] == pytest.approx([line["loss"] for line in logs[1]], rel=1e-3)
    assert [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")] == logs[0]  # once
    with safetensors.safe_open(two, "pt") as file:
        assert json.loads(file.metadata()["recipe"])["processes"] == 2
