"""What outsiders send to a server to make it slip: over the wire, to a real one, with the kernel's hold."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clerestory.serve import connection
from tests.serve.running import Running, server

Publish = Callable[..., Any]
SECRET = b"the seed of the year"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    from datetime import date

    from clerestory.release.bundle import commit, stage, switch

    folder = tmp_path_factory.mktemp("attacked")
    files = [
        ("site/index.html", b"<!doctype html>home", "page"),
        ("site/big.csv", b"a,b\n" * (1 << 20), "data"),
    ]
    release = commit(stage(folder / "releases", files, title="t", date=date(2026, 1, 1), tables={}))
    switch(folder / "releases", release.id)
    (folder / "confidential").mkdir()
    (folder / "confidential/seed").write_bytes(SECRET)
    with server(folder) as running:
        # Planted after the release was verified.
        (release.folder / "site/planted.txt").symlink_to(folder / "confidential/seed")
        (release.folder / "site/up").symlink_to(folder)
        yield running
        assert running.fetch().status == 200, "it still serves after all of this"
        assert len(running.workers()) == 2 and not [line for line in running.hear() if "ended" in line]


HEAD = b"Host: x\r\n"
PATHS = [
    b"/../confidential/seed", b"/..%2f..%2fconfidential/seed", b"/%2e%2e/%2e%2e/confidential/seed",
    b"/..%252f..%252fconfidential%252fseed", b"/%c0%ae%c0%ae/confidential/seed", b"/..;/confidential/seed",
    b"/planted.txt", b"/up/confidential/seed", b"/site/../../confidential/seed", b"//confidential/seed",
    b"/\\..\\..\\confidential\\seed", b"/index.html/../../../confidential/seed", b"/%00/confidential/seed",
    b"file:///etc/passwd", b"http://x/../confidential/seed", b"/.%00./confidential/seed", b"/manifest.json",
    b"/proc/self/environ", b"/current/manifest.json", b"/%u002e%u002e/confidential/seed",
    b"/./../confidential/seed",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_address_leads_out(site: Running, path: bytes) -> None:
    answer = site.raw(b"GET " + path + b" HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
    assert answer[9:12] in (b"404", b"400") and SECRET not in answer and b"root:" not in answer


SMUGGLED = b"GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n"
_POST = b"POST /report HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    "length and chunks": _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks": _POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 0\r\nContent-Length: 39\r\n\r\n",
    "two equal lengths": _POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "list of lengths": _POST + b"Content-Length: 0, 39\r\n\r\n",
    "signed length": _POST + b"Content-Length: +39\r\n\r\n",
    "negative length": _POST + b"Content-Length: -1\r\n\r\n",
    "huge length": _POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "hexadecimal length": _POST + b"Content-Length: 0x27\r\n\r\n",
    "space before colon": _POST + b"Content-Length : 39\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folded length": _POST + b"Content-Length:\r\n 39\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "line feed in a header": b"GET / HTTP/1.1\r\nHost: x\nContent-Length: 39\r\n\r\n",
    "carriage return in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rContent-Length: 39\r\n\r\n",
    "null in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "control in a name": b"GET / HTTP/1.1\r\nHost: x\r\nA\x0b: b\r\n\r\n",
    "space at first": b"GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n",
    "unknown coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n",
    "body of a GET": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 39\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "host with a space": b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2 by word": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/2 for real": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "control in the address": b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_two_servers_might_read_in_two_ways_is_refused_and_ends(site: Running, how: str) -> None:
    answer = site.raw(REFUSED[how] + SMUGGLED)
    assert answer[:10] == b"HTTP/1.1 4" and answer.count(b"HTTP/1.1 ") == 1, "what follows is not answered"
    assert b"connection: close" in answer and b"home" not in answer
    assert b"default-src 'none'" in answer


def test_another_protocol_is_not_spoken(site: Running) -> None:
    asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    answer = site.raw(asked + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1 ") == 1
    assert site.raw(b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 405")


def test_only_reading_and_reports_are_answered(site: Running) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST"):
        answer = site.fetch("/", method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_oversize_requests_are_refused(site: Running) -> None:
    for head in (
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: bcd\r\n" * 5_000 + b"\r\n",
        b"GET /" + b"a" * 70_000,
    ):
        assert site.raw(head)[9:12] in (b"431", b"414")
    assert site.fetch("/" + "a" * 3000).status == 414
    assert site.fetch("/report", "POST", b"a" * 9000).status == 413
    assert site.fetch("/", X="a" * 17_000).status == 431


def test_many_requests_at_once_from_one_reader_are_bounded(site: Running) -> None:
    assert site.raw(SMUGGLED * 5000).count(b"HTTP/1.1 429") <= 1


def test_half_a_request_does_not_hold_a_connection(site: Running) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        received = b""
        with_drip = time.monotonic()
        while True:
            slow.settimeout(1)
            try:
                piece = slow.recv(4096)
            except TimeoutError:
                slow.sendall(b"A: b\r\n")  # a drip does not help
                assert time.monotonic() - with_drip < connection.FIRST_BYTES + 5
                continue
            if not piece:
                break
            received += piece
    assert received.startswith(b"HTTP/1.1 408")
    assert connection.FIRST_BYTES - 1 < time.monotonic() - began < connection.FIRST_BYTES + 4


def test_a_reader_who_does_not_read_is_let_go(site: Running) -> None:
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", site.port))
        stuck.sendall(b"GET /big.csv HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(connection.STALLED + 2.5)
        stuck.settimeout(5)
        received = 0
        try:
            while piece := stuck.recv(1 << 20):
                received += len(piece)
        except ConnectionError:
            pass
        assert received < 4 << 20, "it was cut long before the end"


def test_idle_connections_beyond_a_share_are_not_held(site: Running) -> None:
    from clerestory.serve.worker import PER_ADDRESS

    idle = [
        socket.create_connection(("127.0.0.1", site.port), timeout=5) for _ in range(2 * PER_ADDRESS + 20)
    ]
    try:
        time.sleep(0.5)
        closed = 0
        for one in idle:
            one.setblocking(False)
            try:
                closed += one.recv(1) == b""
            except BlockingIOError:
                continue
            except ConnectionError:
                closed += 1
        assert closed >= 20
    finally:
        for one in idle:
            one.close()
    site.until(lambda: site.fetch().status == 200)
