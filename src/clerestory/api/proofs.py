"""The proof of a release, made by a process that is given the release folder and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clerestory.errors import ClerestoryError, Refused, Undecided
from clerestory.release.gate.bodies import BESIDE
from clerestory.release.proof import proof_list
from clerestory.release.proof.prove import prove
from clerestory.release.verify import verify_digests

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


def proof_comes_out_the_same(folder: Path, earlier: Sequence[Path] = ()) -> None:
    """Proves a release again, in a copy of its public files. Raises Refused if a byte differs."""
    verify_digests(folder)
    before = _contents(folder / proof_list.FOLDER)
    with tempfile.TemporaryDirectory() as scratch:
        twin = Path(scratch) / folder.name
        shutil.copytree(folder, twin, ignore=shutil.ignore_patterns(proof_list.FOLDER, BESIDE))
        prove(twin, [*earlier, folder.parent])
        after = _contents(twin / proof_list.FOLDER)
    if before != after:
        differing = sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )
        raise Refused(
            f"the proof does not come out the same: {', '.join(differing)}",
            where=folder.name,
            fix="do not approve it; build and prove it again, with the same version of the software",
        )


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
