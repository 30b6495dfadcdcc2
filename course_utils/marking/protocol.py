"""Messages between processes that do not trust each other: JSON with a few blobs of bytes behind it, never pickle.

A frame is four bytes with the length of the JSON, four with the number of blobs, eight with the length of each blob,
the JSON, the blobs. Whatever arrives is bounded before it is read.
"""

import json
import select
import socket
import struct
from collections.abc import Sequence
from time import monotonic
from typing import TypeAlias

Blob: TypeAlias = bytes | bytearray | memoryview

MOST_JSON = 32 * 2**20
MOST_BLOBS = 50_000
MOST_BYTES = 2**30  # in all blobs of a message: 250 million numbers of a network


class ProtocolError(Exception):
    """The other side sent what is no message, or too much."""


class Closed(Exception):
    """The other side is gone."""


class Overdue(Exception):
    """No complete message within the time."""


class Channel:
    """One end of a stream socket. Not for two threads at once."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self) -> None:
        self.sock.close()

    def send(self, message: object, blobs: Sequence[Blob] = (), seconds: float | None = None) -> None:
        """Send one message. Raises Closed or Overdue."""
        text = json.dumps(message, ensure_ascii=True, allow_nan=True).encode("ascii")
        head = struct.pack(f">II{len(blobs)}Q", len(text), len(blobs), *(memoryview(blob).nbytes for blob in blobs))
        deadline = None if seconds is None else monotonic() + seconds
        for part in (head + text, *blobs):
            view = memoryview(part).cast("B") if memoryview(part).nbytes else memoryview(b"")
            while view:
                try:
                    sent = self.sock.send(view)
                except BlockingIOError:
                    self._wait(deadline, writing=True)
                except (BrokenPipeError, ConnectionError, OSError):
                    raise Closed from None
                else:
                    view = view[sent:]

    def receive(self, seconds: float | None = None) -> tuple[object, list[bytearray]]:
        """Return the next message. Raises Closed, Overdue or ProtocolError."""
        deadline = None if seconds is None else monotonic() + seconds
        length, count = struct.unpack(">II", self._read(8, deadline))
        if length > MOST_JSON or count > MOST_BLOBS:
            raise ProtocolError("a message is too large")
        sizes = struct.unpack(f">{count}Q", self._read(8 * count, deadline))
        if sum(sizes) > MOST_BYTES:
            raise ProtocolError("a message is too large")
        text = self._read(length, deadline)
        blobs = [self._read(size, deadline) for size in sizes]
        try:
            return json.loads(text), blobs
        except (ValueError, RecursionError, MemoryError) as error:
            raise ProtocolError(f"a message is not JSON ({type(error).__name__})") from None

    def _read(self, size: int, deadline: float | None) -> bytearray:
        # Grows as bytes arrive: who announces a gigabyte has to send one before we set it aside.
        found = bytearray()
        while len(found) < size:
            try:
                piece = self.sock.recv(min(size - len(found), 2**20))
            except BlockingIOError:
                self._wait(deadline, writing=False)
                continue
            except OSError:
                raise Closed from None
            if not piece:
                raise Closed
            found += piece
        return found

    def _wait(self, deadline: float | None, writing: bool) -> None:
        left = None if deadline is None else deadline - monotonic()
        if (left is not None and left <= 0) or not self._ready(select.POLLOUT if writing else select.POLLIN, left):
            raise Overdue

    def has_message(self, seconds: float | None) -> bool:
        """Wait until something arrives, or the other side closes; return False when the time is over."""
        return self._ready(select.POLLIN, seconds)

    def _ready(self, event: int, seconds: float | None) -> bool:
        poll = select.poll()  # select() knows no descriptor above 1023
        poll.register(self.sock, event)
        return bool(poll.poll(None if seconds is None else max(0, seconds * 1000)))
