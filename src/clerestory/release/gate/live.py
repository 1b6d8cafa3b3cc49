"""What is live, by the ledger alone: a fold over its lines. Pure; no clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from clerestory.release.ledger import Event, Kind

RESTORERS = 2
"""People who must agree before a withdrawn release comes back."""


@dataclass(frozen=True)
class Standing:
    """Where the releases of a ledger stand. All mappings are by the digest of the manifest.

    live: the line that made a release live, None if none is. notice: the withdrawal whose notice stands where
    nothing is live. withdrawn: by which line; rejected: likewise, for good. restorers: people who agreed
    since the withdrawal. published: first line that made it live, in order: what was public once is known
    for ever. reports: by body, those without an answer.
    """

    live: Event | None = None
    notice: Event | None = None
    withdrawn: Mapping[str, Event] = field(default_factory=dict)
    rejected: Mapping[str, Event] = field(default_factory=dict)
    restorers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    published: Mapping[str, Event] = field(default_factory=dict)
    built: Mapping[str, Event] = field(default_factory=dict)
    reports: Mapping[str, Event] = field(default_factory=dict)


def standing(events: Iterable[Event], person: Callable[[Event], str] = lambda event: event.by) -> Standing:
    """Where the releases stand after these lines. person: who stands behind a signed line."""
    live: Event | None = None
    notice: Event | None = None
    withdrawn: dict[str, Event] = {}
    rejected: dict[str, Event] = {}
    restorers: dict[str, frozenset[str]] = {}
    published: dict[str, Event] = {}
    built: dict[str, Event] = {}
    reports: dict[str, Event] = {}
    for event in events:
        manifest = event.manifest
        if event.kind is Kind.BUILT:
            built.setdefault(manifest, event)
        elif event.kind is Kind.REJECTED:
            rejected.setdefault(manifest, event)
        elif event.kind is Kind.PUBLISHED:
            # Once, and never after it was rejected: what was replaced does not come back by another line.
            if manifest not in published and manifest not in withdrawn and manifest not in rejected:
                live, notice = event, None
            published.setdefault(manifest, event)
        elif event.kind is Kind.WITHDRAWN:
            withdrawn[manifest] = event
            restorers[manifest] = frozenset()
            if live is not None and live.manifest == manifest:
                live, notice = None, event
        elif event.kind is Kind.RESTORED and manifest in withdrawn:
            restorers[manifest] = restorers[manifest] | {person(event)}
            if len(restorers[manifest]) >= RESTORERS:
                del withdrawn[manifest], restorers[manifest]
                if live is None and manifest in published:
                    live, notice = event, None
        elif event.kind is Kind.REPORTED:
            reports[event.body] = event
        elif event.kind is Kind.ANSWERED:
            reports.pop(event.body, None)
    return Standing(live, notice, withdrawn, rejected, restorers, published, built, reports)
