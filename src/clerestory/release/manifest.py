"""The manifest of a release: every file with its digest, in one canonical byte form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, NewType

from clerestory.errors import Refused

FORMAT = "clerestory-release/1"
NAME = "manifest.json"
MAXIMUM_BYTES = 64 << 20
"""A manifest larger than this is not read: a site of 300,000 files stays under it."""

ReleaseId = NewType("ReleaseId", str)
"""r- and the first 12 hexadecimal digits of the manifest's SHA-256."""

_ID = re.compile(r"r-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?")
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)})
"""Names that some file systems keep for devices, so a release could not be copied there."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What a manifest says of a table: how many cells it has, and the rule that protects them.

    method: as clerestory.methods names it, or "none" where the rows themselves are public. level: of the
    attacker that a proof is about; 0 where nothing is hidden because of another method, or none. reached: the
    highest level that holds, if that is another one: 3 where level 2 is level 3.
    """

    source: str
    cells: int
    hidden: int
    level: int
    interval_width: int
    minimum_count: int
    method: str = "suppression"
    reached: int | None = None

    @property
    def level_reached(self) -> int:
        """The highest level that holds."""
        return self.level if self.reached is None else self.reached

    def said(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: path relative to the release folder, SHA-256 in hexadecimal, bytes, what it is."""

    path: str
    sha256: str
    size: int
    what: str


@dataclass(frozen=True)
class Manifest:
    """All that a release says of itself. files: sorted by path, no two the same."""

    title: str
    date: date
    software: str
    tables: Mapping[str, TableFacts]
    files: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """The one byte form: keys sorted, one file a line, UTF-8, LF at the end."""
        head = {
            "date": self.date.isoformat(),
            "format": FORMAT,
            "software": self.software,
            "tables": {name: facts.said() for name, facts in self.tables.items()},
            "title": self.title,
        }
        parts = [f"{_canonical(key)}: {_canonical(value)}" for key, value in head.items()]
        files = ",\n".join(_canonical(asdict(entry)) for entry in self.files)
        parts.insert(1, f'"files": [\n{files}\n]')
        return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def id_of(manifest: bytes) -> ReleaseId:
    """The release's name, made from its manifest's bytes."""
    return ReleaseId("r-" + hashlib.sha256(manifest).hexdigest()[:12])


def is_id(name: str) -> bool:
    """Whether a name can be a release's."""
    return _ID.fullmatch(name) is not None


def path_problem(path: str) -> str:
    """Why a path may not be in a release; empty if it may.

    Allowed: relative, ASCII letters, digits, . _ -, no segment that begins or ends with a dot.
    """
    if len(path) > 400:
        return "is longer than 400 characters"
    if path == NAME:
        return "is the manifest's own name"
    segments = path.split("/")
    if len(segments) > 24:
        return "is more than 24 folders deep"
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            return "may hold only folders and names of ASCII letters, digits, '.', '_' and '-'"
        if segment.split(".", 1)[0].lower() in _DEVICES:
            return "holds a name that some systems keep for devices"
    return ""


class PathBook:
    """Remembers the paths of a release, and says when one clashes with an earlier one."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def add(self, path: str) -> str:
        """Why this path may not be added; empty if it was."""
        problem = path_problem(path)
        if problem:
            return problem
        folded = path.lower()
        if folded in self._files or folded in self._folders:
            return "differs from another path by upper and lower case only, or not at all"
        for folder in _parents(path):
            if folder.lower() in self._files:
                return "lies in a folder that has the name of a file"
            if self._folders.setdefault(folder.lower(), folder) != folder:
                return "lies in a folder whose name differs from another by upper and lower case only"
        self._files.add(folded)
        return ""


def _parents(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def folders_of(paths: Iterable[str]) -> set[str]:
    """Every folder above these paths, without the release folder itself."""
    found: set[str] = set()
    for path in paths:
        for folder in _parents(path):
            if folder in found:
                break
            found.add(folder)
    return found


def parse(content: bytes, *, where: str) -> Manifest:
    """The manifest these bytes hold.

    Raises Refused if they are not exactly the canonical form of a manifest, so that two readers can never
    take two meanings from them.
    """
    try:
        if len(content) > MAXIMUM_BYTES:
            raise ValueError("it is too large")
        manifest = _read(json.loads(content.decode("utf-8")))
        if manifest.to_bytes() != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(
            f"the manifest cannot be used: {reason}",
            where=where,
            fix="build the release again; if nobody touched it, keep it for examination",
        ) from None
    return manifest


def _read(said: Any) -> Manifest:
    if set(said) != {"date", "files", "format", "software", "tables", "title"} or said["format"] != FORMAT:
        raise ValueError(f"its keys are not those of {FORMAT}")
    book = PathBook()
    files = tuple(Entry(**entry) for entry in said["files"])
    for before, entry in zip((None, *files), files, strict=False):
        problem = book.add(entry.path)
        if problem:
            raise ValueError(f"a path {problem}")
        if before is not None and before.path >= entry.path:
            raise ValueError("its files are not sorted")
        if not _DIGEST.fullmatch(entry.sha256) or type(entry.size) is not int or entry.size < 0:
            raise ValueError("a digest or size is not one")
    tables = {name: TableFacts(**facts) for name, facts in said["tables"].items()}
    return Manifest(said["title"], date.fromisoformat(said["date"]), said["software"], tables, files)
