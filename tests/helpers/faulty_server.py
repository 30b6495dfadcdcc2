"""A web server on this computer that answers as badly as it is told to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket, str], None]


def plain(*pieces: bytes, pause: float = 0.0) -> Answer:
    """Send these bytes, with a pause after each piece, and hang up."""

    def answer(connection: socket.socket, _: str) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def endless(head: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def silent(connection: socket.socket, _: str) -> None:
    connection.recv(1)  # until the other side hangs up


def slow_redirect(connection: socket.socket, path: str) -> None:
    time.sleep(0.4)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % (int(path.strip("/")) + 1))


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body])


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Give every request this answer; yields the server's address, which ends in a number that redirects count."""
    listener = socket.create_server(("127.0.0.1", 0))

    def speak(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(30)
            request = connection.recv(2**16)
            answer(connection, request.split()[1].decode())

    def serve() -> None:
        with suppress(OSError):  # closed at the end of the test
            while True:
                threading.Thread(target=speak, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/1"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
