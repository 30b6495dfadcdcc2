"""Answers are read from the text exactly as Python would bind them, or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.marking.literals import NotLiteral, apply

ANSWERS = frozenset({"q1", "q2"})


@pytest.mark.parametrize(
    ("source", "bound", "ends_well"),
    [
        ('q1 = "b"', {"q1": "b"}, True),
        ('q1 = None\nq1 = "b"  # changed my mind', {"q1": "b"}, True),
        ('q1 = q2 = "b"', {"q1": "b", "q2": "b"}, True),
        ('q1: str = "b"', {"q1": "b"}, True),
        ("q1 = -3.5e2", {"q1": -350.0}, True),
        ('q1 = ["a", "c"]', {"q1": ["a", "c"]}, True),
        ('q1 = ("a" "b")', {"q1": "ab"}, True),
        ("", {}, True),
        ("q2", {}, False),
        ('q1 = "b\nq2 = "a"', {}, False),
        ("import torch\nprint(torch.zeros(3))", {}, True),
        ('"just a text"', {}, True),
    ],
)
def test_literals_are_bound(source, bound, ends_well):
    names = {}
    assert apply(source, names, ANSWERS) is ends_well
    assert names == bound


@pytest.mark.parametrize(
    "source",
    [
        "q1 = 1 / 0",
        'q1 = "b".upper()',
        "q1 = q2",
        'for q1 in "abc": pass',
        "def q1(): pass",
        "class q1: pass",
        "import math as q1",
        "from math import *",
        'globals()["q1"] = "b"',
        'exec("q1 = 1")',
        "if (q1 := 3): pass",
        "with open('x') as q1: pass",
        "try:\n    pass\nexcept Exception as q1:\n    pass",
        "del q1",
        "%time q1 = 3",
        "q1 = !ls",
        '  q1 = "b"',
        "import sys",
        "q1 = " + "-" * 5000 + "1",
        "q1 = '" + "x" * 20_000 + "'",
        "[q1 for q1 in ()].__class__",
        "match 3:\n    case q1: pass",
    ],
)
def test_everything_else_is_left_to_the_sandbox(source):
    with pytest.raises(NotLiteral):
        apply(source, {}, ANSWERS)


LINES = st.sampled_from(
    ['q1 = "b"', "q2 = 3", "q1", "q2", "q1 = q2 = 1.5", "pass", "q1 = None", "q1: int = 4", "print(3)", "x = 1", "q1 ="]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(LINES, max_size=4).map("\n".join), max_size=4))
def test_python_itself_binds_the_same(cells):
    ours, theirs = {}, {}
    for source in cells:
        try:
            ended_well = apply(source, ours, ANSWERS)
        except NotLiteral:
            return
        try:
            exec(compile(source, "cell", "exec"), theirs)
        except (NameError, SyntaxError):
            assert not ended_well
        else:
            assert ended_well
        assert {name: theirs[name] for name in ANSWERS & theirs.keys()} == {n: ours[n] for n in ANSWERS & ours.keys()}
