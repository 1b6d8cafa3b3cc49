"""Seen from outside: a withdrawal reaches every reader within a second, and cuts what is under way."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serve.running import server

Publish = Callable[..., Any]
LARGE = os.urandom(1 << 20) * 48
SECOND = 1.0


def slowly(port: int, path: str, last: list[float], sizes: list[int]) -> None:
    """Downloads at about 2 MB a second; says when the last byte came, and how many did."""
    got = 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            while piece := connection.recv(64 << 10):
                got += len(piece)
                last.append(time.monotonic())
                time.sleep(0.03)
    sizes.append(got)


def test_new_requests_get_410_and_running_downloads_are_cut(publish: Publish, tmp_path: Path) -> None:
    release = publish({"site/data/huge.csv": LARGE, "site/data/kept.csv": LARGE[: 900 << 10]})
    with server(tmp_path) as site:
        last: list[float] = []
        sizes: list[int] = []
        paths = ["/data/huge.csv"] * 3 + ["/data/kept.csv"] * 3
        readers = [threading.Thread(target=slowly, args=(site.port, path, last, sizes)) for path in paths]
        for reader in readers:
            reader.start()
        time.sleep(0.25)
        withdrawn = time.monotonic()
        site.withdraw(release.id)
        took = site.until(lambda: site.fetch().status == 410, SECOND)
        for reader in readers:
            reader.join(5)
        assert took < SECOND and max(last) - withdrawn < SECOND
        assert max(sizes) < len(LARGE), "none of the large ones came whole"
        for path in ("/", "/data/ccw.csv", "/nowhere", "/data/huge.csv", "/firearms/ccw"):
            answer = site.fetch(path)
            assert answer.status == 410 and answer.headers["cache-control"] == "no-store"
            page = answer.body.decode()
            assert "25 November 2026, 12:00 UTC" in page and "withdrawn" in page and "retirado" in page
            assert "<script" not in page and "http" not in page
        assert site.fetch("/", if_none_match="*").status == 410
        assert site.fetch("/data/ccw.csv", range="bytes=0-1").status == 410
        assert site.fetch("/", "HEAD").status == 410
        assert site.fetch("/report").status == 200, "the form stays"


def test_a_withdrawal_holds_through_restarts_and_deaths(publish: Publish, tmp_path: Path) -> None:
    release = publish()
    with server(tmp_path) as site:
        site.withdraw(release.id)
        site.until(lambda: site.fetch().status == 410, SECOND)
        for worker in site.workers():
            os.kill(worker, signal.SIGKILL)
        site.until(lambda: len(site.workers()) == 2)
        assert site.fetch().status == 410
    with server(tmp_path) as site:
        assert site.fetch().status == 410, "a server that starts later obeys"
        site.restore()
        site.until(lambda: site.fetch().status == 200, 2)


def test_a_withdrawn_release_is_cut_even_when_another_is_live_at_once(
    publish: Publish, tmp_path: Path
) -> None:
    old = publish({"site/data/huge.csv": LARGE})
    with server(tmp_path) as site:
        last: list[float] = []
        sizes: list[int] = []
        reader = threading.Thread(target=slowly, args=(site.port, "/data/huge.csv", last, sizes))
        reader.start()
        time.sleep(0.2)
        (tmp_path / "old").write_text(old.id)
        publish({"site/index.html": b"<!doctype html>new"})
        switched = time.monotonic()
        site.until(lambda: site.fetch().body == b"<!doctype html>new", 3)
        reader.join(5)
        assert max(last) - switched < SECOND and sizes[0] < len(LARGE)


def test_downloads_of_an_earlier_release_go_on_at_a_switch(publish: Publish, tmp_path: Path) -> None:
    publish({"site/data/huge.csv": LARGE[: 8 << 20]})
    with server(tmp_path) as site:
        sizes: list[int] = []
        reader = threading.Thread(target=slowly, args=(site.port, "/data/huge.csv", [], sizes))
        reader.start()
        time.sleep(0.2)
        publish({"site/index.html": b"<!doctype html>new"})
        reader.join(20)
        assert sizes[0] > 8 << 20


@pytest.mark.parametrize("release", ["r-0123456789ab"])
def test_a_withdrawal_answers_even_where_no_release_is_whole(
    publish: Publish, tmp_path: Path, release: str
) -> None:
    (publish().folder / "site/index.html").write_bytes(b"damaged")
    (tmp_path / "withdrawn").write_text(f"{release} today")
    with server(tmp_path) as site:
        assert site.fetch().status == 410
        assert re.search("on today", site.fetch().body.decode())
