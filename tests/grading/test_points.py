"""A test cell's last line is always a number in range, whatever the student's code does."""

import contextlib
import os
import signal
import sys
import threading
import time
import warnings

import pytest

from course_utils.grading import Points, each, expect
from course_utils.grading import points as points_module


def nothing():
    return None


def fails():
    expect(False, "The scores should have 7 columns.")


def raises(error):
    raise error


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


class NotEvenAnException(BaseException):
    pass


def test_all_checks_passed_give_the_maximum(capsys):
    points = Points(5)
    points.check("a ResNet", nothing)
    points.check("a VGG", nothing)
    assert points.total() == 5.0
    assert "2 of 2 checks passed." in capsys.readouterr().out


def test_a_failed_check_costs_its_share_and_says_why(capsys):
    points = Points(3)
    points.check("a ResNet", nothing)
    points.check("a VGG", fails, worth=2)
    assert points.total() == 1.0
    printed = capsys.readouterr().out
    assert "[passed]  a ResNet" in printed
    assert "[not yet] a VGG\n          The scores should have 7 columns." in printed


def test_a_share_has_two_decimals():
    points = Points(1)
    points.check("one", nothing)
    points.check("two", fails)
    points.check("three", fails)
    assert points.total() == 0.33


def test_no_check_gives_nothing():
    assert Points(4).total() == 0.0


@pytest.mark.parametrize(("check", "expected"), [(nothing, 2.0), (fails, 0.0)])
def test_a_check_of_form_alone_is_all_or_nothing(check, expected, capsys):
    points = Points(2)
    points.check("the form", check, worth=0)
    assert points.total() == expected
    assert ("graded after you hand in" in capsys.readouterr().out) == bool(expected)


def test_a_check_of_form_has_no_weight_beside_others():
    points = Points(2)
    points.check("the form", nothing, worth=0)
    points.check("the answer", fails)
    assert points.total() == 0.0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("bad shape"), "Your answer led to ValueError: bad shape"),
        (ValueError(), "Your answer led to ValueError"),
        (SystemExit(0), "Your code called exit()."),
        (NameError("name 'exit' is not defined", name="exit"), "Your code called exit()."),
        (KeyboardInterrupt(), "Stopped before it was done."),
        (NotImplementedError(), "This part is not written yet."),
        (NotImplementedError("Cannot copy out of meta tensor"), "NotImplementedError: Cannot copy out of meta tensor"),
        (NotEvenAnException("surprise"), "NotEvenAnException: surprise"),
        (Unprintable(), "Your answer led to Unprintable"),
        (RuntimeError("x " * 10_000), "RuntimeError: x x x"),
    ],
)
def test_no_error_leaves_a_check(error, sentence, capsys):
    points = Points(1)
    points.check("it runs", raises, error)
    assert points.total() == 0.0
    printed = capsys.readouterr().out
    assert sentence in printed
    assert len(printed) < 600


def test_a_missing_function_is_named(capsys):
    points = Points(1)
    points.check("find_head", lambda: find_the_head(1))  # noqa: F821
    assert points.total() == 0.0
    told = "NameError: name 'find_the_head' is not defined. Run the cell that defines it, or check the spelling."
    assert told in " ".join(capsys.readouterr().out.split())


def test_an_endless_recursion_is_one_failed_check():
    def again():
        return again()

    points = Points(1)
    points.check("it ends", again)
    assert points.total() == 0.0


def test_the_students_line_is_shown_and_the_tests_own_is_not(tmp_path, capsys):
    answer, test = tmp_path / "answer.py", tmp_path / "test.py"
    answer.write_text("def find_head(model):\n    return model.fc\n", encoding="utf-8")
    test.write_text("def check(find_head):\n    secret = find_head(None)\n", encoding="utf-8")
    names = {}
    for path in (answer, test):
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
    points = Points(1)
    points.check("find_head", names["check"], names["find_head"])
    printed = capsys.readouterr().out
    assert "Your line `return model.fc` raised AttributeError" in printed
    assert "secret" not in printed


def test_nothing_reaches_stderr(capfd):
    def loud():
        print("a warning", file=sys.stderr)
        os.write(2, b"a warning of C++\n")
        warnings.warn("a warning of Python", stacklevel=1)

    points = Points(1)
    points.check("it is quiet", loud)
    assert points.total() == 1.0
    assert capfd.readouterr().err == ""
    os.write(2, b"back again\n")
    assert capfd.readouterr().err == "back again\n"


