"""Collects what is wrong with a project, each with file, line and key, and the nearest valid word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from clerestory.errors import ClerestoryError, InputError, Problems
from clerestory.project.locate import Key, line_of

_LISTED = 12


@dataclass(frozen=True)
class Document:
    """One file of a project: name, relative to the project and with slashes, and the lines of its keys."""

    name: str
    lines: Mapping[Key, int] = field(default_factory=dict)

    def at(self, key: Key = ()) -> str:
        """Where a key stands: "sources/ccw.toml:12, fields.county.role"."""
        place = f"{self.name}:{line_of(self.lines, key)}"
        return f"{place}, {dotted(key)}" if key else place


class Collector:
    """Problems as they are found; nothing stops at the first one."""

    def __init__(self) -> None:
        self._problems: list[ClerestoryError] = []
        self.warnings: list[str] = []

    def add(self, what: str, *, where: str, fix: str = "") -> None:
        """Notes a problem, once."""
        if not any(known.what == what and known.where == where for known in self._problems):
            self._problems.append(InputError(what, where=where, fix=fix))

    def finish(self) -> None:
        """Raises Problems if there are any."""
        if self._problems:
            raise Problems(self._problems)


def dotted(key: Key) -> str:
    """A key as people write it: ccw.publish.margins[2]."""
    words = ""
    for part in key:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def nearest(word: str, valid: Iterable[str]) -> str:
    """A fix that proposes the valid word nearest to a wrong one, or else lists the valid words."""
    words = list(dict.fromkeys(valid))
    small = {known.lower().replace("-", "_"): known for known in reversed(words)}
    near = get_close_matches(word.lower().replace("-", "_"), small, n=1, cutoff=0.6)
    if near:
        return f"did you mean {small[near[0]]!r}?"
    if not words:
        return "there is none yet"
    shown = ", ".join(words[:_LISTED])
    return f"choose one of: {shown}" + (f" and {len(words) - _LISTED} more" if len(words) > _LISTED else "")


def relative(root: Path, file: Path) -> str:
    """A file's name inside the project, with slashes."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
