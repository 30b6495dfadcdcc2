"""The device helper: which device, what it says of it, and what it does when one is full."""

import ast
from collections import namedtuple

import pytest
import torch
from PIL import Image
from small_networks import noise_pictures
from torch import nn

from course_utils import (
    DeviceError,
    ResNet18_Course_Weights,
    accuracy,
    batched,
    describe_device,
    evaluate,
    fit_head,
    get_device,
    predict,
    to_device,
)
from course_utils.calibration import calibration_error, fit_temperature
from course_utils.device import ModelError, check_model
from course_utils.files import ROOT


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


# Models that cannot compute


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nn.Linear(2, 2).half(), "weight holds torch.float16, .* call model.float"),
        (nn.Linear(2, 2).double(), "weight holds torch.float64"),
        (nn.Linear(2, 2, dtype=torch.complex64), "weight holds torch.complex64"),
        (nn.Linear(2, 2, device="meta"), "weight is on the meta device"),
        (None, "A model .* is needed here, got NoneType"),
        (nn.Linear, "got type"),
    ],
)
def test_a_model_that_cannot_take_pictures_is_refused_in_words(model, sentence):
    with pytest.raises(ModelError, match=sentence):
        check_model(model)
    weights = ResNet18_Course_Weights.DEFAULT
    with pytest.raises(ModelError, match=sentence):
        predict(model, weights, Image.new("RGB", (64, 64)), device="cpu")
    with pytest.raises(ModelError, match=sentence):
        evaluate(model, weights.transforms(), noise_pictures(2), device="cpu")


def test_integers_among_the_parameters_are_no_reason_to_refuse():
    model = nn.Linear(2, 2)
    model.register_parameter("scale", nn.Parameter(torch.ones(1, dtype=torch.int8), requires_grad=False))
    check_model(model)


def test_the_name_of_a_device_is_shown_on_one_short_line():
    with pytest.raises(DeviceError) as caught:
        get_device("\x1b[31m\n" * 900)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400


# A device without 64-bit floats, as Apple's GPU is


class WithoutDoubles(torch.Tensor):
    """A tensor of such a device: to become 64-bit, it must come to the CPU first."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        options = options or {}
        doubles = {torch.float64, torch.double, float}
        if function.__name__ == "double" or doubles & {it for it in (*arguments, *options.values()) if _hashable(it)}:
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        result = super().__torch_function__(function, types, arguments, options)
        return result.as_subclass(torch.Tensor) if function.__name__ == "cpu" else result


def _hashable(value: object) -> bool:
    return isinstance(value, torch.dtype | type)


def test_the_stand_in_refuses_doubles_until_it_is_on_the_cpu():
    tensor = torch.rand(3).as_subclass(WithoutDoubles)
    for refused in (lambda: tensor.double(), lambda: tensor.to(torch.float64), lambda: (tensor * 2).sum().double()):
        with pytest.raises(TypeError, match="float64"):
            refused()
    assert tensor.cpu().double().dtype == torch.float64


def test_what_is_measured_in_doubles_is_brought_to_the_cpu_first():
    logits, labels = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 3
    on_device = logits.as_subclass(WithoutDoubles), labels.as_subclass(WithoutDoubles)
    for measure in (calibration_error, fit_temperature):
        assert measure(*on_device) == measure(logits, labels)
    predicted = on_device[0].argmax(dim=1)
    assert accuracy(on_device[1], predicted) == accuracy(labels, logits.argmax(dim=1))
    features, _ = fit_head(*on_device, num_classes=3, epochs=2)
    assert torch.equal(features.weight, fit_head(logits, labels, num_classes=3, epochs=2)[0].weight)


class OnDevice(nn.Module):
    """A classifier whose scores come from such a device."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x.mean(dim=(2, 3))).as_subclass(WithoutDoubles)


def test_what_evaluate_returns_is_on_the_cpu_where_lessons_may_make_doubles_of_it():
    logits, labels = evaluate(OnDevice(), ResNet18_Course_Weights.DEFAULT.transforms(), noise_pictures(4), device="cpu")
    assert type(logits) is type(labels) is torch.Tensor
    assert (logits.argmax(dim=1) == labels).double().dtype == torch.float64  # as in lesson 06


def test_doubles_become_floats_on_their_way_to_apples_gpu(monkeypatch):
    moved = []
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device: moved.append((self.dtype, device)) or self)
    to_device({"a": torch.zeros(1, dtype=torch.float64), "b": torch.zeros(1, dtype=torch.int64)}, "mps")
    to_device(torch.zeros(1, dtype=torch.float64), "cuda")
    assert moved == [(torch.float32, "mps"), (torch.int64, "mps"), (torch.float64, "cuda")]


# What moves its own tensors to the device, by reading: a lesson is too long to run on a stand-in.

WITH_A_DEVICE = [
    path
    for pattern in ("lessons/*.py", "exercises/problems/*.py", "course_utils/**/*.py")
    for path in sorted(ROOT.glob(pattern))
    if ".to(device" in path.read_text(encoding="utf-8")
]


def doubles_on_the_device(source: str) -> list[int]:
    """The lines that make a tensor 64-bit with no ``cpu()`` before it in the same expression."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        doubled = node.func.attr == "double" or (
            node.func.attr == "to" and any(ast.unparse(argument).endswith("float64") for argument in node.args)
        )
        if doubled and ".cpu()" not in ast.unparse(node.func.value):
            found.append(node.lineno)
    return sorted(found)


def test_a_double_on_the_device_is_found():
    assert doubles_on_the_device("x = (a == b).double().mean()\ny = z.to(torch.float64)\n") == [1, 2]
    assert doubles_on_the_device("x = (a == b).cpu().double().mean()\ny = z.float()\n") == []


def test_the_scripts_with_a_device_are_found():
    assert {"00_start_here.py", "08_deeper_than_the_last_layer.py"} <= {path.name for path in WITH_A_DEVICE}


@pytest.mark.parametrize("path", WITH_A_DEVICE, ids=lambda path: path.name)
def test_what_uses_the_device_makes_doubles_on_the_cpu_only(path):
    assert doubles_on_the_device(path.read_text(encoding="utf-8")) == []
