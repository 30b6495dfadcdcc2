"""Calls between the judge and a student's process: functions of the one can be called in the other.

Both sides run the same loop. While one waits for the answer to its call, it answers calls of the other, so that a
test can hand over a function of its own (`action`, a loss, a hook of a layer) as well.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache

import torch

from course_utils.grading.points import Unmet, _TooSlow
from course_utils.marking.graph import Graph
from course_utils.marking.output import FirstCharacters
from course_utils.marking.protocol import Blob, Channel, Closed, Overdue, ProtocolError
from course_utils.marking.wire import Refused, Unsendable, expect

MOST_PRINTED = 2_000  # characters of what a call printed that travel back
MOST_CALLS_DEEP = 40


class StudentGone(Unmet):
    """The student's process has ended; there is nobody to ask any more."""

    def __init__(self) -> None:
        super().__init__("Your code ended the whole program, so nothing more could be tried.")


@dataclass
class Reported:
    """An error that was raised on the other side: its type, the built-in type it is a kind of, and where."""

    kind: str
    base: str
    text: str
    name: str = ""  # of a NameError
    line: str = ""  # the student's line


@dataclass
class Bridge:
    """One end. ``first`` is 0 for the judge, which trusts nothing that it gets, and 1 for the student."""

    channel: Channel
    first: int
    describe: Callable[[BaseException], Reported]  # an error, for the other side
    raised: Callable[[Reported], BaseException]  # and made an error again
    requests: dict[str, Callable] = field(default_factory=dict)  # what the other side may ask for, beside calls
    wait: Callable[[], None] = lambda: None  # returns when a message is there, or raises
    whole: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext  # keeps a message in one piece

    def __post_init__(self) -> None:
        self._functions: dict[int, Callable] = {}
        self._known: dict[int, int] = {}
        self._depth = self.running = 0
        self.seconds = None if self.first else 60.0  # for a message that has begun
        self.busy_over_there = 0  # requests of ours that have not been answered
        self.graph = Graph(self.first, self._export, self._remote, trusts=self.first == 1)
        self.unsendable = ""

    # Functions travel as numbers.

    def _export(self, function: Callable) -> tuple[bool, int]:
        if isinstance(function, _Remote) and function.bridge is self:
            return True, function.number  # one of theirs: they know it by this number
        number = self._known.setdefault(id(function), len(self._functions))
        self._functions[number] = function
        return False, number

    def _remote(self, mine: bool, number: int, name: str) -> Callable:
        if not mine:
            return _remote_kind(name)(self, number, name)
        if number not in self._functions:
            raise Refused("a function that was never handed over")
        return self._functions[number]

    # Asking and answering.

    def call(self, number: int, args: tuple, kwargs: dict) -> object:
        """Call function ``number`` of the other side, and return what it returns, or raise what it raises."""
        modes = [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
        return self.ask("call", (number, args, tuple(kwargs.items()), *modes))

    def ask(self, what: str, value: object = None) -> object:
        """Send a request and return the answer. Raises what the other side raised, StudentGone or Unsendable."""
        try:
            message, blobs = self.graph.pack(value)
        except Unsendable as error:
            self.unsendable = str(error)
            raise
        self._send({"ask": what, **message}, blobs)
        self.busy_over_there += 1
        while True:
            answer, blobs = self._receive()
            if "ask" in answer:
                self._answer(answer, blobs)
                continue
            self.busy_over_there -= 1
            return self._result(answer, blobs)

    def serve(self) -> None:
        """Answer requests until the other side is gone."""
        while True:
            try:
                request, blobs = self._receive()
            except StudentGone:
                return
            if isinstance(request, dict) and "ask" in request:
                self._answer(request, blobs)

    def _result(self, answer: dict, blobs: Sequence[Blob]) -> object:
        printed = answer.get("printed", "")
        if printed and isinstance(printed, str):
            print(printed[:MOST_PRINTED], end="")
        found = self.graph.unpack(answer, blobs)
        if "error" in answer:
            error = expect(answer["error"], dict)
            raise self.raised(Reported(**{part.name: expect(error.get(part.name), str) for part in fields(Reported)}))
        return found

    def _answer(self, request: dict, blobs: Sequence[Blob]) -> None:
        printed = FirstCharacters(MOST_PRINTED)
        self._depth += 1
        answer: dict = {}
        value = None
        try:
            if self._depth > MOST_CALLS_DEEP:
                raise RecursionError("maximum recursion depth exceeded")
            value = self.graph.unpack(request, blobs)
            with contextlib.redirect_stdout(printed) if self.first else contextlib.nullcontext():
                self.running += 1
                try:
                    value = self._done(request["ask"], value)
                finally:
                    self.running -= 1
        except (StudentGone, Refused, ProtocolError):
            raise
        except BaseException as error:
            if isinstance(error, _TooSlow):
                raise  # the judge has waited long enough
            answer["error"] = vars(self.describe(error))
            value = None
        finally:
            self._depth -= 1
        try:
            message, blobs = self.graph.pack(value)
        except Unsendable as error:
            self.unsendable = str(error)
            answer["error"] = vars(self.describe(error))
            message, blobs = self.graph.pack(None)
        answer["printed"] = printed.getvalue()
        self._send({**answer, **message}, blobs)

    def _done(self, what: str, value: object) -> object:
        if what != "call":
            return self.requests[what](value)
        number, args, kwargs, grad, inference = expect(value, tuple)
        with torch.inference_mode() if inference else torch.set_grad_enabled(bool(grad)):
            return self._functions[number](*args, **dict(kwargs))

    def _send(self, message: dict, blobs: Sequence[Blob]) -> None:
        try:
            with self.whole():
                self.channel.send(message, blobs, seconds=60)
        except (Closed, Overdue) as error:
            raise StudentGone from error

    def _receive(self) -> tuple[dict, Sequence[Blob]]:
        self.wait()
        try:
            with self.whole():
                message, blobs = self.channel.receive(seconds=self.seconds)
        except (Closed, Overdue):
            raise StudentGone from None
        if not isinstance(message, dict):
            raise ProtocolError("a message that is none")
        return message, blobs


class _Remote:
    """A function of the other process."""

    def __init__(self, bridge: Bridge, number: int, name: str) -> None:
        self.bridge, self.number, self.__name__ = bridge, number, name

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self.bridge.call(self.number, args, kwargs)

    def __deepcopy__(self, _memo: dict) -> "_Remote":
        return self  # a copy of a layer keeps the hooks of the layer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Remote) and other.bridge is self.bridge and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


@cache
def _remote_kind(name: str) -> type[_Remote]:
    """The type of a function of the other side; messages name types, so it is called as over there."""
    return type(name, (_Remote,), {})
