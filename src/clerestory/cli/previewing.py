"""`clerestory preview`: what was built last, to you alone, built anew when the text changes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from clerestory.cli.console import answering, err, out

_LOOK = 0.5
_TEXTS = ("*.toml", "*.md", "*.csv")
_FOLDERS = ("sources", "tables", "dashboards", "lookups", "decisions")


def preview(
    folder: Annotated[Path, typer.Argument(help="The project.")] = Path(),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; if taken, the next one.")] = 8000,
    once: Annotated[bool, typer.Option("--once", help="Build once and stop.", hidden=True)] = False,
) -> None:
    """Show what was built last on this machine alone, and build again whenever the project's text changes."""
    from clerestory.errors import InputError

    with answering():
        if not (folder / "clerestory.toml").is_file():
            raise InputError(
                "this folder is not a Clerestory project: it has no clerestory.toml",
                where=str(folder),
                fix="start one with `clerestory new DIR`",
            )
        seen = _stamp(folder)
        if not (folder / "releases" / "staged").exists():
            _build(folder)
        if once:
            return
        server = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "clerestory", "serve", str(folder), "--staged", "--port", str(port)]
        )
        try:
            while server.poll() is None:
                time.sleep(_LOOK)
                now = _stamp(folder)
                if now != seen:
                    seen = now
                    out.print("Something changed: building again.")
                    _build(folder)
                    out.print("Reload the page.")
        except KeyboardInterrupt:
            pass
        finally:
            server.terminate()
            server.wait()


def _build(folder: Path) -> None:
    """Builds in a process of its own; what it refuses is shown, and the earlier preview stays."""
    done = subprocess.run([sys.executable, "-m", "clerestory", "build", str(folder)], check=False)  # noqa: S603
    if done.returncode:
        err.print("Not built; what you see is the one before.", style="bold yellow")


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """The project's own texts, with size and time; not its records."""
    files = [folder / "clerestory.toml"]
    for name in _FOLDERS:
        for pattern in _TEXTS:
            files += (folder / name).rglob(pattern)
    found = []
    for file in sorted(files):
        try:
            facts = file.stat()
        except OSError:
            continue
        found.append((str(file), facts.st_size, facts.st_mtime_ns))
    return tuple(found)
