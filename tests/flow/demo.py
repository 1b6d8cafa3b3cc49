"""The demonstration, built once for all tests and workers of a run."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.flow.small_project import run


@cache
def built_demo() -> tuple[Path, dict[str, Any]]:
    """The demo project, built at its default scale, and the JSON that `clerestory build` printed."""
    name = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"alone-{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"clerestory-demo-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    said = folder / "said.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            done = run("demo", folder / "demo", "--no-serve", "--format", "json", seconds=900)
            assert done.code == 0, done.err
            said.write_text(done.out, encoding="utf-8")
    return folder / "demo", json.loads(said.read_text(encoding="utf-8"))
