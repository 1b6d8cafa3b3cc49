"""Releases to serve, and the site asked as a worker asks it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from clerestory.release.bundle import commit, stage, switch
from clerestory.release.verify import Release
from clerestory.serve import Request, Site
from clerestory.serve.answer import Large
from clerestory.serve.contents import Damaged, Later
from clerestory.serve.page import NOTHING, View
from clerestory.serve.state import Links, Live, Nothing, Withdrawn

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


class Served:
    """The site of a folder of releases, following its link `current` as a server does."""

    def __init__(self, releases: Path, *, memory: int = 64 << 20) -> None:
        self.site = Site(releases, memory=memory)
        self.source = Links(releases)

    def view(self) -> View:
        match self.source.look():
            case Live(release=release):
                return View(release=release, live=True, max_age=60)
            case Withdrawn(release, since):
                return View(release=release, gone=True, since=since)
            case Nothing():
                return NOTHING


Ask = Callable[..., Answer]


def ask(app: Served, path: str | bytes, method: str = "GET", *, query: bytes = b"", **headers: str) -> Answer:
    """One request, with the raw target exactly as given, and what goes over the wire for it."""
    target = (path if isinstance(path, bytes) else path.encode()) + (b"?" + query if query else b"")
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request(method, target, named)
    while True:
        try:
            answer = app.site.answer(request, app.view())
            body = answer.body
            if isinstance(body, Large):
                with app.site.contents.large(body.served) as descriptor:
                    body = os.pread(descriptor, body.size, body.first)
            break
        except Later as later:
            try:
                later.work()
            except Damaged:
                answer = app.site.damaged()
                body = answer.body
                break
        except Damaged:
            answer = app.site.damaged()
            body = answer.body
            break
    status, *lines, end, rest = answer.head().split(b"\r\n")
    assert (end, rest) == (b"", b"") and isinstance(body, bytes)
    found = dict(line.decode().split(": ", 1) for line in lines)
    assert len(found) == len(lines), "no header stands twice"
    assert int(status.split()[1]) == answer.status
    return Answer(answer.status, found, b"" if method == "HEAD" else body)


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
def app(publish: Publish, tmp_path: Path) -> Served:
    """The site of a published release."""
    publish()
    return Served(tmp_path / "releases")


@pytest.fixture
def get(app: Served) -> Ask:
    """Asks the site."""
    return lambda *args, **headers: ask(app, *args, **headers)


@pytest.fixture
def files() -> dict[str, bytes]:
    """What is published."""
    return FILES


@pytest.fixture
def served() -> Callable[..., Served]:
    """The site of any folder of releases."""
    return Served


@pytest.fixture(name="ask")
def asking() -> Ask:
    """Asks any site."""
    return ask
