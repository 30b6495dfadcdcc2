"""Points for a test cell: whatever the student's code does, the cell ends in a number that nbgrader reads right.

nbgrader takes the value of a test cell's last line as its points, and is easily misled: text, a bool, NaN, a
negative number or no value at all count as full points, more than the maximum stops the grading, and one word on
stderr means zero. So every test cell has this form:

    points = Points(3)
    points.check("the head of a ResNet-18", head_is_found, "resnet18")
    points.check("the head of a VGG-11", head_is_found, "vgg11")
    points.total()

`check` runs one function and never raises: an error, `exit()`, a loop without end or a missing name costs that check
its share of the points and prints a sentence that helps. `total` gives a float between 0 and the maximum.

A mistake is paid for once. `lend` brings our functions for the earlier steps: a check that fails with the student's own
is tried again with these, and passes where only they were wrong.
"""

import io
import linecache
import math
import os
import signal
import sys
import textwrap
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from functools import wraps
from inspect import unwrap
from time import monotonic, thread_time
from types import FrameType

SECONDS_A_CHECK = 10.0  # of computing: many times what a right answer needs, and a busy machine takes no more of it
SECONDS_BY_THE_CLOCK = 30.0  # for a check that waits instead of computing
SECONDS_A_CELL = 100.0  # by the clock; below the limit in exercises/nbgrader_config.py, which would cost the whole cell
WIDTH = 100  # characters in a line of feedback
_LONGEST_MESSAGE = 300  # characters of an error message or of what the student's code prints


class Unmet(Exception):
    """A check found something else than it expects; the message is the sentence for the student."""


class _TooSlow(BaseException):
    """Raised in the student's code when its time (the argument, in seconds) is up. No `except Exception` holds it."""


def expect(condition: object, sentence: str) -> None:
    """Stop the check with `sentence` unless `condition` holds. Unlike `assert`, no option of Python removes it."""
    if not condition:
        raise Unmet(sentence)


def each(check: Callable[..., object]) -> Callable[..., None]:
    """Return a check that runs `check` on every case that it is given, and stops at the first that fails.

    A case is one argument, or a tuple of arguments. Where its first one is a text, the feedback begins with it.
    """

    @wraps(check)
    def run(*cases: object) -> None:
        for case in cases:
            arguments = case if isinstance(case, tuple) else (case,)
            try:
                check(*arguments)
            except BaseException as error:
                if isinstance(arguments[0], str):
                    error.add_note(arguments[0])
                raise

    return run


class Points:
    """The points of one test cell, earned check by check."""

    def __init__(self, maximum: float) -> None:
        if isinstance(maximum, bool) or not isinstance(maximum, int | float) or not 0 < maximum < math.inf:
            raise ValueError(f"The points of a test cell must be a number above 0, got {maximum!r}.")
        self.maximum = float(maximum)
        self._earned = 0.0
        self._offered = 0.0
        self._passed: list[bool] = []
        self._namespace: dict[str, object] = {}
        self._lent: dict[str, object] = {}
        self._deadline = monotonic() + SECONDS_A_CELL

    def lend(self, namespace: dict[str, object], code: str) -> None:
        """Bring our functions for earlier steps: `code` defines them, and `namespace` holds the student's own."""
        ours = dict(namespace)
        exec(code, ours)
        self._namespace = namespace
        self._lent = {
            name: thing for name, thing in ours.items() if thing is not namespace.get(name) and name[:2] != "__"
        }

    def check(self, title: str, function: Callable[..., object], *arguments: object, worth: float = 1) -> None:
        """Run `function(*arguments)` and print whether it passed.

        It passes when it returns: `None`, or a remark to print. It fails when anything is raised. `worth` is the
        weight of this check among all checks of the cell; 0 for a check that only tells the student something.
        """
        test_cells = {sys._getframe(1).f_code.co_filename, _file_of(function)}
        printed = _FirstCharacters()
        error, remark = self._attempt(function, arguments, printed)
        if error is not None and self._lent:
            with self._lending():
                still_wrong, remark = self._attempt(function, arguments, printed)
            if still_wrong is None:
                names = [name for name, thing in self._lent.items() if callable(thing)]
                used = f"Judged with our {' and '.join(names)} in the place of yours."
                remark = f"{remark}\n{used}" if isinstance(remark, str) else used
            if still_wrong is None or isinstance(still_wrong, Unmet):
                error = still_wrong
        if error is not None:
            remark = _sentence(error, test_cells)
        passed = error is None
        self._passed.append(passed)
        self._offered += worth
        self._earned += worth * passed
        print(f"{'[passed]' if passed else '[not yet]':9} {title}")
        said = f"Your code printed: {printed.getvalue()}" if printed.getvalue().strip() else ""
        for text in (remark if isinstance(remark, str) else "", said):
            if text:
                print("\n".join(_wrapped(text)))

    def _lending(self) -> AbstractContextManager[None]:
        """Let the student's functions find ours for a while."""
        return _exchanged(self._namespace, self._lent)

    def _attempt(
        self, function: Callable[..., object], arguments: tuple[object, ...], printed: io.StringIO
    ) -> tuple[BaseException | None, object]:
        """What the function raised, and what it returned."""
        left = self._deadline - monotonic()
        try:
            with _quiet(printed), _time_limit(SECONDS_A_CHECK, min(SECONDS_BY_THE_CLOCK, left)):
                return None, function(*arguments)
        except BaseException as error:  # SystemExit and KeyboardInterrupt as well: nothing may leave a test cell
            return error, None

    def total(self) -> float:
        """The points of the cell: the maximum times the share of the checks that passed, two decimals.

        Where no check has a weight (a released cell that only looks at the form of an answer), all or nothing.
        """
        if self._offered > 0:
            share = self._earned / self._offered
        else:
            share = float(bool(self._passed) and all(self._passed))
            if share:
                print("\nThe form is right. The answer itself is graded after you hand in your work.")
        print(f"\n{sum(self._passed)} of {len(self._passed)} checks passed.")
        return round(self.maximum * min(1.0, max(0.0, share)), 2)


