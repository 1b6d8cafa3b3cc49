"""The ledger as people and programs read it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clerestory.confidential import budget
from clerestory.errors import InputError, Refused
from clerestory.release.gate.bodies import budgets_of
from clerestory.release.gate.live import Standing
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.ledger import NAME, Event, Kind, head
from clerestory.release.manifest import NAME as MANIFEST


@dataclass(frozen=True)
class Shown:
    """A ledger that stands. people: who signed, by line; "" where nobody did."""

    events: tuple[Event, ...]
    people: tuple[str, ...]
    standing: Standing

    def lines(self) -> list[str]:
        """For a terminal."""
        rows = [
            f"{event.seq:>5}  {event.time[:19]}  {event.kind.value:<10} {event.release}  "
            f"{person or (f'version {event.trust}' if event.kind is Kind.TRUSTED else '(unsigned)')}"
            for event, person in zip(self.events, self.people, strict=True)
        ]
        if self.standing.live:
            rows.append(f"Live: {self.standing.live.release}.")
        elif self.standing.notice:
            rows.append(f"Nothing is live: {self.standing.notice.release} was withdrawn.")
        else:
            rows.append("Nothing was published yet.")
        return rows

    def warnings(self) -> list[str]:
        """What every check of this ledger says: takedowns that nobody signed, reports without an answer."""
        return [
            *(
                f"Line {event.seq + 1}: {event.release} was withdrawn without a signature (break-glass)."
                for event in self.events
                if event.kind is Kind.WITHDRAWN and not event.by
            ),
            *(f"A report of {event.time[:19]} has no answer." for event in self.standing.reports.values()),
        ]


def shown(root: Path) -> Shown:
    """The ledger of a project. Raises Refused if a line does not stand."""
    register = Register(root)
    events = register.events()
    return Shown(events, tuple(register.person(event) for event in events), register.standing(events))


def verified(root: Path, *, head: str = "") -> Shown:
    """The ledger, if every line stands and every release that was built or live is there as it was.

    head: the digest of a line that must be in it, or a file that published_head() was written to.
    Raises Refused that names what is not so.
    """
    found = shown(root)
    known = _digest(head)
    if known and all(event.digest != known for event in found.events):
        raise Refused(
            "the ledger does not have the line with this head: lines are gone, or others",
            where=NAME,
            fix="restore the ledger that has it; ask who published the head",
        )
    bad = []
    releases = {event.release: event.manifest for event in found.events if event.kind is not Kind.TRUSTED}
    for release, manifest in releases.items():
        folder = root / "releases" / release
        try:
            good = digest_of(folder) == manifest
        except OSError:
            good = False
        if not good:
            bad.append(release)
    if bad:
        raise Refused(
            f"releases of the ledger are missing or changed: {', '.join(bad)}",
            where=f"releases/*/{MANIFEST}",
            fix="restore their folders: without them no build can be audited against what was public",
        )
    budget.whole(root, budgets_of(Register(root), found.events))
    return found


def _digest(head: str) -> str:
    if not head or len(head) == 64:
        return head
    try:
        digest = json.loads(Path(head).read_text(encoding="utf-8"))["head"]
    except (OSError, ValueError, KeyError, TypeError):
        digest = None
    if not isinstance(digest, str) or len(digest) != 64:
        raise InputError("this is no head of a ledger", where="--head", fix="see `clerestory ledger head`")
    return digest


def published_head(root: Path) -> dict[str, Any]:
    """What may be published of a ledger: its length, its head, its last time."""
    events = Register(root).events()
    return {
        "format": "clerestory-head/1",
        "entries": len(events),
        "head": head(events),
        "time": events[-1].time if events else "",
    }


def ledger_said(found: Shown) -> dict[str, Any]:
    """The JSON of `clerestory ledger show` and `verify`."""
    return {
        "kind": "done",
        "exit": 0,
        "head": head(found.events),
        "live": found.standing.live.release if found.standing.live else None,
        "withdrawn": sorted(event.release for event in found.standing.withdrawn.values()),
        "warnings": found.warnings(),
        "entries": [
            {**asdict(event), "kind": event.kind.value, "person": person}
            for event, person in zip(found.events, found.people, strict=True)
        ],
    }
