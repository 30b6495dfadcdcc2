"""The student's process without a process: what it does when the judge asks."""

import os
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_utils.grading.points import _TooSlow
from course_utils.marking import student as student_side
from course_utils.marking.judge import Judge
from course_utils.marking.protocol import Channel, Closed


@pytest.fixture
def process():
    ours, theirs = socket.socketpair()
    yield student_side._Student(ours, SimpleNamespace(user_ns={"double": "own", "three": 3}))
    ours.close()
    theirs.close()


def test_lent_names_stand_in_the_place_of_the_students_own_for_a_while(process):
    names = process.shell.user_ns
    process.exchange({"double": "lent", "new": "lent"})
    assert names == {"double": "lent", "new": "lent", "three": 3}
    process.exchange({"double": "lent again"})
    assert names == {"double": "lent again", "three": 3}
    process.exchange({})
    assert names == {"double": "own", "three": 3}


def test_outputs_of_all_layers_are_shown_while_somebody_watches(process):
    seen, layer = [], nn.Linear(2, 1)
    process.watch(seen.append)
    output = layer(torch.ones(1, 2))
    process.watch(None)
    layer(torch.ones(1, 2))
    assert len(seen) == 1 and seen[0] is output


@pytest.mark.parametrize(
    "error", [KeyError("AlexNet"), ValueError("no"), ZeroDivisionError(), NameError("x")], ids=repr
)
def test_an_error_reads_as_it_did_over_there(error):
    found = student_side.raised(student_side.describe(error))
    assert isinstance(found, type(error))
    assert (type(found).__name__, str(found)) == (type(error).__name__, str(error))


def test_who_calls_the_judge_without_end_does_not_hold_it():
    (engine, _), (ours, theirs) = socket.socketpair(), socket.socketpair()
    judge = Judge(Channel(engine), ours, os.getpid(), 0)
    _, number = judge.bridge._export(lambda: None)
    call = {"ask": "call", "changes": [], "value": ["tuple", [number, ["tuple", []], ["tuple", []], True, False]]}

    def student():
        other = Channel(theirs)
        try:
            while True:
                other.receive()
                other.send(call)
        except Closed:
            pass

    flood = threading.Thread(target=student)
    flood.start()
    started = judge.deadline = time.monotonic() + 0.3
    with pytest.raises(_TooSlow):
        judge.bridge.ask("run", "while True: kept()")
    assert time.monotonic() - started < 5
    ours.close()
    flood.join()
