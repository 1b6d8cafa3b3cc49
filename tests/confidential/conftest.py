"""A real PostgreSQL server for the tests that are marked with it; started once, thrown away at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "correct-horse"


@dataclass(frozen=True)
class Server:
    """A server on 127.0.0.1; everybody's password is PASSWORD."""

    port: int

    def url(self, user: str, database: str = "records") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), password=PASSWORD, autocommit=True) as con:
            for statement in statements:
                con.execute(statement)  # type: ignore[arg-type]


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.fail("these tests use a real server: install Debian's postgresql")
    pytest.importorskip("psycopg")
    home = Path(tempfile.mkdtemp(prefix="clerestory-pg-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(home, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = home / "secret"
    secret.write_text(PASSWORD)
    if user:
        shutil.chown(secret, user)
    data = home / "data"

    def call(*words: str) -> None:
        subprocess.run(words, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL)

    call(
        str(programs / "initdb"),
        *("-D", str(data), "-U", "postgres", "--pwfile", str(secret)),
        *("--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
    )
    options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=20"
    call(str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log"), "-o", options, "start")
    try:
        import psycopg

        with psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{port}/postgres", password=PASSWORD, autocommit=True
        ) as con:
            con.execute("CREATE DATABASE records")
        yield Server(port)
    finally:
        call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return PASSWORD
