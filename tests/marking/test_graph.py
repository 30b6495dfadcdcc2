"""What travels between judge and student: values come out as they went in, and nothing else can be made of them."""

import collections
import contextlib
import json
import socket

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from torch import nn
from torchvision import models
from torchvision.models import feature_extraction

from course_utils.marking import student as student_side
from course_utils.marking import tensors
from course_utils.marking.bridge import Bridge
from course_utils.marking.graph import Graph
from course_utils.marking.names import Opaque
from course_utils.marking.protocol import Channel
from course_utils.marking.wire import Refused, Unsendable, lengths


def no_function(*_arguments):
    raise Refused("no function is expected here")


def pair():
    """A judge's graph and a student's, which hand over functions by their place in a list."""
    functions = {0: [], 1: []}

    def export(side):
        def add(function):
            functions[side].append(function)
            return False, len(functions[side]) - 1

        return add

    judge = Graph(0, export(0), lambda mine, number, name: functions[1][number], trusts=False)
    student = Graph(1, export(1), lambda mine, number, name: functions[0][number], trusts=True)
    return judge, student


def travelled(value, sender, receiver):
    message, blobs = sender.pack(value)
    return receiver.unpack(json.loads(json.dumps(message)), [bytearray(blob) for blob in blobs])


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode())
    | st.binary(max_size=8)
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_plain_values_travel_both_ways(value):
    judge, student = pair()
    for sender, receiver in ((judge, student), (student, judge)):
        found = travelled([value], sender, receiver)
        assert found == [value] and type(found[0]) is type(value)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["f4", "f8", "i8", "u1", "?", "U3"]), hnp.array_shapes(max_dims=3, max_side=3, min_side=0)
    )
)
def test_arrays_and_tensors_travel(array):
    judge, student = pair()
    found = travelled(array, student, judge)
    assert found.dtype == array.dtype and found.shape == array.shape and found.tobytes() == array.tobytes()
    if array.dtype.kind != "U":
        tensor = torch.from_numpy(array.copy())
        again = travelled(tensor, judge, student)
        assert again.dtype == tensor.dtype and again.shape == tensor.shape
        assert again.numpy().tobytes() == array.tobytes()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3)
    | st.sampled_from(["new", "@", "tensor", "module", "name", "function", "tuple", "torch.nn.modules.linear"]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(
        st.sampled_from(["dtype", "shape", "data", "device", "learns", "hooks", "training"]), inner, max_size=4
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(JSON, JSON, st.lists(st.binary(max_size=16), max_size=2))
def test_whatever_arrives_is_taken_or_refused(value, changes, blobs):
    judge = Graph(0, no_function, no_function, trusts=False)
    with contextlib.suppress(Refused):
        judge.unpack({"changes": changes, "value": value}, blobs)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_real_message_with_one_thing_changed_is_taken_or_refused(data):
    judge, student = pair()
    message, blobs = student.pack(
        [nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), np.ones(2), Image.new("L", (2, 2))]
    )
    text = json.dumps(message)
    place = data.draw(st.integers(0, len(text) - 1))
    text = text[:place] + data.draw(st.sampled_from('0123456789"[]{}-,:ae')) + text[place + 1 :]
    try:
        broken = json.loads(text)
    except ValueError:
        return
    if isinstance(broken, dict) and broken.keys() >= {"changes", "value"}:
        with contextlib.suppress(Refused):
            judge.unpack(broken, [bytearray(blob) for blob in blobs])


def test_identity_and_changes_travel():
    judge, student = pair()
    shared = [1, 2]
    theirs = travelled([shared, shared], judge, student)
    assert theirs[0] is theirs[1]
    theirs[0].append(3)
    assert travelled(theirs[0], student, judge) is shared
    assert shared == [1, 2, 3]


def test_a_network_comes_back_with_the_same_layers_and_what_was_done_to_them():
    judge, student = pair()
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Linear(4, 2))
    copy = travelled(model, judge, student)
    assert torch.equal(copy[0].weight, model[0].weight) and type(copy[1]) is nn.BatchNorm2d
    with torch.no_grad():
        copy[0].weight += 1
    copy[0].requires_grad_(False)
    copy[1].eval()
    copy[2] = nn.Linear(4, 7)
    old_conv, old_weight = model[0], model[0].weight
    assert travelled(copy, student, judge) is model
    assert model[0] is old_conv and model[0].weight is old_weight and not old_weight.requires_grad
    assert torch.equal(old_weight, copy[0].weight)
    assert not model[1].training and model.training
    assert model[2].out_features == 7 and torch.equal(model[2].bias, copy[2].bias)


