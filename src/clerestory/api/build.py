"""Sources -> protected tables -> a whole release. One process, one lock, nothing half done."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from clerestory import __version__
from clerestory.api.inside import Inside, keep
from clerestory.api.kept import private_folder
from clerestory.api.over_time import PastReport, Protected, protect_with_past
from clerestory.api.progress import Progress, Quiet, Stopwatch
from clerestory.api.proofs import prove_apart
from clerestory.attack.finest import FinestPart
from clerestory.confidential import budget
from clerestory.confidential.protect.once import protect_once
from clerestory.confidential.protect.publish import Protection, public_tables, publish_openly
from clerestory.confidential.protect.utility import Utility
from clerestory.confidential.reasons import kept_reasons
from clerestory.confidential.review import counts_of, fields_used
from clerestory.confidential.scoring import score_tables
from clerestory.confidential.tabulate import public_rows, tabulate
from clerestory.confidential.utility import utility
from clerestory.errors import InputError
from clerestory.methods import OPEN, Method, Protector, Suppression
from clerestory.policy import Policy
from clerestory.project import Project, TableFile, load, typed_numbers, words_around
from clerestory.release.bundle import STAGED, commit, discard, stage, switch
from clerestory.release.changed import no_other_method
from clerestory.release.compare import Changes, compare
from clerestory.release.gate.bodies import budgets_of
from clerestory.release.gate.register import Register
from clerestory.release.history import past_of
from clerestory.release.ledger import Event, head
from clerestory.release.lock import lock
from clerestory.release.manifest import TableFacts
from clerestory.release.recheck import Accounting, recheck
from clerestory.release.structure import Rule, path_of, write
from clerestory.release.trust.project import rules_for
from clerestory.release.verify import open_release
from clerestory.release.words import texts_of
from clerestory.site import package_assets, render
from clerestory.tables import PublicList, PublicTable, Status, events_for_error, marked, unstable

SEED_BYTES = 32


@dataclass(frozen=True)
class SourceReport:
    """What became of one source's cells. Confidential: it tells how many are primary."""

    cells: int
    published: int
    primary: int
    secondary: int
    audit_level: int
    interval_width: int
    under_protected: int
    undecided: int
    reached: int = 0
    parts: tuple[FinestPart, ...] = ()
    past: PastReport | None = None
    method: str = Method.SUPPRESSION.value
    utility: Utility | None = None

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "cells": self.cells,
            "published": self.published,
            "hidden": {
                "primary": self.primary,
                "secondary": self.secondary,
                "total": self.primary + self.secondary,
            },
            "audit": {
                "level": self.audit_level,
                "reached": self.reached,
                "parts": [asdict(part) for part in self.parts],
                "interval_width": self.interval_width,
                "under_protected": self.under_protected,
                "undecided": self.undecided,
            },
            "over_time": self.past.said() if self.past else None,
            "method": self.method,
            "utility": self.utility.said() if self.utility else None,
        }