def test_a_students_own_warning_filter_does_not_fail_a_check():
    def deprecated():
        warnings.warn("old", FutureWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = Points(1)
        points.check("it runs", deprecated)
    assert points.total() == 1.0


def test_endless_printing_is_cut_off(capsys):
    points = Points(1)
    points.check("it prints", lambda: [print("spam") for _ in range(100_000)] and None)
    assert points.total() == 1.0
    printed = capsys.readouterr().out
    assert "Your code printed: spam" in printed
    assert len(printed) < 3000


def test_a_remark_is_printed_with_a_passed_check(capsys):
    points = Points(1)
    points.check("the form", lambda: "You chose b.")
    assert "[passed]  the form\n          You chose b." in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no alarm, so there is no time limit")
@pytest.mark.parametrize("limit", ["SECONDS_A_CHECK", "SECONDS_BY_THE_CLOCK"])
def test_a_loop_without_end_is_stopped(limit, monkeypatch, capsys):
    monkeypatch.setattr(points_module, limit, 0.2)

    def loop():
        while True:
            with contextlib.suppress(Exception):  # a student's own `except` must not keep the loop alive
                sum(range(1000)) if limit == "SECONDS_A_CHECK" else time.sleep(0.01)

    before = signal.getsignal(signal.SIGALRM)
    points = Points(2)
    points.check("it ends", loop)
    points.check("the next one is tried", nothing)
    assert points.total() == 1.0
    assert "Is there a loop that never ends?" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGALRM) is before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no alarm, so there is no time limit")
def test_a_busy_machine_costs_no_points(monkeypatch):
    monkeypatch.setattr(points_module, "SECONDS_A_CHECK", 0.2)
    points = Points(1)
    points.check("it waits for its turn, but computes little", time.sleep, 0.5)
    assert points.total() == 1.0


def test_when_the_cells_time_is_used_up_the_rest_is_not_tried(monkeypatch, capsys):
    monkeypatch.setattr(points_module, "SECONDS_A_CELL", 0.0)
    tried = []
    points = Points(1)
    points.check("too late", tried.append, 1)
    assert points.total() == 0.0
    assert tried == []
    assert "Not tried" in capsys.readouterr().out


def test_it_works_in_a_thread_where_there_is_no_alarm():
    totals = []

    def cell():
        points = Points(1)
        points.check("it runs", nothing)
        totals.append(points.total())

    thread = threading.Thread(target=cell)
    thread.start()
    thread.join()
    assert totals == [1.0]


@pytest.mark.parametrize("maximum", [0, -1, float("nan"), float("inf"), True, "3", None])
def test_points_that_are_no_points_are_refused(maximum):
    with pytest.raises(ValueError, match="must be a number above 0"):
        Points(maximum)


def test_each_stops_at_the_first_case_that_fails_and_names_it(capsys):
    tried = []

    def is_small(name, number):
        tried.append(name)
        expect(number < 3, f"{number} is large.")

    points = Points(1)
    points.check("all are small", each(is_small), ("one", 1), ("five", 5), ("six", 6))
    assert points.total() == 0.0
    assert tried == ["one", "five"]
    assert "five: 5 is large." in capsys.readouterr().out


LEND = "def earlier():\n    return 1\n"


def later_step(names):
    """A check of a later step, which calls an earlier one by its name."""
    expect(names["earlier"]() == 1, "The sum is wrong.")


def test_a_later_step_is_judged_with_our_earlier_one_where_the_students_is_wrong(capsys):
    names = {"earlier": lambda: 2}
    own = names["earlier"]
    points = Points(1)
    points.lend(names, LEND)
    points.check("the later step", later_step, names)
    assert points.total() == 1.0
    assert names == {"earlier": own}
    assert "Judged with our earlier in the place of yours." in capsys.readouterr().out


def test_a_missing_earlier_step_is_lent_and_taken_back():
    names = {}
    points = Points(1)
    points.lend(names, LEND)
    points.check("the later step", later_step, names)
    assert points.total() == 1.0
    assert names == {}


def test_a_right_earlier_step_is_the_students_own(capsys):
    calls = []
    names = {"earlier": lambda: calls.append(1) or 1}
    points = Points(1)
    points.lend(names, LEND)
    points.check("the later step", later_step, names)
    assert points.total() == 1.0
    assert calls == [1]
    assert "Judged" not in capsys.readouterr().out


def test_a_later_step_that_is_wrong_itself_is_told_so_with_our_earlier_one(capsys):
    names = {"earlier": lambda: 2}

    def wrong_as_well():
        expect(names["earlier"]() == 1, "That is the earlier one.")
        expect(False, "That is this one.")

    points = Points(1)
    points.lend(names, LEND)
    points.check("the later step", wrong_as_well)
    assert points.total() == 0.0
    printed = capsys.readouterr().out
    assert "That is this one." in printed and "That is the earlier one." not in printed


@pytest.mark.parametrize(("check", "expected"), [(nothing, 3.0), (fails, 0.0)])
def test_nbgrader_reads_the_total_as_it_is_meant(check, expected):
    utils = pytest.importorskip("nbgrader.utils", reason="the grading extra is not installed")
    from nbformat.v4 import new_code_cell, new_output

    points = Points(3)
    points.check("a check", check)
    output = new_output("execute_result", {"text/plain": repr(points.total())})
    cell = new_code_cell("", outputs=[output], metadata={"nbgrader": {"grade": True, "solution": False, "points": 3}})
    assert utils.determine_grade(cell) == (expected, 3.0)
