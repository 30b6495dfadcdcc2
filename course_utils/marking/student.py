"""The student's process: runs the student's cells in an IPython shell, and answers the judge's calls.

Nothing here can be relied on by anybody else: the student's code shares this process and may change all of it. It
holds no test, no key and no other submission.
"""

import builtins
import contextlib
import linecache
import os
import random
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.hooks import RemovableHandle
from traitlets.config import Config

from course_utils.files import PACKAGE
from course_utils.marking.bridge import Bridge, Reported
from course_utils.marking.output import FirstCharacters
from course_utils.marking.protocol import Channel

_ABSENT = object()
MOST_PRINTED = 20_000  # characters that are kept of what one cell prints


class Shell(InteractiveShell):
    """IPython without a screen, history or files."""

    def enable_gui(self, gui: str | None = None) -> None:
        """There is no window, and none is missed."""


def new_shell() -> Shell:
    """Make the shell that all students' processes inherit; it takes a while."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Minimal"
    config.InteractiveShell.colors = "NoColor"
    shell = Shell.instance(config=config)
    for name in ("exit", "quit"):  # they end the kernel, and the points with it
        shell.user_ns.pop(name, None)
    shell.run_cell("1 + 1", store_history=False)
    return shell


def serve(sock: socket.socket, shell: Shell) -> None:
    """Answer the judge until it hangs up."""
    seed = int.from_bytes(os.urandom(4), "big")  # a fork would draw what its sisters draw
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.register_at_fork(after_in_child=sock.close)
    process = _Student(sock, shell)
    signal.signal(signal.SIGUSR1, process.interrupted)
    process.bridge.serve()


class _Student:
    def __init__(self, sock: socket.socket, shell: Shell) -> None:
        self.shell = shell
        self.bridge = Bridge(
            Channel(sock),
            first=1,
            requests={
                "run": self.run,
                "names": self.names,
                "forget": self.forget,
                "exchange": self.exchange,
                "watch": self.watch,
            },
            describe=describe,
            raised=raised,
        )

        self._watcher: RemovableHandle | None = None
        self._own: dict[str, object] = {}  # what the student's names were before ours stood there

    def interrupted(self, _signal: int, _frame: object) -> None:
        """The judge has waited long enough."""
        if self.bridge.running:
            raise KeyboardInterrupt

    def run(self, source: str) -> tuple[str, str]:
        """Run a cell; return what it printed and the name of the error that ended it, or ""."""
        printed = FirstCharacters(MOST_PRINTED)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = self.shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        return printed.getvalue(), type(error).__name__ if error is not None else ""

    def names(self, wanted: tuple[str, ...]) -> dict[str, object]:
        """Return those of the student's names that are asked for and exist."""
        found = {name: self.shell.user_ns[name] for name in wanted if name in self.shell.user_ns}
        return {name: value for name, value in found.items() if not isinstance(value, ModuleType)}

    def exchange(self, lent: dict[str, object]) -> None:
        """Let the student's functions find the lent ones; with none, their own again."""
        names = self.shell.user_ns
        for name in self._own.keys() - lent.keys():
            if (own := self._own.pop(name)) is _ABSENT:
                names.pop(name, None)
            else:
                names[name] = own
        for name, thing in lent.items():
            self._own.setdefault(name, names.get(name, _ABSENT))
            names[name] = thing

    def watch(self, see: Callable[[Tensor], object] | None) -> None:
        """Show every output of every layer to ``see``; with None, no more."""
        if self._watcher is not None:
            self._watcher.remove()
            self._watcher = None
        if see is not None:

            def tell(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
                see(output)

            self._watcher = register_module_forward_hook(tell)

    def forget(self, _nothing: None) -> None:
        """Begin a check: objects of the last one are no longer in common."""
        self.bridge.graph.forget()


def describe(error: BaseException) -> Reported:
    """Put an error in plain words."""
    base = next(kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind)
    try:
        text = str(error)[:2000]
    except BaseException:
        text = ""
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    return Reported(type(error).__name__, base, text, name if isinstance(name, str) else "", students_line(error))


def students_line(error: BaseException) -> str:
    """The last line of the traceback that stands in one of the student's cells."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        if file.startswith(str(PACKAGE)) or "site-packages" in file or file.startswith(sys.base_prefix):
            continue
        line = linecache.getline(file, number).strip()
        if line:
            return line[:300]
    return ""


def raised(reported: Reported) -> BaseException:
    """An error that looks like the reported one, with the student's line as the place where it was raised."""
    base = getattr(builtins, reported.base, Exception)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        base = Exception
    kind = base if base.__name__ == reported.kind else type(str(reported.kind)[:60], (base,), {})
    try:
        error = kind(reported.text)
    except Exception:  # UnicodeDecodeError, for example, wants five arguments
        error = type(str(reported.kind)[:60], (Exception,), {})(reported.text)
    if isinstance(error, KeyError):  # which puts its text in quotes, and this one has them
        error = type(type(error).__name__, (type(error),), {"__str__": lambda _self: reported.text})(reported.text)
    if isinstance(error, NameError) and reported.name:
        error.name = reported.name
    if reported.line:
        file = "<student>"
        linecache.cache[file] = (len(reported.line), None, [reported.line + "\n"], file)
        try:
            exec(compile("raise error", file, "exec"), {"error": error})
        except BaseException as same:
            return same
    return error
