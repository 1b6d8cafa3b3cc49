"""The server against nginx on the same files, and a takedown under load, seen from outside.

    python -m bench.serve [RELEASES] [--seconds 4] [--times 3] [--requests 100000] [--million]

Without RELEASES, the demonstration is built in a temporary folder. Both servers have two workers and write an
access log; wrk asks from the same machine, so that it shares the processors with what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from clerestory.release.bundle import CURRENT, live_id

CONNECTIONS = 16
RATE = 200
"""Requests a second while a release is withdrawn."""

SERVE = """
import sys
from pathlib import Path
from clerestory.serve import serve
from clerestory.serve.confine import obstacle
from clerestory.serve.state import Links, Withdrawn

class Marked:
    def __init__(self, releases, marker):
        self.links, self.marker = Links(releases), marker
    def look(self):
        return Withdrawn(self.marker.read_text(), "today") if self.marker.exists() else self.links.look()

releases, work = Path(sys.argv[1]), Path(sys.argv[2])
serve(
    releases, port=int(sys.argv[3]), workers=2, log=work / "log", source=Marked(releases, work / "withdrawn"),
    unconfined=bool(obstacle()), announce=lambda address, said: print(address, flush=True),
)
"""
NGINX = """
worker_processes 2; pid {work}/nginx.pid; error_log stderr; {user}
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types; sendfile on; tcp_nopush on; keepalive_requests 1000000; etag on;
  access_log {work}/nginx.log; client_body_temp_path {work}/b; proxy_temp_path {work}/p;
  fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 127.0.0.1:{port}; root {site}; index index.html; }}
}}
"""


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


@contextmanager
def clerestory(releases: Path, work: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Our server; its port."""
    words = [sys.executable, "-c", SERVE, str(releases), str(work), str(_port())]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r":(\d+)/", process.stdout.readline())
    assert found is not None, "it did not start"
    try:
        yield int(found[1]), process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        process.stdout.close()


