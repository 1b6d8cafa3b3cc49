"""What is live, as somebody else decided it: the server asks, several times a second, and obeys."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from clerestory.errors import ClerestoryError
from clerestory.release.bundle import CURRENT, live_id
from clerestory.release.gate.deciding import Decider, Decision, Live, Nothing, Seen, Withdrawn
from clerestory.release.gate.reporting import Report
from clerestory.release.manifest import NAME as MANIFEST
from clerestory.release.manifest import id_of
from clerestory.serve.reports import NAME as REPORTS
from clerestory.serve.reports import read_reports

SEEN = "seen.json"
"""In the log's folder: the newest line of the ledger that this server has seen."""

__all__ = ["ByLedger", "Decision", "Links", "Live", "Nothing", "Source", "Withdrawn"]


class Source(Protocol):
    """Who decides what is live."""

    def look(self) -> Decision:
        """What holds now. Called about ten times a second: cheap where nothing changed. Raises nothing."""


class ByLedger:
    """Goes by the ledger of a project or a server's folder, and by nothing else. log: where it remembers the
    newest line that it has seen, and where reports from outside are.
    """

    def __init__(self, root: Path, log: Path) -> None:
        self._file = log / SEEN
        self._reports: tuple[Report, ...] = ()
        self._stamp: tuple[int, int] = (0, 0)
        self._inbox_file = log / REPORTS
        self._decider = Decider(root, seen=self._remembered(), inbox=self._inbox, digests=False)
        self._kept = self._decider.seen

    def look(self) -> Decision:
        """What the ledger says."""
        decision = self._decider.look()
        if self._decider.seen != self._kept:
            self._remember(self._decider.seen)
        return decision

    def _remembered(self) -> Seen | None:
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
            return Seen(int(said["seq"]), str(said["digest"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            # What it saw cannot be told any more. No line has this digest, so nothing is shown.
            return Seen(0, "unreadable")

    def _remember(self, seen: Seen) -> None:
        fresh = self._file.with_name(f".{SEEN}.new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({"seq": seen.seq, "digest": seen.digest}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
            self._kept = seen
        except OSError:
            pass  # a full disk: it is tried again at the next look

    def _inbox(self) -> tuple[Report, ...]:
        try:
            facts = self._inbox_file.stat()
        except OSError:
            return ()
        if (facts.st_size, facts.st_mtime_ns) != self._stamp:
            self._reports = read_reports(self._inbox_file.parent)
            self._stamp = (facts.st_size, facts.st_mtime_ns)
        return self._reports


class Links:
    """Goes by a link in a folder of releases: to look at what is staged, and nothing that is public."""

    def __init__(self, releases: Path, link: str = CURRENT) -> None:
        self.releases = releases
        self._link = link
        self._seen: Live | None = None

    def look(self) -> Decision:
        """What `current` names."""
        try:
            release = live_id(self.releases, self._link)
            if release is None:
                return Nothing(f"there is no {self.releases.name}/{self._link}")
            if self._seen is None or self._seen.release != release:
                folder = self.releases / release
                if id_of((folder / MANIFEST).read_bytes()) != release:
                    return Nothing(f"the manifest of {release} is not the one it was named after")
                self._seen = Live(folder, release)
        except ClerestoryError as problem:
            return Nothing(str(problem))
        except OSError as problem:
            return Nothing(f"the live release cannot be read: {problem.strerror}")
        return self._seen
