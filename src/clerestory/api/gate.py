"""The gate, step by step: who built, approved, recounted, published, withdrew; each with a signature."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clerestory.api.kept import FOLDER, private_folder, read_kept
from clerestory.api.purge import Purged, purge
from clerestory.errors import ClerestoryError, InputError, Refused
from clerestory.policy import GateRules
from clerestory.project import load
from clerestory.release.bundle import STAGED, current
from clerestory.release.gate.counting import Counted
from clerestory.release.gate.evidence import Sealed, seal
from clerestory.release.gate.publishing import Published, counted_for, publish
from clerestory.release.gate.register import Register, digest_of
from clerestory.release.gate.restoring import Restored, restore
from clerestory.release.gate.say import say, statement
from clerestory.release.gate.takedown import TakenDown, takedown
from clerestory.release.ledger import NAME as LEDGER
from clerestory.release.ledger import Event, Kind
from clerestory.release.manifest import is_id
from clerestory.release.trust.project import rules_for
from clerestory.release.verify import Release, open_release, verify_digests

if TYPE_CHECKING:
    from securesystemslib.signer import Signer


def release_of(root: Path, release: str) -> Release:
    """The release that is named, or the one that was built last. Raises InputError if there is none."""
    releases = root / "releases"
    if release and not is_id(release):
        raise InputError("this is not the id of a release", where=release, fix="ids look like r-0123456789ab")
    if release and not (releases / release).is_dir():
        raise InputError("there is no such release", where=release, fix="see the folder releases/")
    found = open_release(releases / release) if release else current(releases, STAGED)
    if found is None:
        raise InputError("nothing was built yet", where=str(root), fix=f"clerestory build {root}")
    return found


def _is_project(root: Path) -> bool:
    return (root / "clerestory.toml").is_file()


def rules_of(root: Path, register: Register) -> GateRules:
    """The rules of the gate: the root's, tightened by the project's own where this is a project."""
    if _is_project(root):
        found = rules_for(load(root), now=register.clock())
        if found is not None:
            return found[1]
    return register.trust().gate


def signed(
    root: Path, kind: Kind, release: str, signer: Signer, *, reason: str = "", answers: str = ""
) -> Event:
    """One person's word on a release: built, approved, rejected, recounted, proved or emergency.

    Raises Refused if the key may not say it, or the release is not whole.
    """
    opened = release_of(root, release)
    verify_digests(opened.folder)
    register = Register(root)
    trust = register.trust()
    manifest = digest_of(opened.folder)
    after, budget = _built_with(root, opened) if kind is Kind.BUILT else ("", "")
    said = statement(
        register,
        kind,
        str(opened.id),
        manifest,
        signer,
        trust,
        reason=reason,
        answers=answers,
        after=after,
        budget=budget,
    )

    def check(events: tuple[Event, ...]) -> None:
        standing = register.standing(events)
        if manifest in standing.rejected and kind is not Kind.REJECTED:
            raise Refused("it was rejected", where=str(opened.id), fix="mend the project and build again")
        if kind is not Kind.BUILT and manifest not in standing.built:
            raise Refused(
                "nobody has signed for having built it",
                where=str(opened.id),
                fix="the analyst does so first: clerestory submit --as PERSON",
            )
        builders = {
            register.person(event)
            for event in events
            if event.kind is Kind.BUILT and event.manifest == manifest
        }
        if kind in (Kind.APPROVED, Kind.RECOUNTED, Kind.PROVED) and said.person in builders:
            raise Refused(
                f"{said.person} built it, so somebody else must do this",
                where=str(opened.id),
                fix="whoever builds a release does not also check it",
            )

    register.fold()
    check(register.events())
    return say(register, said, signer, check=check)


def _built_with(root: Path, release: Release) -> tuple[str, str]:
    """The heads of the ledger and of the privacy budget that a release was built with."""
    report = read_kept(root, str(release.id), "reports")
    after, budget = report.get("after"), str(report.get("budget", ""))
    if not isinstance(after, str) or len(after) != 64:
        raise InputError(
            "the report of this build does not say which ledger it was built against",
            where=str(release.id),
            fix="build it again: clerestory build",
        )
    return after, budget


@dataclass(frozen=True)
class Approvals:
    """Where a release stands at the gate."""

    release: str
    state: str
    counted: Counted

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory approvals`."""
        return {
            "kind": "done" if not self.counted.missing else "refused",
            "exit": 0 if not self.counted.missing else 1,
            "release": self.release,
            "state": self.state,
            **asdict(self.counted),
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        counted = self.counted
        rows = [
            (name, people)
            for name, people in (
                ("built by", counted.builders),
                ("approved by", counted.reviewers),
                ("recounted by", counted.recounted),
                ("proved again by", counted.proved),
                ("hurried by", counted.officers),
            )
            if people
        ]
        return [
            f"Release {self.release}: {self.state}.",
            *(f"  {name:<16} {', '.join(people)}" for name, people in rows),
            *(f"  missing: {problem}" for problem in counted.missing),
            *(f"  does not count: {problem}" for problem in counted.aside),
            *([] if counted.missing or self.state != "staged" else ["  Nothing is missing."]),
        ]


def approvals(root: Path, release: str) -> Approvals:
    """What the gate finds of a release."""
    opened = release_of(root, release)
    register = Register(root)
    events = register.events()
    standing = register.standing(events)
    manifest = digest_of(opened.folder)
    if manifest in standing.withdrawn:
        state = "withdrawn"
    elif manifest in standing.rejected:
        state = "rejected"
    elif standing.live and standing.live.manifest == manifest:
        state = "live"
    elif manifest in standing.published:
        state = "replaced by a newer one"
    else:
        state = "staged"
    counted = counted_for(register, opened, rules_of(root, register), register.trust(), events)
    return Approvals(str(opened.id), state, counted)


def go_live(root: Path, release: str, signer: Signer) -> Published:
    """Publishes a release. Raises Refused that lists all that is missing."""
    register = Register(root)
    opened = release_of(root, release)
    return publish(root, str(opened.id), signer, rules=rules_of(root, register), register=register)


@dataclass(frozen=True)
class Down:
    """A takedown and what followed. unsealed: why the evidence was not sealed, "" if it was."""

    taken: TakenDown
    cache: int
    evidence: Sealed | None
    unsealed: str
    purged: tuple[Purged, ...] = ()

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory takedown`."""
        return {
            "kind": "done",
            "exit": 0,
            **asdict(self.taken),
            "cache_seconds": self.cache,
            "evidence": str(self.evidence.folder) if self.evidence else None,
            "evidence_digest": self.evidence.digest if self.evidence else None,
            "evidence_problem": self.unsealed,
            "purged": [asdict(one) for one in self.purged],
        }


def take_down(
    root: Path, release: str, reason: str, signer: Signer | None, *, log: Path | None = None
) -> Down:
    """Withdraws a release at once, then seals the evidence: files, log, ledger.

    signer: None is break-glass. log: the access log's folder; the project's own if absent.
    Raises as takedown() does; what fails after the withdrawal is said in the answer, not raised.
    """
    taken = takedown(root, release, reason, signer, copy=not _is_project(root))
    return sealed(root, taken, reason, log=log)


def sealed(root: Path, taken: TakenDown, reason: str, *, log: Path | None = None) -> Down:
    """Purges caches and seals the evidence of a takedown. What fails is said in the answer, not raised."""
    register = Register(root)
    try:
        cache = register.newest_trust().gate.cache_seconds
    except ClerestoryError:
        cache = GateRules().cache_seconds
    purged = purge(_caches(root), taken.release)
    evidence, problem = None, ""
    try:
        evidence = seal(
            private_folder(root / FOLDER) / "evidence",
            taken.release,
            reason,
            [
                ("release", root / "releases" / taken.release),
                ("log", log or root / FOLDER / "log"),
                ("ledger/" + LEDGER, root / LEDGER),
                ("trust", root / "trust"),
            ],
            register.clock(),
        )
    except (ClerestoryError, OSError) as found:
        problem = found.what if isinstance(found, ClerestoryError) else "the disk is full"
    return Down(taken, cache, evidence, problem, purged)


def _caches(root: Path) -> tuple[str, ...]:
    """Caches in front of the site; none where the project's text cannot be read, which must stop nothing."""
    try:
        return load(root).said.site.purge if _is_project(root) else ()
    except ClerestoryError:
        return ()


def bring_back(root: Path, release: str, reason: str, signer: Signer) -> Restored:
    """One person's agreement that a withdrawn release may come back; the second one's brings it back."""
    return restore(Register(root), release, reason, signer)
