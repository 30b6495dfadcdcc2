"""Starting the warm process: in bubblewrap (backend "safe"), or without any protection (backend "fork")."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from course_utils.errors import CourseError
from course_utils.files import PACKAGE
from course_utils.marking.protocol import Channel, Closed

START_SECONDS = 120  # to import torch, on a slow disk
EXCHANGE = "/exchange"  # where a test lets the student's code write files, inside the sandbox
HOME = "/home/grader"  # inside the sandbox


class NoSandbox(CourseError):
    """The sandbox cannot be used here; the message says why, and what to do."""


class SandboxDied(Exception):
    """The warm process has ended, or does not answer."""


def why_not_safe() -> str:
    """Return "" where the sandbox works, or the reason why not and what to do."""
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux; use --backend nbgrader here, or grade in a Linux container or WSL"
    if not shutil.which("bwrap"):
        return "bubblewrap is not installed: `sudo apt install bubblewrap`, or your system's package of that name"
    command = [*_bubblewrap(16), "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return ""
    words = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
    return f"bubblewrap cannot make a sandbox here ({words[0]}); user namespaces may be switched off on this computer"


def why_not_fork() -> str:
    """Return "" where the backend "fork" works, or the reason why not."""
    return "" if hasattr(os, "fork") and sys.platform.startswith("linux") else "it needs Linux"


class Sandbox:
    """A warm process that can be given submissions, one at a time. A context manager; `close` ends everything in it."""

    def __init__(self, backend: str, memory: int, modules: Sequence[str] = ()) -> None:
        self.backend, self.memory, self.modules = backend, memory, tuple(modules)
        self._process: subprocess.Popen | None = None
        self._scratch: tempfile.TemporaryDirectory | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the sandbox

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the warm process, unless it is there. Raises NoSandbox."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        exchange = EXCHANGE
        if self.backend == "fork":
            self._scratch = tempfile.TemporaryDirectory(prefix="marking-")
            exchange = self._scratch.name
        nested = self.backend
        python = [sys.executable, "-s", "-P", "-m", "course_utils.marking.zygote"]
        arguments = [str(theirs.fileno()), exchange, str(self.memory), nested, *self.modules]
        command = [*(_bubblewrap(self.memory) if self.backend == "safe" else ()), *python, *arguments]
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            env=_environment(HOME if self.backend == "safe" else exchange),
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours
        ours.settimeout(START_SECONDS)
        try:
            if ours.recv(1) == b"r":
                return
        except OSError:
            pass
        self._log.seek(0)
        said = self._log.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        self.close()
        raise NoSandbox(f"The sandbox did not start{': ' + said[0] if said else ''}.")

    @contextlib.contextmanager
    def submission(self) -> Iterator[Channel]:
        """Start a judge and a student's process; give the channel to the judge. Raises SandboxDied."""
        self.start()
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        try:
            try:
                socket.send_fds(self._socket, [b"n"], [theirs.fileno()])
            except OSError:
                self.close()
                raise SandboxDied from None
            finally:
                theirs.close()
            yield channel
        finally:
            channel.close()

    def finish(self, seconds: float = 20) -> None:
        """Wait until everything of the last submission is gone; failing that, start anew next time."""
        if self._process is None:
            return
        self._socket.settimeout(seconds)
        try:
            if self._socket.recv(1):
                return
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """End the warm process and everything that it has started."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, 9)
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.close()
        if self._scratch is not None:
            with contextlib.suppress(OSError):
                self._scratch.cleanup()
            self._scratch = None


def receive(channel: Channel, until: float) -> dict:
    """Return the judge's next event. Raises SandboxDied or Overdue."""
    try:
        message, _ = channel.receive(seconds=max(0.0, until - monotonic()))
    except Closed:
        raise SandboxDied from None
    if not isinstance(message, dict):
        raise SandboxDied
    return message


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": home,
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "IPYTHONDIR": f"{home}/ipython",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "COURSE_DEVICE": "cpu",
        "TQDM_DISABLE": "1",
        "NBGRADER_EXECUTION": "autograde",
    }


def _bubblewrap(memory: int) -> list[str]:
    """The command that shows the environment, read-only, and nothing else."""
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--disable-userns", "--hostname", "sandbox"]
    # Kept by the warm process alone, to give each submission namespaces of its own; see zygote.py.
    command += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    command += ["--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    command += ["--size", str(2**28), "--tmpfs", "/tmp"]
    command += ["--size", str(2**28), "--tmpfs", EXCHANGE, "--size", str(2**28), "--tmpfs", HOME]
    for place in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        path = Path(place)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), place]
        elif path.is_dir():
            command += ["--ro-bind", place, place]
    for place in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives"):
        command += ["--ro-bind-try", place, place]
    shown = [path for path in _python_folders() if not path.startswith("/usr/")]
    for place in shown:
        command += ["--ro-bind", place, place]
    command += ["--ro-bind", str(PACKAGE), str(PACKAGE)]
    for package in {PACKAGE, *(Path(place) / "course_utils" for place in sys.path if place)}:
        keys = package / "quiz" / "questions"  # the answers of all quizzes
        is_shown = package == PACKAGE or any(str(keys).startswith(place + "/") for place in (*shown, "/usr"))
        if keys.is_dir() and is_shown:
            command += ["--tmpfs", str(keys), "--remount-ro", str(keys)]
    if _is_in_tmp(*shown, str(PACKAGE)):
        command += ["--remount-ro", "/tmp"]  # a submission cannot have a folder of its own there
    # What one submission could write, the next one could read.
    command += ["--dir", "/etc", "--remount-ro", "/", "--remount-ro", "/dev"]
    return [*command, "--chdir", HOME, "--"]


def _is_in_tmp(*places: str) -> bool:
    return any(place.startswith("/tmp/") for place in places)


def _python_folders() -> list[str]:
    """The folders that this Python is made of, without those inside of others, outermost first."""
    places = {sys.prefix, sys.base_prefix, *(place for place in sys.path if "site-packages" in place)}
    places = sorted({os.path.realpath(place) for place in places if os.path.isdir(place)} | {sys.prefix})
    return [place for place in places if not any(place.startswith(other + "/") for other in places)]
