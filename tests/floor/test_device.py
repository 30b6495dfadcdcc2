"""The device helper: which device, what it says of it, and what it does when one is full."""

from collections import namedtuple

import pytest
import torch
from torch import nn

from course_utils import DeviceError, batched, describe_device, get_device, to_device


@pytest.fixture(autouse=True)
def no_forced_device(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)


def pretend(monkeypatch, *, cuda: int = 0, mps: bool = False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(1, True, "cuda"), (0, True, "mps"), (0, False, "cpu"), (2, False, "cuda")]
)
def test_the_best_device_wins(monkeypatch, cuda, mps, expected):
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert get_device().type == expected


def test_the_environment_variable_forces_a_device(monkeypatch):
    pretend(monkeypatch, cuda=1)
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert get_device() == torch.device("cpu")


def test_the_argument_beats_the_environment_variable(monkeypatch):
    pretend(monkeypatch, cuda=2)
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert get_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", "cuda:x", "meta"])
def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch, name):
    pretend(monkeypatch)
    with pytest.raises(DeviceError, match=f"device is '{name}'"):
        get_device(name)


def test_a_gpu_number_that_is_too_high_is_refused(monkeypatch):
    pretend(monkeypatch, cuda=1)
    with pytest.raises(DeviceError, match="sees 1 CUDA"):
        get_device("cuda:1")


def test_the_message_names_the_environment_variable_when_it_asked(monkeypatch):
    pretend(monkeypatch)
    monkeypatch.setenv("COURSE_DEVICE", "cuda")
    with pytest.raises(DeviceError, match="COURSE_DEVICE is 'cuda'"):
        get_device()


def test_describe_the_cpu():
    threads = torch.get_num_threads()
    assert describe_device("cpu").startswith(f"cpu ({threads} thread")


def test_describe_a_gpu(monkeypatch):
    card = namedtuple("Card", "name total_memory")("NVIDIA L4", 24 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    assert describe_device("cuda") == "cuda:0 (NVIDIA L4, 24.0 GiB)"


def test_to_device_reaches_into_every_nesting():
    pair = namedtuple("Pair", "images labels")
    batch = {"pair": pair(torch.ones(2), [torch.ones(1)]), "names": ("cat", "dog"), "n": 3}
    moved = to_device(batch, "meta")
    assert moved["pair"].images.device.type == "meta"
    assert moved["pair"].labels[0].device.type == "meta"
    assert isinstance(moved["pair"], pair)
    assert moved["names"] == ("cat", "dog")
    assert moved["n"] == 3


def test_to_device_moves_a_model():
    assert to_device(nn.Linear(2, 2), "meta").weight.device.type == "meta"


def test_batches_cover_everything_once():
    assert list(batched(list, range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_full_gpu_halves_the_batch_and_goes_on(capsys):
    sizes = []

    def forward(items):
        if len(items) > 2:
            raise torch.cuda.OutOfMemoryError("full")
        sizes.append(len(items))
        return list(items)

    assert [item for batch in batched(forward, range(9), 8) for item in batch] == list(range(9))
    assert max(sizes) == 2
    assert "going on with batches of 2" in capsys.readouterr().out


def test_a_batch_of_one_that_does_not_fit_is_an_error():
    def forward(items):
        raise torch.cuda.OutOfMemoryError("full")

    with pytest.raises(torch.cuda.OutOfMemoryError):
        list(batched(forward, [1, 2], 2))


def test_a_batch_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        list(batched(list, [1], 0))
