"""Releases to serve, and the application called as a server calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from clerestory.release.bundle import commit, stage, switch
from clerestory.release.verify import Release
from clerestory.serve import App

FILES = {
    "site/index.html": b"<!doctype html><p>Home " + b"of numbers " * 200,
    "site/es/index.html": b"<!doctype html><p>Inicio",
    "site/404.html": b"<!doctype html><p>Not found",
    "site/es/404.html": b"<!doctype html><p>No existe",
    "site/firearms/ccw/index.html": b"<!doctype html><p>CCW",
    "site/assets/site.css": b"body { margin: 0 }\n",
    "site/data/ccw.csv": b"county,value\n" + b"kern,10\n" * 1_000,
    "site/data/large.csv": bytes(range(256)) * 8_192,
    "proof/proof.json": b"{}",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Ask = Callable[..., Answer]


def ask(app: App, path: str | bytes, method: str = "GET", *, query: bytes = b"", **headers: str) -> Answer:
    """One request, with the raw path exactly as given, as an HTTP server would hand it on."""
    raw = path if isinstance(path, bytes) else path.encode()
    scope = {
        "type": "http",
        "method": method,
        "path": raw.decode("latin-1"),
        "raw_path": raw,
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    start, *bodies = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}  # type: ignore[attr-defined]
    assert len(found) == len(start["headers"]), "no header stands twice"  # type: ignore[arg-type]
    return Answer(int(str(start["status"])), found, b"".join(bytes(m["body"]) for m in bodies))  # type: ignore[call-overload]


Publish = Callable[..., Release]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Publishes files over the usual ones, and makes them live."""

    def make(changed: dict[str, bytes] | None = None) -> Release:
        releases = tmp_path / "releases"
        files = [(path, content, "page") for path, content in (FILES | (changed or {})).items()]
        release = commit(stage(releases, files, title="t", date=date(2026, 1, 1), tables={}))
        switch(releases, release.id)
        return release

    return make


@pytest.fixture
def app(publish: Publish, tmp_path: Path) -> App:
    """The application on a published release."""
    publish()
    return App(tmp_path / "releases")


@pytest.fixture
def get(app: App) -> Ask:
    """Asks the application."""
    return lambda *args, **headers: ask(app, *args, **headers)


@pytest.fixture
def files() -> dict[str, bytes]:
    """What is published."""
    return FILES


@pytest.fixture(name="ask")
def asking() -> Ask:
    """Asks any application."""
    return ask
