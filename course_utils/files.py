"""Where the course's own files lie, and how a file is written: whole, or not at all."""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ASSETS = PACKAGE / "assets"  # weights that ship with the course, a folder for each model
ROOT = PACKAGE.parent  # of the repository, where the package runs from one
USER_AGENT = "pretrained-vision-course/0.1 (a teaching course on pre-trained vision models; Python urllib)"


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

    Raises OSError as opening the file does.
    """
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