def test_hooks_and_methods_of_layers_are_called_over_there():
    judge, student = pair()
    model = travelled(nn.Sequential(nn.Linear(2, 2)), student, judge)
    calls = []
    theirs = student._common[1].value
    theirs.register_forward_pre_hook(lambda layer, inputs: calls.append(len(inputs)))
    theirs[0].train = lambda mode=True: calls.append(mode)
    travelled(theirs, student, judge)
    model(torch.zeros(1, 2))
    model.train()
    assert calls == [1, True]


class Joker(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Own(nn.Module):
    def forward(self, x):
        return 2 * x


def test_the_judge_sees_of_a_class_of_the_students_only_its_name():
    judge, student = pair()
    found = travelled([Joker("b"), object()], student, judge)
    assert [type(one).__name__ for one in found] == ["Joker", "object"]
    assert all(isinstance(one, Opaque) and not isinstance(one, str) for one in found)
    assert found[0] != "b"


def test_a_layer_of_the_students_own_runs_over_there():
    judge, student = pair()
    found = travelled(Own(), student, judge)
    assert isinstance(found, nn.Module) and type(found).__name__ == "Own"
    assert found(torch.ones(1)).item() == 2


def test_a_layer_of_the_tests_own_runs_here():
    judge, student = pair()
    assert travelled(Own(), judge, student)(torch.ones(1)).item() == 2


class Doubled(nn.Linear):
    def forward(self, input):
        return 2 * super().forward(input)


def test_a_kind_of_linear_layer_is_a_linear_layer_whose_arithmetic_is_over_there():
    judge, student = pair()
    own = Doubled(3, 2)
    found, x = travelled(own, student, judge), torch.rand(4, 3)
    assert isinstance(found, nn.Linear) and type(found).__name__ == "Doubled"
    assert torch.equal(found(x), own(x)) and torch.equal(found.weight, own.weight)


class StillNormed(nn.Sequential):
    def train(self, mode=True):
        super().train(mode)
        self[1].training = False
        return self


def test_a_network_that_is_given_another_class_trains_here_in_the_mode_that_the_class_wants():
    judge, student = pair()
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    there = travelled(model, judge, student)
    there.__class__ = StillNormed
    assert travelled(there, student, judge) is model
    assert isinstance(model, nn.Sequential) and type(model).__name__ == "StillNormed"
    model.train()
    assert there.training and not there[1].training
    travelled(None, student, judge)
    assert model.training and not model[1].training
    assert model(torch.rand(4, 3)).requires_grad, "the arithmetic is torch's own, so it is done here"


def test_a_class_may_not_name_another_method():
    judge, _ = pair()
    shape = ["module", "torch.nn.modules.linear", "Identity", ["Own", [["__reduce__", [False, 0]]]]]
    with pytest.raises(Refused, match="method"):
        judge.unpack({"changes": [], "value": ["new", 1, shape, {}]}, [])


@pytest.mark.parametrize(
    "name", ["state_dict", "parameters", "named_modules", "to", "_call_impl", "_compiled_call_impl"]
)
def test_no_attribute_stands_before_a_method_that_the_judge_asks(name):
    judge, student = pair()
    layer = nn.Linear(2, 2)
    theirs = travelled(layer, judge, student)
    vars(theirs)[name] = lambda *_arguments, **_named: {}
    vars(theirs)["own"] = 3
    travelled(None, student, judge)
    assert layer.own == 3
    assert name not in vars(layer)


def test_no_attribute_stands_before_a_weight_or_a_layer():
    judge, student = pair()
    model = nn.Sequential(nn.Linear(2, 2))
    theirs = travelled(model, judge, student)
    vars(theirs[0])["weight"] = torch.zeros(9, 2)
    vars(theirs)["0"] = nn.Identity()
    travelled(None, student, judge)
    assert model[0].weight.shape == (2, 2) and "weight" not in vars(model[0])
    assert "0" not in vars(model)
    later = nn.Linear(2, 2)  # first an attribute, then a weight of the same name
    theirs = travelled(later, judge, student)
    bias = theirs._parameters.pop("bias")
    vars(theirs)["bias"] = torch.zeros(2)
    travelled(None, student, judge)
    assert type(later.bias) is torch.Tensor
    theirs._parameters["bias"] = bias
    travelled(None, student, judge)
    assert isinstance(later.bias, nn.Parameter)


def test_no_hook_speaks_for_the_tensors_of_a_layer():
    judge, student = pair()
    layer = nn.Linear(2, 2)
    theirs = travelled(layer, judge, student)
    theirs._register_state_dict_hook(lambda *_arguments: {})
    theirs.register_state_dict_pre_hook(lambda *_arguments: None)
    theirs.register_forward_hook(lambda _layer, _inputs, output: output + 1)
    travelled(None, student, judge)
    assert not layer._state_dict_hooks and not layer._state_dict_pre_hooks
    assert len(layer._forward_hooks) == 1


def test_a_tensor_without_numbers_gets_none_of_the_judges_memory(monkeypatch):
    judge, student = pair()
    blank = tensors.mark_blank(nn.Linear(3, 3))
    monkeypatch.setattr(torch, "empty", lambda shape, **options: torch.full(shape, 7.0))
    assert not any(parameter.any() for parameter in travelled(blank, student, judge).parameters())


@pytest.mark.parametrize("shape", [[-1], [1] * 65, [2**64], [True, "1"], [10**4000] * 3])
def test_lengths_that_no_tensor_has_are_refused(shape):
    with pytest.raises(Refused):
        lengths(shape)


def test_columns_of_pandas_are_lists():
    pandas = pytest.importorskip("pandas", reason="the grading extra is not installed")
    judge, student = pair()
    assert travelled(pandas.Series(["a", "b"]), student, judge) == ["a", "b"]
    assert travelled(pandas.Index([1, 2]), student, judge) == [1, 2]


def test_the_judge_hands_over_no_object_of_its_own_classes():
    judge, _ = pair()
    with pytest.raises(Unsendable, match="Secret"):
        judge.pack(type("Secret", (), {})())
    message, _ = judge.pack([1])
    assert message["value"][1] == 0, "a message that was not sent leaves no number behind"


def test_of_an_attribute_that_cannot_be_handed_over_no_part_counts_as_known():
    judge, student = pair()
    layer, part = nn.Linear(1, 1), [1]
    layer.parts = (part, type("Secret", (), {})())
    copy = travelled(layer, judge, student)
    assert not hasattr(copy, "parts")
    assert travelled(part, judge, student) == [1]


@pytest.mark.parametrize("kind", ["f4", "<O8", "<M8", "<f4,<f4", "(1f4", "", 4, None, ["<f4"]])
def test_only_kinds_of_numbers_that_are_carried_are_read(kind):
    judge, _ = pair()
    for node in (["number", kind, 0], ["new", 1, ["array"], [kind, [1], 0]]):
        with pytest.raises(Refused):
            judge.unpack({"changes": [], "value": node}, [bytes(8)])


@pytest.mark.parametrize("answer", [{}, {"error": None}, {"error": {"kind": "E", "base": ["E"], "text": "t"}}])
def test_an_error_that_is_reported_in_another_form_is_refused(answer):
    ours, theirs = socket.socketpair()
    bridge = Bridge(Channel(ours), first=0, describe=student_side.describe, raised=student_side.raised)
    other = Channel(theirs)
    other.send({"changes": [], "value": None, **answer} if answer else {})
    with pytest.raises(Refused):
        bridge.ask("run")
    other.close()
    bridge.channel.close()


@pytest.mark.parametrize(
    "name",
    [
        ("os", "system"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("x", "y"),
        ("torch.nn.modules.module", "os"),
        ("torch.nn.modules.module", "torch.fx.GraphModule"),  # compiles a text that it holds
        ("torch.nn.modules.linear", "Module"),
        (feature_extraction.DualGraphModule.__module__, "DualGraphModule"),
    ],
)
def test_the_judge_makes_nothing_but_layers_by_name(name):
    judge, _ = pair()
    for node in (["name", *name], ["new", 1, ["module", *name, None], {}]):
        with pytest.raises(Refused):
            judge.unpack({"changes": [], "value": node}, [])


def test_other_types_of_libraries_travel():
    judge, student = pair()
    for value in (
        models.ResNet18_Weights.DEFAULT, torch.float16, torch.device("cpu"), torch.Size([1, 2]), range(3),
        slice(1, None),
        np.float32(1.5), collections.Counter("aab"), collections.OrderedDict(a=1),
    ):  # fmt: skip
        found = travelled(value, student, judge)
        assert found == value and type(found) is type(value)


def test_inference_tensors_stay_what_they_are():
    judge, student = pair()
    with torch.inference_mode():
        value = torch.ones(2)
    assert travelled(value, student, judge).is_inference()


def test_pictures_keep_mode_palette_and_the_way_they_lie():
    judge, student = pair()
    photo = Image.new("RGB", (4, 3), "red")
    photo.getexif()[274] = 6
    assert travelled(photo, judge, student).getexif()[274] == 6
    drawn = Image.new("RGB", (2, 2), "green").quantize(4)
    again = travelled(drawn, judge, student)
    assert again.mode == "P" and again.convert("RGB").tobytes() == drawn.convert("RGB").tobytes()
