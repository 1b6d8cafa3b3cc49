"""Reports from outside: taken in, listed with their clocks, answered."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clerestory.api.gate import rules_of, take_down
from clerestory.api.kept import FOLDER
from clerestory.errors import InputError
from clerestory.release.gate.register import Register
from clerestory.release.gate.reporting import Open, Report, open_reports, take_in
from clerestory.release.gate.reporting import answer as answer_one
from clerestory.serve.reports import read_reports

if TYPE_CHECKING:
    from securesystemslib.signer import Signer


@dataclass(frozen=True)
class Waiting:
    """Reports without an answer. taken: how many came in just now."""

    reports: tuple[Open, ...]
    taken: int
    now: datetime

    @property
    def overdue(self) -> bool:
        """Whether one waits for too long."""
        return any(one.due <= self.now for one in self.reports)

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory reports list`."""
        return {
            "kind": "done",
            "exit": 1 if self.overdue else 0,
            "taken": self.taken,
            "reports": [
                {
                    "report": one.digest,
                    "release": one.release,
                    "due": one.due.isoformat(),
                    "overdue": one.due <= self.now,
                    "page": one.report.page if one.report else None,
                    "text": one.report.text if one.report else None,
                    "contact": one.report.contact if one.report else None,
                }
                for one in self.reports
            ],
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        if not self.reports:
            return ["No report waits for an answer."]
        rows = []
        for one in self.reports:
            hours = (one.due - self.now).total_seconds() / 3600
            clock = f"{hours:,.1f} hours left" if hours > 0 else "OVERDUE: it is taken down by itself"
            rows.append(f"{one.digest[:12]}  {one.release}  {clock}")
            if one.report:
                rows += [f"    page: {one.report.page}", f"    says: {one.report.text}"]
        return [*rows, "Next: clerestory reports answer REPORT --as PERSON --safe|--exposes --finding FILE"]


def waiting(root: Path, log: Path | None) -> Waiting:
    """Takes in what a server received and gives what waits; what is overdue is taken down."""
    register = Register(root)
    taken = take_in(register, read_reports(log or root / FOLDER / "log"))
    standing = register.standing()
    found = open_reports(register, standing, rules_of(root, register).report_hours)
    answer = Waiting(tuple(found), len(taken), register.clock())
    live = standing.live
    if live and any(one.due <= answer.now and one.release == live.release for one in found):
        take_down(root, live.release, "a report from outside had no answer in time", None)
    return answer


def add(root: Path, *, page: str, text: str, contact: str = "") -> str:
    """Writes down a report that came another way; returns its digest."""
    register = Register(root)
    now = register.clock().isoformat(timespec="seconds")
    report = Report(f"m-{secrets.token_hex(4)}", now, page, text, contact, "en")
    if not take_in(register, [report]):
        raise InputError("nothing is live that it could be about", where=str(root))
    return report.digest


def answer(root: Path, report: str, *, safe: bool, reason: str, finding: Path, signer: Signer) -> str:
    """Answers a report; returns the release that was taken down for it, "" if none."""
    register = Register(root)
    try:
        digest = hashlib.sha256(finding.read_bytes()).hexdigest()
    except OSError:
        raise InputError(
            "the result of the check cannot be read",
            where=str(finding),
            fix="the result is a file, not a sentence: what was looked at, how, and what was found",
        ) from None
    event = answer_one(register, report, safe=safe, reason=reason, finding=digest, signer=signer)
    standing = register.standing()
    if safe or standing.live is None or standing.live.manifest != event.manifest:
        return ""
    return take_down(root, event.release, f"report {report}: {reason}", None).taken.release
