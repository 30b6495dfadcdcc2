"""Downloads: whole and within their deadline, or one sentence, whatever the server does."""

import hashlib
import os
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from faulty_server import endless, ok, plain, served, silent, slow_redirect

from course_utils import ImageError, download, images, open_image
from course_utils.download import DownloadError, read_url, server_answers
from course_utils.files import file_digest

BODY = bytes(range(256)) * 500
CHUNKED = b"Transfer-Encoding: chunked"

NEVER_END = {
    "silent": silent,
    "silent after the header": plain(ok(b"", b"Content-Length: 9"), pause=20),
    "drips a header": endless(b"HTTP/1.1 200 OK\r\n", b"X", pause=0.02),
    "drips header lines": endless(b"HTTP/1.1 200 OK\r\n", b"a", pause=0.02),
    "drips the body": endless(ok(b"", b"Content-Length: 1000000"), b"x", pause=0.02),
    "drips a chunk's length": endless(ok(b"", CHUNKED), b"0", pause=0.02),
    "redirects slowly": slow_redirect,
}
NEVER_END_BUT_FAST = {
    "no length": endless(ok(b""), b"x" * 10_000),
    "chunks": endless(ok(b"", CHUNKED), b"2000\r\n" + b"x" * 0x2000 + b"\r\n"),
}
FAULTY = {
    "hangs up at once": plain(b""),
    "no HTTP": plain(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "HTTP 0.9": plain(b"<html>an answer without a header"),
    "an impossible status": plain(b"HTTP/1.1 twohundred OK\r\n\r\n"),
    "200 header lines": plain(ok(b"", *[b"X-%d: y" % i for i in range(200)])),
    "a header line without an end": plain(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000),
    "less than was promised": plain(ok(BODY, b"Content-Length: %d" % (len(BODY) + 1))),
    "chunks that break off": plain(ok(b"10\r\nabc", CHUNKED)),
    "a chunk without a length": plain(ok(b"zz\r\nabc\r\n", CHUNKED)),
    "a negative chunk": plain(ok(b"-5\r\nabc\r\n0\r\n\r\n", CHUNKED)),
    "redirects to itself": plain(b"HTTP/1.1 302 Found\r\nLocation: /1\r\nContent-Length: 0\r\n\r\n"),
    "redirects to a file": plain(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"),
    "refuses in 5000 letters": plain(b"HTTP/1.1 404 " + b"Never heard of it " * 300 + b"\r\n\r\n"),
    "refuses with control characters": plain(b"HTTP/1.1 404 \x1b[31mred\x07\x85\r\n\r\n"),
}


def is_one_sentence(error: Exception) -> bool:
    return str(error).endswith(".") and str(error).isprintable() and len(str(error)) < 400


def test_a_file_arrives_whole(tmp_path):
    path = tmp_path / "new folder" / "weights.pth"
    with served(plain(ok(BODY[:100], b"Content-Length: %d" % len(BODY)), BODY[100:], pause=0.05)) as url:
        download.download(url, path, deadline=10, sha256_prefix=hashlib.sha256(BODY).hexdigest()[:8].upper())
        assert read_url(url, deadline=10, most_bytes=10**6) == BODY
    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("length", [b"many", b"-5", b"9" * 30, b""])
def test_a_length_that_is_none_is_not_believed(length):
    with served(plain(ok(BODY, b"Content-Length: " + length))) as url:
        assert read_url(url, deadline=10, most_bytes=10**6) == BODY


@pytest.mark.parametrize("answer", NEVER_END.values(), ids=NEVER_END)
def test_what_never_ends_stops_at_the_deadline_and_says_so(answer, tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"as it was")
    began = time.monotonic()
    with served(answer) as url, pytest.raises(DownloadError, match="did not arrive within 0.7 s") as caught:
        download.download(url, path, deadline=0.7)
    assert time.monotonic() - began < 5
    assert is_one_sentence(caught.value)
    assert path.read_bytes() == b"as it was" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("answer", NEVER_END_BUT_FAST.values(), ids=NEVER_END_BUT_FAST)
def test_an_endless_body_stops_at_the_size_that_was_expected(answer, tmp_path):
    with served(answer) as url:
        with pytest.raises(DownloadError, match="more than the 100,000 bytes") as caught:
            download.download(url, tmp_path / "weights.pth", deadline=30, most_bytes=100_000)
        assert len(read_url(url, deadline=30, most_bytes=100_000)) == 100_001
    assert is_one_sentence(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("answer", FAULTY.values(), ids=FAULTY)
def test_a_faulty_server_is_one_sentence(answer, tmp_path):
    with served(answer) as url:
        with pytest.raises(DownloadError) as caught:
            download.download(url, tmp_path / "weights.pth", deadline=10)
        with pytest.raises(ImageError) as of_picture:
            open_image(url)
    assert is_one_sentence(caught.value) and url in str(caught.value)
    assert is_one_sentence(of_picture.value) and "check the address" in str(of_picture.value)
    assert not list(tmp_path.iterdir())


def test_the_deadline_of_a_picture_is_in_its_sentence(monkeypatch):
    monkeypatch.setattr(images, "DOWNLOAD_SECONDS", 0.3)
    with served(silent) as url, pytest.raises(ImageError, match="did not arrive within 0.3 s .*give its path"):
        open_image(url)


def test_a_silent_server_is_left_before_the_deadline(monkeypatch):
    monkeypatch.setattr(download, "READ_SECONDS", 0.3)
    with served(silent) as url, pytest.raises(DownloadError, match="no answer in 0.3 s"):
        read_url(url, deadline=30, most_bytes=10)


def test_looking_up_a_host_ends_at_the_deadline_too(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(20))
    began = time.monotonic()
    with pytest.raises(DownloadError, match="did not arrive within 0.3 s"):
        read_url("http://pictures.example/a.png", deadline=0.3, most_bytes=10)
    assert time.monotonic() - began < 5


def test_a_host_with_an_umlaut_is_asked_for_in_ascii(monkeypatch):
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **options: asked.append(host) or [])
    with pytest.raises(DownloadError):
        read_url("http://bücher.example:80/ä ö.png", deadline=5, most_bytes=10)
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a:port/b", "http://\ud800/", "http://a" + "\n" * 9000])
def test_an_address_that_is_none(url):
    with pytest.raises(ImageError) as caught:
        open_image(url)
    assert is_one_sentence(caught.value)


def test_a_proxy_whose_port_is_a_word_is_one_sentence(monkeypatch):
    monkeypatch.setattr(urllib.request, "_opener", None)  # urllib looks at the variable once in a process
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:port")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(DownloadError, match="nonnumeric port") as caught:
        read_url("http://pictures.example/a.png", deadline=5, most_bytes=10)
    assert is_one_sentence(caught.value)
    assert not server_answers("http://pictures.example", deadline=5)


def test_another_file_than_the_one_asked_for_is_thrown_away(tmp_path):
    with served(plain(ok(BODY))) as url, pytest.raises(DownloadError, match="arrived damaged"):
        download.download(url, tmp_path / "weights.pth", deadline=10, sha256_prefix="00000000")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_error_of_the_disk_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with served(plain(ok(BODY))) as url, pytest.raises(OSError, match="No space left"):
        download.download(url, tmp_path / "weights.pth", deadline=10)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_download_left_is_removed_and_a_running_one_is_not(tmp_path):
    dead, alive, other = (tmp_path / name for name in ("[a].pth.x.partial", "[a].pth.y.partial", "b.pth.z.partial"))
    for leftover in (dead, alive, other):
        leftover.touch()
    for leftover in (dead, other):
        os.utime(leftover, (time.time() - 3600, time.time() - 3600))
    with served(plain(ok(BODY))) as url:
        download.download(url, tmp_path / "[a].pth", deadline=10)
    assert {path.name for path in tmp_path.iterdir()} == {"[a].pth", alive.name, other.name}


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(BODY)
    assert file_digest(tmp_path / "a") == hashlib.sha256(BODY).hexdigest()
    assert file_digest(tmp_path / "a", "md5") == hashlib.md5(BODY).hexdigest()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_neither_a_fifo_nor_an_endless_device_is_hashed(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    for path in (tmp_path / "fifo", tmp_path / "device", tmp_path, Path("/dev/null")):
        with pytest.raises(OSError):
            file_digest(path)


def test_a_server_that_refuses_is_there_and_a_silent_one_is_not():
    with served(plain(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as url:
        assert server_answers(url, deadline=5)
    with served(plain(ok(b"", b"Content-Length: 5"))) as url:
        assert server_answers(url, deadline=5)
    with served(silent) as url:
        assert not server_answers(url, deadline=0.3)
    assert not server_answers(url, deadline=5)  # gone
