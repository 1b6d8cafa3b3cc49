"""The proof of a release, made by a process that is given the release folder and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from clerestory.errors import ClerestoryError, Refused, Undecided

_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_SILENT = "the process that proves it ended without a word"


def prove_apart(folder: Path) -> dict[str, Any]:
    """Makes the proof in another process, which is given the release folder and nothing else.

    Returns what it reported. Raises Refused or Undecided with its reason if it made none.
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "clerestory", "prove", str(folder), "--format", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=folder,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    )
    try:
        said: dict[str, Any] = json.loads(done.stdout)
        problems = [] if done.returncode == 0 else list(said["problems"])
    except (ValueError, KeyError, TypeError):
        said, problems = {}, []
    if done.returncode == 0 and said:
        return said
    kind: type[ClerestoryError] = Refused if done.returncode == 1 else Undecided
    first = problems[0] if problems else {}
    raise kind(
        f"the release cannot be proven: {first.get('what', _SILENT)}",
        where=first.get("where", folder.name),
        fix="the earlier release stays current; " + (first.get("fix") or "report this"),
    )
