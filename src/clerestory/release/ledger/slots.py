"""Takedowns that could not reach the ledger: written over space that was set aside before.

A full disk has no room for a line, and another command may hold the ledger. The slots are files that
exist and are filled already, so that writing over them needs no room and no lock. Whoever decides what is
live reads them beside the ledger; the next writer of the ledger writes them down there and clears them.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from clerestory.errors import Undecided
from clerestory.release.ledger.book import sync_folder
from clerestory.release.manifest import is_id

FOLDER = "withdrawals"
COUNT = 8
SIZE = 4096
_EMPTY = b" " * SIZE
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Slip:
    """A takedown on its own. manifest: SHA-256 of the release's manifest; time, body: as in a line of the
    ledger.
    """

    release: str
    manifest: str
    time: str
    body: str = ""


def prepare(root: Path) -> None:
    """Makes the slots that are missing, filled, durable. Done whenever a release is published."""
    folder = root / FOLDER
    folder.mkdir(mode=0o755, exist_ok=True)
    made = False
    for number in range(COUNT):
        file = folder / f"slot-{number}"
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(_EMPTY)
            opened.flush()
            os.fsync(opened.fileno())
        made = True
    if made:
        sync_folder(folder)
        sync_folder(root)


def slip_in(root: Path, slip: Slip) -> Path:
    """Writes a takedown over a free slot, or beside them. Raises Undecided if neither can be done."""
    content = json.dumps(asdict(slip), sort_keys=True).encode().ljust(SIZE)
    folder = root / FOLDER
    for number in range(COUNT):
        file = folder / f"slot-{number}"
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.pread(descriptor, SIZE, 0).strip():
                    continue
                os.pwrite(descriptor, content, 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            continue
        return file
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
        file = folder / f"slip-{os.getpid()}-{slip.manifest[:12]}"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        sync_folder(folder)
    except OSError:
        raise Undecided(
            "the takedown could not be written anywhere: IT IS NOT DOWN",
            where=FOLDER,
            fix="stop the server now (kill it, or pull the cable), then free some space and try again",
        ) from None
    return file


def slips(root: Path) -> dict[Path, Slip]:
    """The takedowns that wait to be written into the ledger, by their files."""
    found: dict[Path, Slip] = {}
    try:
        names = sorted(os.listdir(root / FOLDER))  # noqa: PTH208  (names only: the server looks often)
    except OSError:
        return found
    for name in names:
        file = root / FOLDER / name
        try:
            content = file.read_bytes()[:SIZE].strip()
            said = json.loads(content) if content else None
        except (OSError, ValueError):
            continue  # torn: the takedown that wrote it was not acknowledged
        if isinstance(said, dict):
            try:
                slip = Slip(**said)
            except TypeError:
                continue
            if is_id(slip.release) and _DIGEST.fullmatch(slip.manifest):
                found[file] = slip
    return found


def clear(file: Path) -> None:
    """Empties a slot whose takedown is in the ledger now."""
    if file.name.startswith("slot-"):
        descriptor = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, _EMPTY, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    else:
        file.unlink(missing_ok=True)


def stamp(root: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever a slip does."""
    try:
        with os.scandir(root / FOLDER) as entries:
            return tuple(
                sorted((e.name, (s := e.stat(follow_symlinks=False)).st_size, s.st_mtime_ns) for e in entries)
            )
    except OSError:
        return ()
