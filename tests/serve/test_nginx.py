"""The configuration for nginx, run by a real nginx in front of a real server."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clerestory.errors import InputError
from clerestory.serve import free_port
from clerestory.serve.nginx import configuration
from tests.requirements import nginx as program
from tests.serve.running import server

Publish = Callable[..., Any]


@contextmanager
def nginx(folder: Path, behind: int) -> Iterator[int]:
    """nginx in front of a port; its own."""
    port = free_port("127.0.0.1", 18_300)
    work = folder / "nginx"
    work.mkdir()
    file = work / "nginx.conf"
    said = configuration(behind, max_age=60, listen=f"127.0.0.1:{port}", folder=str(work))
    # As nobody, it could not enter a folder that only its starter can.
    file.write_text(("user root;\n" if os.getuid() == 0 else "") + said)
    tested = subprocess.run([program(), "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert tested.returncode == 0 and "warn" not in tested.stderr, tested.stderr
    process = subprocess.Popen([program(), "-c", str(file), "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def fetch(port: int, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


def test_a_takedown_reaches_readers_of_the_proxy_in_time(publish: Publish, tmp_path: Path) -> None:
    release = publish({"site/data/huge.csv": os.urandom(1 << 20) * 32})
    with server(tmp_path, addresses="full", proxy="127.0.0.1") as site, nginx(tmp_path, site.port) as port:
        status, _, headers = fetch(port, "/", Accept_Encoding="br")
        assert status == 200 and headers["content-encoding"] == "br"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "public, max-age=60"
        assert fetch(port, "/data/ccw.csv", Range="bytes=0-5")[:2] == (206, b"county")
        assert fetch(port, "/../confidential/log")[0] in (400, 404)
        got: list[float] = []

        def download() -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as reader:
                reader.sendall(b"GET /data/huge.csv HTTP/1.0\r\nHost: x\r\n\r\n")
                total = 0
                try:
                    while piece := reader.recv(64 << 10):
                        total += len(piece)
                        got.append(time.monotonic())
                        time.sleep(0.03)
                except OSError:
                    pass
                sizes.append(total)

        sizes: list[int] = []
        reader = threading.Thread(target=download)
        reader.start()
        time.sleep(0.3)
        withdrawn = time.monotonic()
        site.withdraw(release.id)
        while fetch(port, "/", Accept_Encoding="br")[0] != 410:
            assert time.monotonic() - withdrawn < 2.2, "the server's second and the cache's"
            time.sleep(0.02)
        reader.join(10)
        # What nginx's and the reader's kernel held already is out of reach: a few megabytes on one machine.
        assert sizes[0] < 32 << 20
        assert fetch(port, "/data/ccw.csv")[0] == 410
        site.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(1.2)
            assert fetch(port, "/nowhere/new")[0] in (410, 502, 503, 504), "nothing stale is sent"
        finally:
            site.process.send_signal(signal.SIGCONT)
    logged = (tmp_path / "confidential/log").glob("access-*.ndjson")
    assert '"address":"127.0.0.1"' in next(logged).read_text()


def test_it_needs_a_port_and_keeps_nothing_longer_than_the_server_allows() -> None:
    with pytest.raises(InputError):
        configuration(0, max_age=60)
    assert "proxy_cache_valid 200 308 1s;" in configuration(8000, max_age=60)
    assert "proxy_cache_valid 200 308 0s;" in configuration(8000, max_age=0)
