"""The warm process inside the sandbox: it has imported torch once, and forks for each submission.

For each submission two processes come out of it. The judge stays where it is. The student's process goes into
namespaces of its own, in which it sees no other process, no network and no file of anybody else, and gives up every
right before it runs a line of the submission.

    python -m course_utils.marking.zygote DESCRIPTOR EXCHANGE MEMORY_MB BACKEND MODULES...
"""

import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.marking import kernel

if TYPE_CHECKING:  # torch and IPython are imported where we are ready to wait for them
    from course_utils.marking.student import Shell

SCRATCH_BYTES = 2**28  # of files that a submission may write
MOST_PROCESSES = 64


def main(arguments: list[str]) -> None:
    """Import what is slow to import, say that we are ready, and fork whenever the engine asks for it."""
    descriptor, exchange, memory, backend, *modules = arguments
    engine = socket.socket(fileno=int(descriptor))
    kernel.die_with_parent()
    shell = _warm_up(modules)
    kernel.hide_memory()
    gc.collect()
    gc.freeze()
    engine.send(b"r")
    while True:
        try:
            order, descriptors, _, _ = socket.recv_fds(engine, 1, 1)
        except InterruptedError:
            continue
        if not order:
            return
        child = os.fork()
        if child == 0:
            status = 1
            try:
                engine.close()
                _one_submission(descriptors[0], shell, exchange, int(memory), backend == "safe")
                status = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stderr.flush()
                os._exit(status)
        for number in descriptors:
            os.close(number)
        _, status = os.waitpid(child, 0)
        _reap()
        _empty(Path(exchange))
        engine.send(b"d" if status == 0 else b"x")


def _warm_up(modules: list[str]) -> "Shell":
    import torch

    torch.set_num_threads(1)
    torch.ones(64).half()  # looks at the processor once, for all forks
    for name in (
        "torchvision.models",
        "torchvision.transforms.v2",
        "numpy",
        "PIL.Image",
        "matplotlib.pyplot",
        *modules,
    ):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    from course_utils.marking import judge, student  # noqa: F401  (the judge's imports, before the fork)

    return student.new_shell()


def _one_submission(descriptor: int, shell: "Shell", exchange: str, memory: int, nested: bool) -> None:
    """Be the judge of one submission, with a student's process beside."""
    from course_utils.marking import judge

    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    if nested:
        kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS)
        kernel.mount_tmpfs(exchange, SCRATCH_BYTES)  # gone with the two that see it, whatever lies in it
    first = os.fork()  # the first process of the student's namespace: when it ends, all others there do
    if first == 0:
        with contextlib.suppress(BaseException):
            os.close(descriptor)
            ours.close()
            _first_process(theirs, shell, exchange, memory, nested)
        os._exit(0)
    theirs.close()
    kernel.limit(2 * memory * 2**20, 3600, SCRATCH_BYTES, resource.RLIM_INFINITY)  # what it is sent is kept here
    if nested:
        kernel.drop_all_rights()
    tempfile.tempdir = exchange  # files that a test lets the student's code write
    greeting, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(12))
    pid = int.from_bytes(ancillary[0][2][:4], sys.byteorder) if ancillary else 0
    if not greeting or not pid:
        raise RuntimeError("the student's process did not start")
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    try:
        judge.judge(descriptor, ours, pid, first)
    finally:
        with contextlib.suppress(OSError):
            os.kill(first, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(first, 0)


def _first_process(sock: socket.socket, shell: "Shell", exchange: str, memory: int, nested: bool) -> None:
    kernel.die_with_parent()
    os.setsid()
    if nested:
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        kernel.mount_tmpfs(os.environ["HOME"], SCRATCH_BYTES)
        kernel.mount_tmpfs("/dev/shm", SCRATCH_BYTES)
        if os.access("/tmp", os.W_OK):  # read-only where Python itself lies in it
            kernel.mount_tmpfs("/tmp", SCRATCH_BYTES)
        kernel.limit(memory * 2**20, 3600, SCRATCH_BYTES, MOST_PROCESSES)
        _hide_processes()
        kernel.drop_all_rights()
        kernel.forbid_calls()
    else:
        kernel.limit(memory * 2**20, 3600, SCRATCH_BYTES, resource.RLIM_INFINITY)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _students_process(sock, shell, exchange)
        os._exit(0)
    sock.close()
    while True:  # the first process inherits every orphan
        found, _ = os.wait()
        if found == pid:
            return


def _hide_processes() -> None:
    """Put an empty folder over /proc, with what libraries read about the computer."""
    about = {name: Path("/proc", name).read_bytes() for name in ("cpuinfo", "meminfo")}
    kernel.mount_tmpfs("/proc", 2**20)
    for name, text in about.items():
        Path("/proc", name).write_bytes(text)
    kernel.mount_tmpfs("/proc", 2**20, remount_read_only=True)


def _students_process(sock: socket.socket, shell: "Shell", exchange: str) -> None:
    from course_utils.marking import student

    kernel.die_with_parent()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    kept = sock.detach()
    os.dup2(kept, 3)
    os.closerange(4, 4096)
    sys.path[:] = [place for place in sys.path if place]
    home = os.path.join(os.environ["HOME"], "work")
    os.makedirs(home, exist_ok=True)
    os.chdir(home)
    os.environ.update(HOME=home, TMPDIR=home)
    tempfile.tempdir = None
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    sock = socket.socket(fileno=3)
    sock.send(b"h")
    student.serve(sock, shell)


def _reap() -> None:
    """End what is left of a submission."""
    if os.getpid() < 10:  # in a sandbox, all other processes are of the submission
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
