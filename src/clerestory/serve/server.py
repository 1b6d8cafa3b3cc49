"""Runs the application under uvicorn until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from clerestory.errors import InputError
from clerestory.release.bundle import CURRENT, current
from clerestory.release.verify import Release, verify_digests
from clerestory.serve.app import App
from clerestory.serve.listen import listen


def releases_of(folder: Path) -> Path:
    """The folder of releases in a project folder, or the folder itself if it is one.

    Raises InputError if there is no live release.
    """
    for releases in (folder / "releases", folder):
        if (releases / CURRENT).is_symlink():
            return releases
    raise InputError(
        "there is no live release to serve",
        where=str(folder),
        fix="run `clerestory build` first, or name a project's folder",
    )


def serve(
    project_or_releases: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    announce: Callable[[str, Release], None] | None = None,
    memory: int = 64 << 20,
    max_age: int = 60,
) -> None:
    """Serves the live release and follows switches; returns when the process is told to stop.

    announce: called once, when the server listens, with its address, which has another port than asked for
    if that was taken. memory, max_age: see App.
    Raises InputError if there is no live release or no port; Refused if the release is not whole.
    """
    releases = releases_of(project_or_releases)
    release = current(releases)
    if release is None:
        raise InputError(
            "there is no live release to serve", where=str(releases), fix="run `clerestory build`"
        )
    verify_digests(release.folder)
    with listen(host, port) as bound:
        settings = uvicorn.Config(
            App(releases, memory=memory, max_age=max_age),
            lifespan="off",
            interface="asgi3",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
            limit_concurrency=1_000,
            h11_max_incomplete_event_size=16 << 10,
        )
        name = f"[{host}]" if ":" in host else host
        if announce is not None:
            announce(f"http://{name}:{bound.getsockname()[1]}/", release)
        # uvicorn ends in good order on Ctrl-C and then raises it again; to the caller that is a plain end.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[bound])
