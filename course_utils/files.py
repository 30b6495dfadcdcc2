"""Where the course's own files lie, and how a file is written: whole, or not at all."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import BinaryIO

PACKAGE = Path(__file__).resolve().parent
ASSETS = PACKAGE / "assets"  # weights that ship with the course, a folder for each model
ROOT = PACKAGE.parent  # of the repository, where the package runs from one
USER_AGENT = "pretrained-vision-course/0.1 (a teaching course on pre-trained vision models; Python urllib)"


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading in binary; OSError for what is no regular file, such as a FIFO, a device or a folder.

    A FIFO would be waited for, and a device may be endless: neither is touched.
    """
    without_waiting = getattr(os, "O_NONBLOCK", 0)  # Windows has none, and no FIFOs among its files
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | without_waiting))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))
    return file


def read_regular(path: Path, most: int) -> bytes:
    """Return what is in a regular file, OSError for what is none; ValueError when it has more than ``most`` bytes."""
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most / 1e6:g} MB")
    return content


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file, and give it its name only then: a file that is there is complete.

    Raises OSError as ``write`` does; the file that was there before is then untouched. Two programs that write the
    same path at once do not disturb each other: the last one to finish wins.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with Unix line ends, whole or not at all."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8", newline="\n"))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; a file that has not changed is read once a process.

    Raises OSError as opening the file does, and for anything but a regular file.
    """
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    return file_digest(path)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a regular file; OSError for anything else, such as a FIFO or an endless device.

    Of a file that grows meanwhile, the bytes that it had at the start count.
    """
    digest = hashlib.new(algorithm)
    with open_regular(path) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (block := file.read(min(left, 2**20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