@contextmanager
def nginx(site: Path, work: Path) -> Iterator[int]:
    """nginx on the same files; its port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is not installed"
    port = _port()
    file = work / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    file.write_text(NGINX.format(work=work, port=port, site=site, user=user))
    process = subprocess.Popen([program, "-c", str(file), "-g", "daemon off;"])
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


@dataclass(frozen=True)
class Speed:
    """Requests a second, and the 99th percentile of the time for one, in milliseconds."""

    rate: float
    p99: float


def _wrk(port: int, path: str, seconds: int) -> Speed:
    words = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        f"http://127.0.0.1:{port}{path}",
    ]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate and late, said
    return Speed(float(rate[1]), float(late[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]])


def _memory(process: int) -> int:
    """Bytes of memory of a process's own and its children's."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    total = 0
    for one in (str(process), *children):
        found = re.search(r"Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text())
        total += int(found[1]) << 10 if found else 0
    return total


def against_nginx(releases: Path, seconds: int, times: int, requests: int) -> None:
    """Requests a second of both, in turn, and what becomes of our memory."""
    live = live_id(releases)
    assert live is not None
    site = (releases / live / "site").resolve()
    pages = sorted(site.rglob("index.html"), key=lambda file: file.stat().st_size)
    downloads = sorted(site.rglob("*.csv"), key=lambda file: file.stat().st_size)
    chosen = {"page": pages[len(pages) // 2], "download": downloads[-1]}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        with nginx(site, work) as theirs, clerestory(releases, work) as (ours, process):
            print("| what | bytes | nginx /s | ours /s | share | nginx p99 ms | ours p99 ms |")
            print("| --- | --- | --- | --- | --- | --- | --- |")
            for what, file in chosen.items():
                path = "/" + file.relative_to(site).as_posix()
                found: dict[int, list[Speed]] = {theirs: [], ours: []}
                for port in found:
                    _wrk(port, path, 1)
                for _ in range(times):
                    for port, speeds in found.items():
                        speeds.append(_wrk(port, path, seconds))
                best = {port: max(speeds, key=lambda one: one.rate) for port, speeds in found.items()}
                late = {port: min(one.p99 for one in speeds) for port, speeds in found.items()}
                share = best[ours].rate / best[theirs].rate
                print(
                    f"| {what} | {file.stat().st_size:,} | {best[theirs].rate:,.0f} | {best[ours].rate:,.0f} "
                    f"| {share:.2f} | {late[theirs]:.1f} | {late[ours]:.1f} |",
                    flush=True,
                )
            _flat(process.pid, ours, "/" + chosen["page"].relative_to(site).as_posix(), requests)


def _flat(process: int, port: int, path: str, requests: int) -> None:
    """Memory after each tenth of so many requests."""
    seen = [_memory(process)]
    done = 0.0
    while done < requests:
        part = 0.0
        while part < requests / 10:
            part += _wrk(port, path, 2).rate * 2
        done += part
        seen.append(_memory(process))
    told = ", ".join(f"{size / 1e6:.1f}" for size in seen)
    print(f"\nMemory of all processes over {done:,.0f} requests, MB: {told}", flush=True)


@dataclass
class _Seen:
    """Times, on one clock: answers by status, and of the bytes of downloads."""

    answers: list[tuple[float, int]] = field(default_factory=list)
    bytes_of_200: float = 0.0
    refused: int = 0


async def _ask(port: int, path: str, seen: _Seen, slow: float = 0.0) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=64 << 10)
    except OSError:
        seen.refused += 1
        return
    status = 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n")
        status = int(head.split()[1])
        seen.answers.append((time.monotonic(), status))
        while piece := await reader.read(64 << 10):
            if status < 300 and piece:
                seen.bytes_of_200 = time.monotonic()
            if slow:
                await asyncio.sleep(slow)
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _load(port: int, paths: list[str], large: str, seen: _Seen, until: float) -> None:
    tasks: set[asyncio.Task[None]] = set()
    number = 0
    began = time.monotonic()
    while time.monotonic() < until:
        slow = number % 20 == 0
        tasks.add(
            asyncio.create_task(
                _ask(port, large if slow else paths[number % len(paths)], seen, 0.02 if slow else 0)
            )
        )
        number += 1
        await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
        tasks -= {task for task in tasks if task.done()}
    if tasks:
        await asyncio.wait(tasks, timeout=5)


def takedown(releases: Path) -> None:
    """From the marker to the first 410 and to the last byte of a 200, and the same through a restart."""
    live = live_id(releases)
    assert live is not None
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        copy = work / "releases"
        shutil.copytree(releases / live, copy / live, symlinks=True)
        large, paths = _with_large(copy)
        marker = work / "withdrawn"
        seen = _Seen()
        with clerestory(copy, work) as (port, process):
            asyncio.run(_load(port, paths, large, _Seen(), time.monotonic() + 1))
            withdrawn = asyncio.run(_withdraw(port, paths, large, seen, marker, str(live_id(copy))))
            first = min(when for when, status in seen.answers if status == 410) - withdrawn
            print(
                f"\nTakedown under {RATE} requests a second: first 410 after {first * 1000:.0f} ms, ", end=""
            )
            print(f"last byte of a 200 after {(seen.bytes_of_200 - withdrawn) * 1000:.0f} ms", flush=True)
            process.kill()
            process.wait()
        after = _Seen()
        began = time.monotonic()
        with clerestory(copy, work) as (port, _):
            asyncio.run(_load(port, paths, large, after, time.monotonic() + 1))
        statuses = sorted({status for _, status in after.answers})
        first = after.answers[0][0] - began
        print(
            f"Killed and started again: statuses {sorted(statuses)}, "
            f"first answer {first:.2f} s after the start"
        )


def _with_large(copy: Path) -> tuple[str, list[str]]:
    """Adds a download of 32 MB to a copy of a release, as one of its own; addresses to ask for."""
    from datetime import date

    from clerestory.release.bundle import commit, stage, switch

    (source,) = (folder for folder in copy.iterdir() if not folder.is_symlink())
    entries = json.loads((source / "manifest.json").read_bytes())["files"]
    kept = [entry["path"] for entry in entries if entry["path"].startswith("site/")][:200]
    files = [(path, (source / path).read_bytes(), "page") for path in kept]
    files.append(("site/large.bin", os.urandom(32 << 20), "data"))
    staged = stage(copy, files, title="bench", date=date(2026, 1, 1), tables={})
    switch(copy, commit(staged).id)
    return "/large.bin", ["/" + path.removeprefix("site/") for path in kept]


async def _withdraw(
    port: int, paths: list[str], large: str, seen: _Seen, marker: Path, release: str
) -> float:
    load = asyncio.create_task(_load(port, paths, large, seen, time.monotonic() + 5))
    await asyncio.sleep(2)
    making = marker.with_name("withdrawn.new")
    making.write_text(release)
    making.rename(marker)
    withdrawn = time.monotonic()
    await load
    return withdrawn


def main(words: list[str] | None = None) -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("releases", nargs="?", type=Path)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--million", action="store_true")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as temporary:
        releases = given.releases
        if releases is None:
            from clerestory.api.demo import demo

            demo(Path(temporary) / "demo")
            releases = Path(temporary) / "demo" / "releases"
        elif not (releases / CURRENT).is_symlink():
            releases /= "releases"
        against_nginx(releases, given.seconds, given.times, 1_000_000 if given.million else given.requests)
        takedown(releases)


if __name__ == "__main__":
    main()
