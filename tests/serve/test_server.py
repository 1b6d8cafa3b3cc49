"""A real server process: its port, its answers over the wire, switches and kills of a builder meanwhile."""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clerestory.errors import InputError, Refused
from clerestory.serve import free_port, listen, serve

Publish = Callable[..., Any]

SERVE = """
import sys
from pathlib import Path
from clerestory.serve import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), announce=lambda address, _: print(address, flush=True))
"""

BUILD = """
import sys
from datetime import date
from pathlib import Path
from clerestory.release.bundle import commit, stage, switch
from clerestory.release.lock import lock
project, number = Path(sys.argv[1]), 0
print("start", flush=True)
while True:
    number += 1
    files = [(f"site/p{n}.html", f"{number}".encode() * 900, "page") for n in range(30)]
    files.append(("site/index.html", f"<!doctype html>{sys.argv[2]} {number}".encode(), "page"))
    with lock(project / "confidential") as held:
        staged = stage(project / "releases", files, title="t", date=date(2026, 1, 1), tables={}, held=held)
        switch(project / "releases", commit(staged).id)
"""


@contextmanager
def server(folder: Path, port: int) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", process.stdout.readline())
        assert address is not None
        yield int(address[1]), process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def fetch(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


def test_over_the_wire(publish: Publish, tmp_path: Path, files: dict[str, bytes]) -> None:
    publish()
    with listen("127.0.0.1", 0) as taken:
        busy = taken.getsockname()[1]
        with server(tmp_path, busy) as (port, process):
            assert busy < port < busy + 20, "the port was taken, so the next is used"
            assert fetch(port, "/") == (200, files["site/index.html"])
            assert fetch(port, "/data/large.csv") == (200, files["site/data/large.csv"])
            assert fetch(port, "/../manifest.json")[0] == 404
            assert fetch(port, "/%2e%2e/manifest.json")[0] == 404
            assert raw(port, b"GET /%7a%7a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(
                b"HTTP/1.1 404"
            )
            assert b" 400 " in raw(port, b"nonsense\r\n\r\n")[:30]
            huge = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"a" * 70_000 + b"\r\n\r\n"
            assert raw(port, huge)[9:12] in (b"400", b"431")
            answer = raw(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
            assert b"\r\nserver:" not in answer
            publish({"site/index.html": b"<!doctype html>new"})
            assert fetch(port, "/") == (200, b"<!doctype html>new")
            resident = Path(f"/proc/{process.pid}/status").read_text()
            memory = re.search(r"VmRSS:\s+(\d+) kB", resident)
            assert memory is not None and int(memory[1]) < 80_000
            mapped = Path(f"/proc/{process.pid}/maps").read_text()
            assert "numpy" not in mapped and "scipy" not in mapped and "duckdb" not in mapped


def test_builders_killed_at_random_never_disturb_readers(publish: Publish, tmp_path: Path) -> None:
    publish({"site/index.html": b"<!doctype html>0 0"})
    dice = random.Random(11)
    answers = set()
    with server(tmp_path, 0) as (port, _):
        for kill in range(20):
            builder = subprocess.Popen(
                [sys.executable, "-c", BUILD, str(tmp_path), str(kill)], stdout=subprocess.PIPE, text=True
            )
            assert builder.stdout is not None and builder.stdout.readline() == "start\n"
            until = time.monotonic() + 0.05 + dice.random() * 0.2
            while time.monotonic() < until:
                status, body = fetch(port, "/")
                assert status == 200 and body.startswith(b"<!doctype html>")
                answers.add(body)
            os.kill(builder.pid, signal.SIGKILL)
            builder.wait()
            builder.stdout.close()
            assert fetch(port, "/")[0] == 200
            assert fetch(port, "/p3.html")[0] in (200, 404)
    assert len(answers) > 3, "releases were switched while serving"


def test_without_a_release_the_server_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no live release") as refused:
        serve(tmp_path)
    assert refused.value.exit_code == 2


def test_a_damaged_release_is_not_started(publish: Publish, tmp_path: Path) -> None:
    (publish().folder / "site/index.html").write_bytes(b"other")
    with pytest.raises(Refused):
        serve(tmp_path)


def test_ports(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 20
        with pytest.raises(InputError, match="free"):
            listen("127.0.0.1", port, tries=1)
    assert free_port("127.0.0.1", port) == port
    with pytest.raises(InputError):
        listen("192.0.2.1", 0)