@dataclass(frozen=True)
class BuildReport:
    """What a build did. Confidential; written to confidential/reports, never into a release."""

    project: Path
    release: Path
    sources: Mapping[str, SourceReport]
    accounting: Accounting
    changes: Changes | None
    typed: tuple[tuple[str, int, str], ...]
    """Numbers that were typed in prose, for the reviewer: file, line, the words around."""
    bytes: int
    proof: Mapping[str, Any] = field(default_factory=dict)
    """What `clerestory prove` reported of the release."""
    inside: Inside = field(default_factory=Inside)
    """Scores, utility and reasons; only what holds no true value is in `said`."""
    after: str = ""
    """The head of the ledger that it was built against: what is published later it does not know of."""
    budget: str = ""
    """The digest of the privacy budget's last line; "" if nothing was drawn."""
    seconds: Mapping[str, float] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory build --format json`."""
        return {
            "format": "clerestory-build/1",
            "release": self.release.name,
            "folder": str(self.release),
            "cells": {
                "published": sum(source.published for source in self.sources.values()),
                "hidden": {
                    "primary": sum(source.primary for source in self.sources.values()),
                    "secondary": sum(source.secondary for source in self.sources.values()),
                    "total": sum(source.primary + source.secondary for source in self.sources.values()),
                },
                "under_protected": sum(source.under_protected for source in self.sources.values()),
            },
            "sources": {name: source.said() for name, source in self.sources.items()},
            "accounting": {"files": self.accounting.files, "numbers": self.accounting.numbers},
            "changes": self.changes.said() if self.changes else None,
            "typed_numbers": [{"file": f, "line": line, "text": words} for f, line, words in self.typed],
            **self.inside.said(values=False),
            "bytes": self.bytes,
            "proof": dict(self.proof),
            "after": self.after,
            "budget": self.budget,
            "seconds": dict(self.seconds),
        }


def project_seed(root: Path) -> bytes:
    """The project's persistent secret: choices among near-equal secondary suppressions come from it."""
    path = private_folder(root / "confidential") / "seed"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(SEED_BYTES) + "\n", encoding="ascii")
        fresh.replace(path)
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii"))
    except (ValueError, UnicodeDecodeError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise InputError(
            "the project's seed cannot be read",
            where=str(path),
            fix="restore it from a backup; without it other cells would be hidden than in the last release",
        )
    return seed


def _seed_for(seed: bytes, source: str) -> int:
    return int.from_bytes(hashlib.sha256(seed + source.encode()).digest()[:8], "big")


def _marked(project: Project, table: PublicTable) -> PublicTable:
    said = project.tables[table.name].said
    for mark in said.marks:
        try:
            table = marked(table, mark.status, mark.where)
        except ValueError as problem:
            raise InputError(
                str(problem),
                where=f"{project.tables[table.name].file.name}, {table.name}.marks",
                fix="remove the mark, or restrict the table to what was collected",
            ) from None
    below = _unstable_below(said, project.policy)
    return unstable(table, below) if below else table


def _unstable_below(said: TableFile, policy: Policy) -> int:
    """Counts that are flagged in a table that is read as rates; 0 if it is not."""
    asked = [policy.unstable_below] if said.rates or said.unstable_below or said.relative_error else []
    asked += [said.unstable_below] if said.unstable_below else []
    asked += [events_for_error(said.relative_error)] if said.relative_error else []
    return max(asked, default=0)


def _source_report(
    protection: Protection, policy: Policy, method: Protector, past: PastReport | None
) -> SourceReport:
    hidden = int(protection.public.hidden.sum())
    primary = int(protection.primary.sum())
    report = protection.report
    return SourceReport(
        cells=len(protection.public.space),
        published=len(protection.public.space) - hidden,
        primary=primary,
        secondary=hidden - primary,
        audit_level=policy.audit_level if isinstance(method, Suppression) else 0,
        interval_width=report.required_width,
        under_protected=report.broken,
        undecided=report.undecided,
        reached=int(report.reached) if isinstance(method, Suppression) else 0,
        parts=report.parts if isinstance(method, Suppression) else (),
        past=past,
        method=method.method.value,
        utility=protection.utility,
    )


@dataclass(frozen=True, eq=False)
class _Protected:
    """Tables by name, reports by source, and for each protected source the bytes of its structure."""

    tables: dict[str, PublicTable]
    reports: dict[str, SourceReport]
    structures: dict[str, bytes]
    inside: Inside


def _protected(project: Project, released: Sequence[Event], watch: Stopwatch) -> _Protected:
    tables: dict[str, PublicTable] = {}
    reports: dict[str, SourceReport] = {}
    structures: dict[str, bytes] = {}
    inside = Inside()
    seed = project_seed(project.root)
    for name in sorted({table.said.source for table in project.tables.values()}):
        with watch.step(f"read and count {name}"):
            original = tabulate(project, name, secret=seed)
            inside.counts[name] = counts_of(original)
            watch.say(f"{len(original.space):,} cells")
        if project.sources[name].said.public:
            public = publish_openly(original)
            reports[name] = SourceReport(len(public.space), len(public.space), 0, 0, 0, 0, 0, 0, method=OPEN)
        else:
            with watch.step(f"protect and audit {name}"):
                method = project.method(name)
                no_other_method(released, project.root / "releases", name, method)
                rule = _rule(project.policy, method)
                if isinstance(method, Suppression):
                    found = protect_with_past(
                        original,
                        project.policy,
                        rule,
                        past_of(project.root / "releases", released, name),
                        project.decisions,
                        seed=_seed_for(seed, name),
                        progress=watch.progress.at,
                    )
                else:
                    made = protect_once(
                        project.root,
                        original,
                        project.policy,
                        method,
                        seed=_seed_for(seed, name),
                        secret=seed,
                        progress=watch.progress.at,
                    )
                    rule = replace(rule, level=0, interval_width=made.report.required_width)
                    found = Protected(made, (), None)
                protection = found.protection
                report = reports[name] = _source_report(protection, project.policy, method, found.report)
                watch.say(
                    f"{report.primary + report.secondary:,} hidden; none is under-protected"
                    if protection.utility is None
                    else f"{method.method.value}; nothing hidden"
                )
            public = protection.public
            if protection.utility is None:
                inside.reasons[name] = kept_reasons(protection)
                inside.utility[name] = utility(original, public.hidden)
            inside.scores.update(score_tables(project, original))
            structures[name] = write(public.space, rule, found.history)
        for table in public_tables(public):
            tables[table.name] = _marked(project, table)
    return _Protected(tables, reports, structures, inside)


def _rule(policy: Policy, method: Protector) -> Rule:
    return Rule(
        policy.audit_level,
        policy.interval_width,
        policy.minimum_count,
        method=method,
        insider_records=policy.insider_records,
    )


def _lists(project: Project) -> dict[str, PublicList]:
    wanted: dict[str, list[str]] = {}
    for page in project.pages:
        for rows in page.lists():
            fields = wanted.setdefault(rows.said.source, [])
            fields.extend(f for f in rows.said.fields if f not in fields)
    return {source: public_rows(project, source, tuple(fields)) for source, fields in wanted.items()}


def _facts(
    project: Project, tables: Mapping[str, PublicTable], reports: Mapping[str, SourceReport]
) -> dict[str, TableFacts]:
    hidden = list(Status).index(Status.HIDDEN)
    return {
        name: TableFacts(
            source=table.source,
            cells=len(table.coords),
            hidden=int((table.statuses == hidden).sum()),
            level=reports[table.source].audit_level,
            interval_width=reports[table.source].interval_width,
            minimum_count=0 if project.sources[table.source].said.public else project.policy.minimum_count,
            method=reports[table.source].method,
            reached=reports[table.source].reached
            if reports[table.source].reached != reports[table.source].audit_level
            else None,
        )
        for name, table in tables.items()
    }


def build(
    root: Path,
    *,
    date: datetime.date | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> BuildReport:
    """Builds a release of the project in `root`, staged: nothing goes live without signatures.

    date: the release date that pages and manifest carry; today if absent. workers: processes that draw.
    Raises ClerestoryError; then nothing was staged, and what is live is live as before.
    """
    root = root.resolve()
    watch = Stopwatch(progress or Quiet())
    if not (root / "clerestory.toml").is_file():
        raise InputError(
            "this folder is not a Clerestory project: it has no clerestory.toml",
            where=str(root),
            fix="start one with `clerestory new DIR`",
        )
    with lock(private_folder(root / "confidential")) as held:
        with watch.step("check the project"):
            project = load(root)
            rules_for(project, now=datetime.datetime.now(tz=datetime.UTC))
            watch.say(
                f"{len(project.sources)} sources, {len(project.tables)} tables, {len(project.pages)} pages"
            )
        register = Register(root)
        events = register.events()
        known = register.standing(events)
        budget.whole(root, budgets_of(register, events))
        protected = _protected(project, tuple(known.published.values()), watch)
        tables, reports = protected.tables, protected.reports
        lists = _lists(project)
        releases = root / "releases"
        day = date or datetime.datetime.now(tz=datetime.UTC).date()
        with watch.step("draw the site"):
            files = render(
                project,
                tables,
                lists,
                date=day,
                workers=workers,
                progress=lambda done, whole: watch.progress.at(f"{done:,} of {whole:,}"),
            )
            staged = stage(
                releases,
                chain(
                    ((path_of(name), content, "structure") for name, content in protected.structures.items()),
                    ((file.path, file.content, file.what) for file in files),
                ),
                title=project.said.site.title["en"],
                date=day,
                software=f"clerestory {__version__}",
                tables=_facts(project, tables, reports),
                held=held,
            )
            watch.say(f"{len(staged.manifest.files):,} files, {staged.size / 1e6:,.1f} MB")
        with watch.step("account for every number"):
            try:
                accounting = recheck(
                    staged,
                    tables,
                    lists,
                    assets=package_assets(),
                    texts=texts_of(project),
                    workers=workers,
                )
            except BaseException:
                discard(staged)
                raise
            watch.say(f"{accounting.numbers:,} numbers read back, each equals a protected cell")
        before = open_release(releases / known.live.release) if known.live else None
        release = commit(staged)
        with watch.step("prove from the release's files alone"):
            proof = prove_apart(release.folder)
            watch.say(
                f"{sum(source['witnesses'] for source in proof['sources']):,} witnesses, "
                f"{sum(proof['files'].values()) / 1e6:,.1f} MB"
            )
        changes = compare(before, release) if before else None
        typed = tuple(
            (str(page.file.relative_to(root)), line, words)
            for page in project.pages
            for line, words in typed_numbers(page)
        )
        protected.inside.fields.extend(fields_used(project))
        protected.inside.words.extend(words_around(root, typed))
        protected.inside.titles.update((name, one.said.title["en"]) for name, one in project.sources.items())
        switch(releases, release.id, STAGED)
        report = BuildReport(
            project=root,
            release=release.folder,
            sources=reports,
            accounting=accounting,
            changes=changes,
            typed=typed,
            bytes=staged.size,
            proof=proof,
            inside=protected.inside,
            after=head(events),
            budget=budget.head(root) or "",
            seconds=watch.seconds,
        )
        keep(root, release.id, report.said(), protected.inside, project.policy)
    return report
