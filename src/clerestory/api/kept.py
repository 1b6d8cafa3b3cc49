"""Files that stay inside, for their owner alone: how they are written and found again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from clerestory.errors import InputError

FOLDER = "confidential"
REASONS = "clerestory-reasons/1"
"""The form of a file of reasons."""


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, that nobody but its owner may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Writes a file that nobody but its owner may read, whole or not at all."""
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def read_kept(root: Path, release: str, what: str) -> dict[str, Any]:
    """What a build kept of a release; what: "reports" or "reasons". Raises InputError if it is not there."""
    path = root / FOLDER / what / f"{release}.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    if not isinstance(said, dict) or (what == "reasons" and said.get("format") != REASONS):
        raise InputError(
            f"the {what} of this release are not here",
            where=str(path),
            fix="name the project that built it, on the machine that did; or build again: clerestory build",
        )
    return said
