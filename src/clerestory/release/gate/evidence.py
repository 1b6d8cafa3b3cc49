"""Seals what a takedown leaves: the files as they were served, the log and the ledger, with their hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clerestory.errors import InputError

SEAL = "seal.json"
FORMAT = "clerestory-evidence/1"


@dataclass(frozen=True)
class Sealed:
    """folder: where the evidence is; files: how many; digest: the SHA-256 of seal.json, to write down."""

    folder: Path
    files: int
    digest: str


def seal(
    target: Path, release: str, reason: str, sources: Iterable[tuple[str, Path]], moment: datetime
) -> Sealed:
    """Copies files and folders into a new folder that only its owner can open, and lists their hashes.

    sources: (name in the evidence, file or folder); what is absent is listed as absent.
    Raises InputError if the disk is full or the folder is there; then nothing is left behind.
    """
    folder = target / f"{moment:%Y%m%dT%H%M%S}-{release}"
    absent: list[str] = []
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError:
        raise InputError(
            "the evidence could not be sealed", where=str(folder), fix="see whether the disk is full"
        ) from None
    try:
        for name, source in sources:
            if source.is_dir():
                shutil.copytree(source, folder / name, symlinks=True)
            elif source.is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, folder / name)
            else:
                absent.append(name)
        files = {
            path.relative_to(folder).as_posix(): _hashed(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
        content = json.dumps(
            {
                "format": FORMAT,
                "release": release,
                "reason": reason,
                "sealed": moment.isoformat(),
                "absent": absent,
                "files": files,
            },
            indent=1,
            sort_keys=True,
        ).encode()
        with (folder / SEAL).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            "the evidence could not be sealed: the disk is full or a file cannot be read",
            where=str(folder),
            fix="free some space and run `clerestory takedown --seal`; touch nothing until then",
        ) from None
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o400)
    return Sealed(folder, len(files), hashlib.sha256(content).hexdigest())


def broken(folder: Path) -> list[str]:
    """The files of sealed evidence that are no longer what the seal says, by name; empty if all are."""
    said = json.loads((folder / SEAL).read_bytes())["files"]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != SEAL}
    return sorted(
        name
        for name in there | set(said)
        if name not in there or name not in said or _hashed(folder / name) != said[name]
    )


def _hashed(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
