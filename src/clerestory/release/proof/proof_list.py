"""proof/proof.json: which proofs stand beside the manifest of a release, with their digests."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clerestory.errors import Refused
from clerestory.release.manifest import Entry, ReleaseId, is_id, path_problem

FORMAT = "clerestory-proofs/1"
FOLDER = "proof"
NAME = f"{FOLDER}/proof.json"
MAXIMUM_BYTES = 4 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ProofList:
    """The proofs of a release. files: sorted by path; `what` is the source that each is about, or
    SOURCE.over-time for the source together with its earlier releases."""

    release: ReleaseId
    files: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """The one byte form: one file a line, UTF-8, LF at the end."""
        files = ",\n".join(_json(asdict(entry)) for entry in self.files)
        inside = f"\n{files}\n" if files else ""
        return f'{{"files":[{inside}],\n"format":{_json(FORMAT)},"release":{_json(self.release)}}}\n'.encode()


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def path_of(source: str) -> str:
    """Where the proof of a source is in a release."""
    return f"{FOLDER}/{source}.json"


def about(path: str) -> str:
    """What the proof at a path is about: the opposite of path_of."""
    return path.removeprefix(f"{FOLDER}/").removesuffix(".json")


def parse(content: bytes, *, where: str) -> ProofList:
    """The list these bytes hold. Raises Refused if they are not exactly the canonical form of one."""
    try:
        if len(content) > MAXIMUM_BYTES:
            raise ValueError("it is too large")
        found = _read(json.loads(content.decode("utf-8")))
        if found.to_bytes() != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(
            f"the list of proofs cannot be used: {reason}",
            where=where,
            fix="make the proof again: clerestory prove RELEASE",
        ) from None
    return found


def _read(said: Any) -> ProofList:
    if said["format"] != FORMAT or not is_id(said["release"]):
        raise ValueError(f"it is not of the format {FORMAT}")
    files = tuple(Entry(**entry) for entry in said["files"])
    paths = [entry.path for entry in files]
    if paths != sorted(set(paths)):
        raise ValueError("its files are not sorted")
    for entry in files:
        if path_problem(entry.path) or entry.path != path_of(entry.what) or entry.path == NAME:
            raise ValueError("a path is not that of a source's proof")
        if not _DIGEST.fullmatch(entry.sha256) or type(entry.size) is not int or entry.size < 0:
            raise ValueError("a digest or size is not one")
    return ProofList(ReleaseId(said["release"]), files)


def read(folder: Path, release: ReleaseId) -> ProofList | None:
    """The list of proofs in a release folder, None if it has none.

    Raises Refused if it cannot be used or is about another release.
    """
    where = f"{folder.name}/{NAME}"
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(folder / NAME, flags), "rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise Refused(
            "the list of proofs cannot be read", where=where, fix="make the proof again: clerestory prove"
        ) from None
    found = parse(content, where=where)
    if found.release != release:
        raise Refused(
            "this is the proof of another release", where=where, fix="make the proof again: clerestory prove"
        )
    return found
