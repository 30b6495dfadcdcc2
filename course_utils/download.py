"""Fetching from the web: whole, within a deadline, or one sentence.

A time-out of a socket bounds each wait, not their sum: a server that sends a byte every ten seconds, eight slow
redirects, and the look-up of a host name, which obeys no time-out at all, would hold a notebook for hours. So the
conversation with the server runs in a thread of its own, and whoever asked waits for it until the deadline.
"""

import glob
import hashlib
import io
import os
import queue
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError

from tqdm.auto import tqdm

from course_utils.errors import CourseError, reason_of, shown
from course_utils.files import USER_AGENT
from course_utils.progress_bar import progress_bar

READ_SECONDS = 20  # how long a server may be silent
BLOCK = 2**16  # bytes


class DownloadError(CourseError, RuntimeError):
    """A file did not arrive; the message says why. ``status`` is the number of an HTTP server's refusal, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def read_url(url: str, *, deadline: float, most_bytes: int) -> bytes:
    """Return the content of a web address, or its first ``most_bytes`` + 1 bytes where it is longer.

    deadline: seconds for everything, from looking up the host to the last byte. Raises DownloadError.
    """
    content = io.BytesIO()
    for block in _blocks(url, deadline):
        content.write(block)
        if content.tell() > most_bytes:
            break
    return content.getvalue()[: most_bytes + 1]


def download(
    url: str,
    path: Path,
    *,
    deadline: float,
    sha256_prefix: str = "",
    most_bytes: int = 4 * 10**9,
    progress: bool = False,
) -> None:
    """Fetch a file: ``path`` then holds all of it, or is as it was before.

    deadline: seconds for everything. sha256_prefix: the first digits of the file's SHA-256, in hexadecimal; empty
    trusts the server. most_bytes: a longer answer is refused. progress: show a bar after two seconds.
    Leftovers of downloads that were killed are removed. Raises DownloadError for what the network does, and OSError
    for what the disk does.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path, older_than=max(deadline, 60.0))
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("wb") as file, progress_bar(0, "downloading", "B", progress) as bar:
            bar.unit_scale = True
            for block in _blocks(url, deadline, bar):
                size += len(block)
                if size > most_bytes:
                    raise DownloadError(f"{shown(url)} holds more than the {most_bytes:,} bytes that it should.")
                digest.update(block)
                file.write(block)
                bar.update(len(block))
        if not digest.hexdigest().startswith(sha256_prefix.lower()):
            raise DownloadError(
                f"{shown(url)} arrived damaged ({size:,} bytes with another SHA-256) and was thrown away."
            )
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(path: Path, older_than: float) -> None:
    """Remove partial files of ``path`` that nobody has written to for ``older_than`` seconds: their program died."""
    for leftover in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        try:
            if time.time() - leftover.lstat().st_mtime > older_than and not leftover.is_dir():
                leftover.unlink()
        except OSError:  # another program was faster, or it is not ours to remove
            continue


def server_answers(url: str, *, deadline: float) -> bool:
    """Say whether a server answers within ``deadline`` seconds, if only by a refusal; nothing is fetched."""
    try:
        for _ in _blocks(url, deadline, method="HEAD"):
            break
    except DownloadError as error:
        return error.status is not None
    return True


def _blocks(url: str, deadline: float, bar: tqdm | None = None, method: str = "GET") -> Iterator[bytes]:
    """The answer's content, block by block; a DownloadError where it stops before its end."""
    end = time.monotonic() + deadline
    answers: queue.Queue[bytes | int | Exception | None] = queue.Queue(maxsize=16)
    given_up = threading.Event()
    asking = (url, method, answers, given_up)
    threading.Thread(target=_converse, args=asking, name="download", daemon=True).start()
    promised, received = None, 0
    try:
        while True:
            try:
                answer = _get(answers, end)
            except queue.Empty:
                raise DownloadError(
                    f"{shown(url)} did not arrive within {deadline:g} s ({received:,} bytes came)."
                ) from None
            if isinstance(answer, Exception):
                raise _explained(url, answer) from answer
            if answer is None:
                break
            if isinstance(answer, int):
                promised = answer
                if bar is not None:
                    bar.total = promised
                continue
            received += len(answer)
            yield answer
        if promised is not None and received < promised and method == "GET":
            raise DownloadError(f"{shown(url)} broke off after {received:,} of {promised:,} bytes.")
    finally:
        given_up.set()
        while not answers.empty():  # the thread may be waiting for room
            answers.get_nowait()


def _get(answers: queue.Queue, end: float) -> bytes | int | Exception | None:
    """The next answer, or queue.Empty at ``end``; in short waits, because Windows interrupts no long one."""
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise queue.Empty
        try:
            return answers.get(timeout=min(left, 0.5))
        except queue.Empty:
            continue


def _converse(url: str, method: str, answers: queue.Queue, given_up: threading.Event) -> None:
    """Ask the server; put the promised size, each block, and None or the exception that ended it, into ``answers``."""
    try:
        request = urllib.request.Request(_in_ascii(url), method=method, headers={"User-Agent": USER_AGENT})
        with urllib.request.urlopen(request, timeout=READ_SECONDS) as response:
            length = response.headers.get("Content-Length", "")
            if length.isdecimal() and len(length) < 20 and "Transfer-Encoding" not in response.headers:
                answers.put(int(length))
            while not given_up.is_set() and (block := _read(response)):
                answers.put(block)
        answers.put(None)
    except Exception as error:  # urllib passes on whatever a faulty server makes of its readers
        answers.put(error)


def _read(response: BinaryIO) -> bytes:
    # read1 hands on what has come; with read, a slow download would look like none.
    read = getattr(response, "read1", response.read)
    return read(BLOCK)


def _explained(url: str, error: Exception) -> DownloadError:
    if isinstance(error, HTTPError):
        error.close()
        return DownloadError(f"{shown(url)}: the server answered {error.code} {shown(error.reason, 60)}.", error.code)
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return DownloadError(f"{shown(url)}: no answer in {READ_SECONDS} s.")
    return DownloadError(f"{shown(url)} cannot be reached ({reason_of(error)}).")


def _in_ascii(url: str) -> str:
    """An address as a browser sends it: the host in Punycode, a space or an umlaut elsewhere in per cent."""
    scheme, host, *rest = urllib.parse.urlsplit(url)
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return urllib.parse.quote(urllib.parse.urlunsplit((scheme, host, *rest)), safe=":/?#[]@!$&'()*+,;=%~")
