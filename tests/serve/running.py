"""A real server in a process of its own, told what is live by a file, and seen from outside."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clerestory.serve.confine import obstacle

UNCONFINED = bool(obstacle())
"""Where the kernel cannot hold workers, the server is tested without; what holds them is tested elsewhere."""

SERVE = """
import json, sys
from pathlib import Path
from clerestory.serve import serve
from clerestory.serve.addresses import Addresses
from clerestory.serve.state import Links, Live, Withdrawn

class Marked:
    # The link decides, and a marker beside it withdraws: the release, and since when
    def __init__(self, releases):
        self.links = Links(releases)
        self.marker, self.old = releases.parent / "withdrawn", releases.parent / "old"
        self.cache = releases.parent / "cache"
    def look(self):
        if self.marker.exists():
            return Withdrawn(*self.marker.read_text().split(" ", 1))
        found = self.links.look()
        if isinstance(found, Live):
            old = frozenset(self.old.read_text().split()) if self.old.exists() else frozenset()
            cache = int(self.cache.read_text() or 0) if self.cache.exists() else found.cache
            return Live(found.folder, found.release, cache=cache, withdrawn=old)
        return found

options = json.loads(sys.argv[3])
options["addresses"] = Addresses(options.get("addresses", "hashed"))
if "log" in options:
    options["log"] = Path(options["log"])
folder = Path(sys.argv[1])
serve(
    folder, port=int(sys.argv[2]), source=Marked(folder / "releases"), **options,
    announce=lambda address, said: print(address, flush=True),
    say=lambda words: print("#", words, flush=True),
)
"""


class Running:
    """A server that runs. said: what it told its operator so far."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder
        self.said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", line)
            if found:
                self.port = int(found[1])
                break
            self.said.append(line)
        else:
            raise AssertionError(f"it did not start: {self.said}")
        os.set_blocking(process.stdout.fileno(), False)

    def workers(self) -> list[int]:
        """Process numbers of the workers: children that listen."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if _accepts(int(child))]

    def hear(self) -> list[str]:
        """What it said since."""
        assert self.process.stdout is not None
        self.said += self.process.stdout.readlines()
        return self.said

    def withdraw(self, release: str) -> None:
        making = self.folder / "withdrawn.new"
        making.write_text(f"{release} 25 November 2026, 12:00 UTC")
        making.rename(self.folder / "withdrawn")

    def restore(self) -> None:
        (self.folder / "withdrawn").unlink()

    def fetch(
        self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Fetched:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            return Fetched(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()

    def raw(self, request: bytes, *, seconds: float = 5) -> bytes:
        """Sends bytes and takes all that comes until the server ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(request)
            received = b""
            while piece := connection.recv(65_536):
                received += piece
            return received

    def until(self, holds: Callable[[], bool], seconds: float = 5) -> float:
        """Waits until something holds; the seconds it took. A reader who is cut off asks again."""
        began = time.monotonic()

        def held() -> bool:
            try:
                return holds()
            except ConnectionError:
                return False

        while not held():
            assert time.monotonic() - began < seconds, f"not within {seconds} s; it said {self.hear()}"
            time.sleep(0.01)
        return time.monotonic() - began


class Fetched:
    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers


def _accepts(process: int) -> bool:
    try:
        return any("socket:" in str(fd.readlink()) for fd in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return False


@contextmanager
def server(folder: Path, port: int = 0, **options: object) -> Iterator[Running]:
    """A server of a project folder until the block ends. options: those of serve()."""
    given = {"unconfined": UNCONFINED, "workers": 2, **options}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder), str(port), json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield Running(process, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
