"""The judge's process: runs the test cells, and asks the student's process whatever has to be asked.

It is forked for one submission from the warm process of `zygote.py`, reads tests and the student's cells from the
engine, hands the student's cells to the student's process, and keeps the tests to itself. Every result goes to the
engine at once, so that what was earned before a crash is kept.
"""

import contextlib
import io
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.modules import module
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.hooks import RemovableHandle

import course_utils.grading
from course_utils.grading import networks
from course_utils.grading.points import SECONDS_A_CHECK, Points, Unmet, _TooSlow
from course_utils.marking import cells, student
from course_utils.marking.bridge import Bridge, Reported, StudentGone
from course_utils.marking.protocol import Channel, Closed, Overdue, ProtocolError
from course_utils.marking.tensors import mark_blank
from course_utils.marking.wire import Refused, Unsendable, expect, safe_name

GRACE = 2.0  # seconds in which an interrupted student's process has to answer


class Judge:
    """One submission: the engine on one side, the student's process on the other."""

    def __init__(self, engine: Channel, sock: socket.socket, pid: int, first_process: int) -> None:
        self.engine = engine
        self.pid, self.first_process = pid, first_process
        self.bridge = Bridge(
            Channel(sock),
            first=0,
            describe=student.describe,
            raised=_raised,
            wait=self._wait,
            whole=_without_alarm,
        )
        self.deadline = self.processor_deadline = float("inf")
        self.gone = self.timed_out = False
        self.why = self.grade_id = ""
        self.namespace: dict = {"__name__": "__main__"}
        self._students: set[str] = set()  # names in it that are the student's

    def run(self, job: dict) -> None:
        """Run all steps of a submission, and tell the engine how each ended."""
        self._prepare(job)
        errors = 0
        for place, step in enumerate(job["steps"]):
            try:
                if step["role"] == "test":
                    self._test(step)
                else:
                    errors += self._cell(place, step, job["seconds_a_cell"])
            except (Refused, ProtocolError) as error:
                self._is_tampered(error)
                break
        status = "timed out" if self.timed_out else "crashed" if self.gone else "student error" if errors else "graded"
        self.engine.send({"event": "end", "status": status, "reason": self.why})

    def _prepare(self, job: dict) -> None:
        judge = self

        class Streamed(Points):
            """Tells the engine of each check, and lends in the student's process as well."""

            def check(self, title: str, function: Callable[..., object], *arguments: object, worth: float = 1) -> None:
                super().check(title, function, *arguments, worth=worth)
                judge._end_check(title, self._passed[-1], worth)

            def _attempt(
                self, function: Callable[..., object], arguments: tuple[object, ...], printed: io.StringIO
            ) -> tuple[BaseException | None, object]:
                judge._begin_attempt()
                try:
                    error, remark = super()._attempt(function, arguments, printed)
                finally:
                    judge._end_attempt()
                if isinstance(error, Refused | ProtocolError):
                    judge._is_tampered(error)
                return error, remark

            @contextlib.contextmanager
            def _lending(self) -> Iterator[None]:
                judge._exchange(self._lent)
                with super()._lending():
                    yield
                judge._exchange({})

        course_utils.grading.Points = Streamed
        module.register_module_forward_hook = self._watch_both
        outline = networks.outline
        networks.outline = lambda name: mark_blank(outline(name))
        needed: set[str] = set()
        for step in reversed(job["steps"]):
            defined = cells.names_defined(step["source"])
            if step["role"] == "test" or (step["role"] == "setup" and defined & needed):
                needed = (needed - defined) | cells.names_needed(step["source"])
                step["needed"] = True

    def _cell(self, place: int, step: dict, seconds: float) -> bool:
        """Run a cell in the student's process; return whether it raised an error."""
        if step["role"] == "setup" and step.get("needed"):
            cells.run_setup(step["source"], self.namespace)
        if self.gone:
            return False
        self.deadline = time.monotonic() + seconds
        try:
            printed, error = (str(text) for text in expect(self._asked("run", step["source"]), tuple))
            error = safe_name(error) if error else ""
        except _TooSlow:
            self.why = self.why or f"Cell {place + 1} did not end within {seconds:.0f} seconds."
            self.timed_out = True
            self._recover()
            printed, error = "", f"It was stopped after {seconds:.0f} seconds."
        except StudentGone:
            self._is_gone(f"while cell {place + 1} ran")
            printed, error = "", "It ended the program."
        finally:
            self.deadline = float("inf")
        is_own = step["role"] == "own"
        self.engine.send({"event": "own", "place": place, "output": printed, "error": error if is_own else ""})
        return bool(error) and is_own

    def _test(self, step: dict) -> None:
        if self.gone:
            return
        started = time.monotonic()
        self.grade_id = step["grade_id"]
        self.namespace["_"] = None
        try:
            self._fetch(cells.names_needed(step["source"]))
        except (StudentGone, _TooSlow):
            self._is_gone(f"before the test {self.grade_id}")
            return
        result = cells.run_test(step["source"], self.grade_id, step["points"], self.namespace)
        self.deadline = self.processor_deadline = float("inf")
        self.engine.send(
            {
                "event": "test",
                "grade_id": result.grade_id,
                "earned": result.earned,
                "output": result.output,
                "seconds": round(time.monotonic() - started, 3),
            }
        )
        if self.bridge.unsendable:
            reason = f"{self.grade_id}: a check hands over {self.bridge.unsendable}, which does not reach the sandbox"
            self.engine.send({"event": "tampered", "reason": reason})
            self.bridge.unsendable = ""

    def _asked(self, what: str, value: object = None) -> object:
        """What the student's process answers to a request that is no call of a function, and never ends in an error."""
        try:
            return self.bridge.ask(what, value)
        except (StudentGone, _TooSlow, Refused, ProtocolError, Unsendable):
            raise
        except BaseException as error:  # of whatever kind it says
            raise Refused(f"an error for an answer to {what!r}") from error

    def _fetch(self, needed: frozenset[str]) -> None:
        """Bind the student's names that a test uses; names of ours are never replaced."""
        wanted = tuple(sorted(name for name in needed if name not in self.namespace or name in self._students))
        for name in self._students & set(wanted):
            del self.namespace[name]
        self._students -= set(wanted)
        if wanted:
            self.deadline = time.monotonic() + 10
            found = expect(self._asked("names", wanted), dict)
            self.deadline = float("inf")
            self._students |= set(found)
            self.namespace.update(found)

    def _exchange(self, lent: dict[str, object]) -> None:
        """Let the student's functions find these instead of their own; they are called here, and not shown."""
        self._quickly("exchange", lent)

    def _watch_both(self, hook: Callable[..., None]) -> "_Watch":
        """What a test gets for torch's `register_module_forward_hook`: it also sees the layers over there.

        Of those it is told the output only, and None for the layer and its inputs.
        """
        here = register_module_forward_hook(hook)
        self._quickly("watch", lambda output: hook(None, None, output))
        return _Watch(self, here)

    def _begin_attempt(self) -> None:
        if self.bridge.busy_over_there and not self.gone:
            self._recover()
        if not self.gone:
            self.processor_deadline = self._processor_seconds() + SECONDS_A_CHECK
            self.bridge.graph.forget()
            self._quickly("forget")

    def _quickly(self, what: str, value: object = None) -> None:
        """Ask for something that only a process in trouble does not do at once."""
        if self.bridge.busy_over_there and not self.gone:
            self._recover()  # what was interrupted has to end before anything else is asked
        if self.gone:
            return
        before = self.deadline, self.processor_deadline
        self.deadline, self.processor_deadline = time.monotonic() + 5, float("inf")
        try:
            self._asked(what, value)
        except StudentGone:
            self._is_gone(f"in {self.grade_id}")
        except _TooSlow:
            self._kill()
        except (Refused, ProtocolError) as error:
            self._is_tampered(error)
        finally:
            self.deadline, self.processor_deadline = before

    def _end_attempt(self) -> None:
        self.processor_deadline = float("inf")
        if self.bridge.busy_over_there and not self.gone:
            self._recover()

    def _end_check(self, title: str, passed: bool, worth: float) -> None:
        if not self.gone and not self._is_alive():
            self._is_gone(f"in {self.grade_id}, {title}")
        event = {"event": "check", "grade_id": self.grade_id, "title": title, "passed": bool(passed), "worth": worth}
        self.engine.send(event)

    # The student's process as a process.

    def _wait(self) -> None:
        """Wait for a message of the student's process, no longer than is allowed."""
        if self.gone:
            raise StudentGone
        while True:  # the clock first: who asks without end always has a message there
            if time.monotonic() > self.deadline or self._processor_seconds() > self.processor_deadline:
                raise _TooSlow(SECONDS_A_CHECK)
            if self.bridge.channel.has_message(0.1):
                return

    def _processor_seconds(self) -> float:
        """What the student's process has computed; what it costs us to ask is no time of the student's."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2)  # see clock_getcpuclockid
        except OSError:
            return 0.0

    def _is_alive(self) -> bool:
        """Whether the process is there; one that has just died still counts until the system has seen it."""
        return not (self.bridge.channel.has_message(0) and self._at_end())

    def _at_end(self) -> bool:
        with contextlib.suppress(BlockingIOError, OSError):
            return not self.bridge.channel.sock.recv(1, socket.MSG_PEEK)
        return True

    def _recover(self) -> None:
        """Interrupt what the student's process is busy with, and wait until it is ready again; or end it."""
        bridge = self.bridge
        until = time.monotonic() + GRACE
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGUSR1)
        try:
            while bridge.busy_over_there and not self.gone:
                left = until - time.monotonic()  # the clock first, as in `_wait`
                if left <= 0 or not bridge.channel.has_message(left):
                    raise Overdue
                with _without_alarm():
                    message, _ = bridge.channel.receive(GRACE)
                if isinstance(message, dict) and "ask" in message:
                    gone = vars(Reported("KeyboardInterrupt", "KeyboardInterrupt", ""))
                    bridge.channel.send({"error": gone, "changes": [], "value": None, "printed": ""}, [], GRACE)
                else:
                    bridge.busy_over_there -= 1
        except Closed:
            self._is_gone(f"in {self.grade_id}" if self.grade_id else "while a cell ran")
        except (Overdue, ProtocolError):
            self.why = self.why or "The code does not stop when it is interrupted."
            self.timed_out = True
            self._kill()
        bridge.busy_over_there = 0
        if not self.gone:
            bridge.graph.forget()
            self._quickly("forget")

    def _is_tampered(self, error: Refused | ProtocolError) -> None:
        self._kill()
        self.engine.send({"event": "tampered", "reason": f"the submission's process sent nonsense: {error}"[:200]})

    def _is_gone(self, when: str) -> None:
        self.gone = True
        self.why = self.why or f"The program ended {when}."
        self._kill()

    def _kill(self) -> None:
        self.gone = True
        with contextlib.suppress(OSError):
            os.kill(self.first_process, signal.SIGKILL)


@dataclass(frozen=True)
class _Watch:
    """A hook on all layers of both processes."""

    judge: Judge
    here: RemovableHandle

    def remove(self) -> None:
        self.here.remove()
        self.judge._quickly("watch", None)


def _raised(reported: Reported) -> BaseException:
    if reported.kind == "Unmet":  # of a function of ours that the student's code has called
        return Unmet(str(reported.text))
    return student.raised(reported)


@contextlib.contextmanager
def _without_alarm() -> Iterator[None]:
    """Let the time limit of a check wait until a message is complete."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def judge(descriptor: int, sock: socket.socket, pid: int, first_process: int) -> None:
    """Judge one submission that the engine describes over ``descriptor``."""
    engine = Channel(socket.socket(fileno=descriptor))
    seed = int.from_bytes(os.urandom(4), "big")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    job, _ = engine.receive(seconds=60)
    Judge(engine, sock, pid, first_process).run(expect(job, dict))
