"""'This seems to expose someone': each report is a line with a clock; without an answer in time, takedown.

The burden is to prove it safe: whoever checks did not build the release, and silence counts as yes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from securesystemslib.signer import Signer

from clerestory.errors import InputError, Refused
from clerestory.release.gate.bodies import inside, keep_body
from clerestory.release.gate.live import Standing
from clerestory.release.gate.register import Register
from clerestory.release.gate.say import say, statement
from clerestory.release.ledger import Event, Kind


@dataclass(frozen=True)
class Report:
    """What a reader reported. received: UTC, ISO 8601; page: where; text: what was seen; contact: or ""."""

    id: str
    received: str
    page: str
    text: str
    contact: str
    language: str

    @property
    def body(self) -> bytes:
        """Its one byte form."""
        return (json.dumps(asdict(self), sort_keys=True, ensure_ascii=False) + "\n").encode()

    @property
    def digest(self) -> str:
        """What the ledger has of it."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Open:
    """A report without an answer. report: None if its words are not here. due: when silence takes it down."""

    digest: str
    release: str
    due: datetime
    report: Report | None


def read_body(register: Register, digest: str) -> Report | None:
    """A report's words, as they are kept inside; None if they are not here."""
    content = inside(register.root, digest)
    try:
        return Report(**json.loads(content)) if content else None
    except (ValueError, TypeError):
        return None


def take_in(register: Register, reports: Iterable[Report]) -> list[Event]:
    """Writes down reports that the ledger does not have yet, each about what is live; returns the lines."""
    events = register.events()
    standing = register.standing(events)
    about = standing.live or standing.notice
    known = {event.body for event in events if event.kind is Kind.REPORTED}
    made = []
    for report in reports:
        if about is None or report.digest in known:
            continue
        keep_body(register.root, report.body)
        made.append(register.write(Kind.REPORTED, about.release, about.manifest, None, body=report.digest))
    return made


def open_reports(register: Register, standing: Standing, hours: int) -> list[Open]:
    """Reports of the ledger that wait for an answer, the most urgent first."""
    return sorted(
        (
            Open(
                event.body,
                event.release,
                _due(event, read_body(register, event.body), hours),
                read_body(register, event.body),
            )
            for event in standing.reports.values()
        ),
        key=lambda one: one.due,
    )


def _due(event: Event, report: Report | None, hours: int) -> datetime:
    start = event.at
    if report is not None:
        with contextlib.suppress(ValueError, TypeError):
            start = min(start, datetime.fromisoformat(report.received))
    return start + timedelta(hours=hours)


def overdue(standing: Standing, waiting: Iterable[datetime], hours: int, now: datetime) -> bool:
    """Whether a report about what is live has had no answer for too long.

    waiting: when each report was received that the ledger does not have yet.
    """
    if standing.live is None:
        return False
    limit = timedelta(hours=hours)
    late = any(
        event.manifest == standing.live.manifest and event.at + limit < now
        for event in standing.reports.values()
    )
    return late or any(received + limit < now for received in waiting)


def answer(
    register: Register, report: str, *, safe: bool, reason: str, finding: str, signer: Signer
) -> Event:
    """One person's answer to a report. finding: SHA-256 of the file with the result of the check.

    safe: False does not take the release down; the caller does. Raises InputError if there is no such report
    or it has its answer; Refused if this person built the release or has not the role.
    """
    register.fold()
    trust = register.trust()
    standing = register.standing()
    found = [event for digest, event in standing.reports.items() if digest.startswith(report)]
    if len(found) != 1 or len(report) < 6:
        raise InputError(
            "there is no such report without an answer",
            where=report,
            fix="see `clerestory reports list`; at least six letters of its number",
        )
    event = found[0]
    said = statement(
        register,
        Kind.ANSWERED,
        event.release,
        event.manifest,
        signer,
        trust,
        reason=f"{'safe' if safe else 'exposes'}: {reason}",
        answers=finding,
    )

    def check(events: tuple[Event, ...]) -> None:
        builders = {
            register.person(one)
            for one in events
            if one.kind is Kind.BUILT and one.manifest == event.manifest
        }
        if said.person in builders:
            raise Refused(
                f"{said.person} built this release",
                where=event.release,
                fix="somebody who did not build it checks the report",
            )
        if event.body not in register.standing(events).reports:
            raise Refused("it has its answer already", where=report)

    check(register.events())
    return say(register, said, signer, check=check, body=event.body)
