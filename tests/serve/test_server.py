"""A real server process: its port, its answers over the wire, switches and kills of a builder meanwhile."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped,import-not-found,unused-ignore]
import pytest

from clerestory.errors import InputError, Refused
from clerestory.serve import free_port, listen, serve
from clerestory.serve.page import STALE
from clerestory.serve.state import Links
from tests.serve.running import server

Publish = Callable[..., Any]

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


def test_over_the_wire(publish: Publish, tmp_path: Path, files: dict[str, bytes]) -> None:
    publish()
    with listen("127.0.0.1", 0) as taken:
        busy = taken.getsockname()[1]
        with server(tmp_path, busy) as site:
            assert busy < site.port < busy + 20, "the port was taken, so the next is used"
            assert site.fetch("/").body == files["site/index.html"]
            assert site.fetch("/data/large.csv").body == files["site/data/large.csv"]
            assert (
                site.fetch("/data/large.csv", Range="bytes=10-19").body == files["site/data/large.csv"][10:20]
            )
            assert site.fetch("/data/large.csv", "HEAD").body == b""
            answer = site.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
            assert b"\r\nserver:" not in answer and b"\r\ndate: " in answer
            publish({"site/index.html": b"<!doctype html>new"})
            site.until(lambda: site.fetch("/").body == b"<!doctype html>new", 2)
            assert len(site.workers()) == 2
            for process in (site.process.pid, *site.workers()):
                resident = Path(f"/proc/{process}/status").read_text()
                memory = re.search(r"VmRSS:\s+(\d+) kB", resident)
                assert memory is not None and int(memory[1]) < 80_000
                mapped = Path(f"/proc/{process}/maps").read_text()
                assert "numpy" not in mapped and "scipy" not in mapped and "duckdb" not in mapped


def test_requests_sent_ahead_are_answered_in_order(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        paths = [b"/", b"/nowhere", b"/data/large.csv", b"/assets/site.css"]
        sent = b"".join(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths)
        last = b"GET /es/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        received = site.raw(sent + last)
        assert re.findall(rb"HTTP/1\.1 (\d+)", received) == [b"200", b"404", b"200", b"200", b"200"]
        assert received.endswith(b"<!doctype html><p>Inicio")


def test_builders_killed_at_random_never_disturb_readers(publish: Publish, tmp_path: Path) -> None:
    publish({"site/index.html": b"<!doctype html>0 0"})
    dice = random.Random(11)
    answers = set()
    with server(tmp_path) as site:
        for kill in range(20):
            builder = subprocess.Popen(
                [sys.executable, "-c", BUILD, str(tmp_path), str(kill)], stdout=subprocess.PIPE, text=True
            )
            assert builder.stdout is not None and builder.stdout.readline() == "start\n"
            until = time.monotonic() + 0.05 + dice.random() * 0.2
            while time.monotonic() < until:
                answer = site.fetch()
                assert answer.status == 200 and answer.body.startswith(b"<!doctype html>")
                answers.add(answer.body)
            os.kill(builder.pid, signal.SIGKILL)
            builder.wait()
            builder.stdout.close()
            assert site.fetch().status == 200
            assert site.fetch("/p3.html").status in (200, 404)
    assert len(answers) > 3, "releases were switched while serving"


def test_a_worker_that_dies_is_started_again(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        for _ in range(3):
            before = site.workers()
            os.kill(before[0], signal.SIGKILL)
            site.until(lambda: len(set(site.workers()) - {before[0]}) == 2)  # noqa: B023
            assert site.fetch().status == 200
        assert any("ended and is started again" in line for line in site.hear())


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_the_supervisor(publish: Publish, tmp_path: Path, how: signal.Signals) -> None:
    publish()
    with server(tmp_path) as site:
        workers = site.workers()
        site.process.send_signal(how)
        site.process.wait(10)
        site.until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 3)


def test_a_supervisor_that_hangs_is_not_served_past(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        site.process.send_signal(signal.SIGSTOP)
        try:
            site.until(lambda: site.fetch().status == 503, STALE + 2)
        finally:
            site.process.send_signal(signal.SIGCONT)
        site.until(lambda: site.fetch().status == 200, 2)


def test_a_release_that_is_damaged_at_a_switch_is_not_served(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path) as site:
        other = publish({"site/index.html": b"<!doctype html>other"})
        site.until(lambda: site.fetch().body == b"<!doctype html>other")
        third = publish({"site/index.html": b"<!doctype html>third"})
        site.until(lambda: site.fetch().body == b"<!doctype html>third")
        page = other.folder / "site/es/index.html"
        page.write_bytes(b"changed")
        link = tmp_path / "releases/.next"
        link.symlink_to(other.id)
        link.replace(tmp_path / "releases/current")
        site.until(lambda: site.fetch("/assets/site.css").status == 503)
        assert any(f"{other.id} is not whole" in line for line in site.hear())
        page.write_bytes(b"<!doctype html><p>Inicio")
        site.until(lambda: site.fetch().body == b"<!doctype html>other", 5)
        assert third.id != other.id


def test_without_a_release_the_server_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was published") as refused:
        serve(tmp_path)
    assert refused.value.exit_code == 2


def test_a_damaged_release_is_not_started(publish: Publish, tmp_path: Path) -> None:
    (publish().folder / "site/index.html").write_bytes(b"other")
    with pytest.raises(Refused):
        serve(tmp_path, source=Links(tmp_path / "releases"))


def test_ports(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) < port + 20
        with pytest.raises(InputError, match="free"):
            listen("127.0.0.1", port, tries=1)
    assert free_port("127.0.0.1", port) == port
    with pytest.raises(InputError):
        listen("192.0.2.1", 0)


def test_caches_keep_answers_no_longer_than_the_rules_say(publish: Publish, tmp_path: Path) -> None:
    publish()
    (tmp_path / "cache").write_text("20")
    with server(tmp_path, max_age=30) as site:
        assert site.fetch().headers["cache-control"] == "public, max-age=20"
        (tmp_path / "cache").write_text("40")
        site.until(lambda: site.fetch().headers["cache-control"] == "public, max-age=30")


def test_a_large_page_is_compressed_once_and_beside_other_answers(publish: Publish, tmp_path: Path) -> None:
    page = b"".join(b"<tr><td>%d</td></tr>" % (n * n) for n in range(20_000))
    publish({"site/table.html": page})
    with server(tmp_path, workers=1) as site:
        with ThreadPoolExecutor(8) as readers:
            answers = list(readers.map(lambda _: site.fetch("/table.html", Accept_Encoding="br"), range(8)))
        assert {answer.headers["content-encoding"] for answer in answers} == {"br"}
        assert {brotli.decompress(answer.body) for answer in answers} == {page}
        (tmp_path / "releases/current/site/table.html").write_bytes(b"changed")
        assert site.fetch("/table.html", Accept_Encoding="br").status == 500


def test_unconfined_says_so_and_still_is_not_root(publish: Publish, tmp_path: Path) -> None:
    publish()
    with server(tmp_path, unconfined=True) as site:
        assert any("UNCONFINED" in line for line in site.said)
        assert site.fetch().status == 200
        for worker in site.workers():
            status = Path(f"/proc/{worker}/status").read_text()
            assert not re.search(r"Uid:\s+0\s", status)