@contextmanager
def _quiet(printed: io.StringIO) -> Iterator[None]:
    """Catch what is printed, and let nothing reach stderr: neither warnings nor the C++ parts of a library."""
    with _no_stderr_file(), redirect_stdout(printed), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _no_stderr_file() -> Iterator[None]:
    """Point file descriptor 2 at nothing for a while; C++ writes there past `sys.stderr`."""
    try:
        saved = os.dup(2)
    except OSError:  # there is no descriptor 2, for example under pythonw
        yield
        return
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextmanager
def _time_limit(computing: float, by_the_clock: float) -> Iterator[None]:
    """Raise `_TooSlow` in the code below when it has computed, or run by the clock, for so many seconds.

    Where there is no alarm (Windows, a thread) there is no limit.
    """
    if by_the_clock <= 0:
        raise _TooSlow(0)
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    computed, started = thread_time(), monotonic()

    def look_at_the_clocks(_signal: int, _frame: FrameType | None) -> None:
        for limit, used in ((computing, thread_time() - computed), (by_the_clock, monotonic() - started)):
            if used >= limit:
                signal.setitimer(signal.ITIMER_REAL, 0)
                raise _TooSlow(limit)

    before = signal.signal(signal.SIGALRM, look_at_the_clocks)
    tick = min(0.5, computing / 10, by_the_clock / 10)
    signal.setitimer(signal.ITIMER_REAL, tick, tick)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _FirstCharacters(io.StringIO):
    """Keeps the first characters written to it, so that endless printing costs no memory."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, _LONGEST_MESSAGE - self.tell())])
        return len(text)

    def close(self) -> None:
        """Stay open: the student's code may close `sys.stdout`."""


@contextmanager
def _exchanged(namespace: dict[str, object], others: dict[str, object]) -> Iterator[None]:
    """Give these names other values for a while."""
    before = dict(namespace)
    namespace.update(others)
    try:
        yield
    finally:
        for name in others:
            if name in before:
                namespace[name] = before[name]
            else:
                namespace.pop(name, None)


def _file_of(check: Callable[..., object]) -> str:
    code = getattr(unwrap(check), "__code__", None)
    return code.co_filename if code else ""


def _sentence(error: BaseException, test_cells: set[str]) -> str:
    """What to tell the student about an error in a check, and the case in which it happened."""
    return ": ".join([*getattr(error, "__notes__", []), _reason(error, test_cells)])


def _reason(error: BaseException, test_cells: set[str]) -> str:
    if isinstance(error, Unmet):
        return str(error)
    if isinstance(error, _TooSlow):
        (seconds,) = error.args
        if not seconds:
            return "Not tried: the checks above used up the time of this cell."
        return f"Not finished after {seconds:.0f} seconds. Is there a loop that never ends?"
    hidden_exit = isinstance(error, NameError) and error.name in ("exit", "quit")  # see nbgrader_config.py
    if isinstance(error, SystemExit) or hidden_exit:
        return "Your code called exit(). A function ends with `return`, or with an error that says what is wrong."
    if isinstance(error, KeyboardInterrupt):
        return "Stopped before it was done."
    try:
        message = " ".join(str(error).split())[:_LONGEST_MESSAGE]
    except BaseException:  # an exception whose own text raises
        message = ""
    if isinstance(error, NotImplementedError) and not message:
        return "This part is not written yet."
    told = f"{type(error).__name__}: {message}" if message else type(error).__name__
    line = _students_line(error, test_cells)
    if type(error) is NameError and not line:
        return f"{told}. Run the cell that defines it, or check the spelling."
    return f"Your line `{line}` raised {told}" if line else f"Your answer led to {told}"


def _students_line(error: BaseException, test_cells: set[str]) -> str:
    """The last line of the traceback that the student wrote: no library, and not the test cell itself."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        line = linecache.getline(file, number).strip()
        if line and file not in test_cells and not _is_library(file):
            return line
    return ""


def _is_library(file: str) -> bool:
    return "site-packages" in file or file.startswith((sys.base_prefix, os.path.dirname(os.path.dirname(__file__))))


def _wrapped(text: str) -> list[str]:
    """The text in lines of `WIDTH` characters, indented below its title; its own line breaks stay."""
    lines = []
    for line in text.strip().splitlines():
        lines += textwrap.wrap(line, WIDTH - 10, break_on_hyphens=False, break_long_words=False) or [""]
    return [" " * 10 + line if line else "" for line in lines]
