"""Who signed a release, as an outsider checks it: by a root of trust whose digest is pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from clerestory.errors import Refused
from clerestory.release.gate.counting import Counted, count, given, publisher_problem
from clerestory.release.gate.register import digest_of
from clerestory.release.ledger import Kind
from clerestory.release.trust import Trust, load_chain


@dataclass(frozen=True)
class Signed:
    """The people behind a release. root: the digest of the root that was pinned, "" if none was."""

    builders: tuple[str, ...]
    reviewers: tuple[str, ...]
    recounted: tuple[str, ...]
    publisher: str
    published: datetime
    root: str

    def sentence(self) -> str:
        """For people."""
        recount = f", recounted by {', '.join(self.recounted)}" if self.recounted else ""
        root = (
            f"the pinned root {self.root[:12]}" if self.root else "a root of trust that you have not pinned"
        )
        return (
            f"Built by {', '.join(self.builders)}, approved by {', '.join(self.reviewers)}{recount}, "
            f"published by {self.publisher} on {self.published:%Y-%m-%d}: each signature stands, by {root}."
        )


def signed_by(folder: Path, trust: Path, *, pinned: str = "") -> Signed:
    """Checks the signatures of a published release under a root of trust.

    pinned: the digest of a version that must be in the chain: with it, whoever serves the files cannot pass
    off another root. Raises Refused if a signature does not stand, one is missing, or the root is another.
    """
    chain = load_chain(trust)
    if pinned and pinned not in {one.digest for one in chain}:
        raise Refused(
            f"the pinned root {pinned[:12]} is not in this chain",
            where=str(trust),
            fix="this is another root than the one you know; ask the publisher, not this folder",
        )

    @cache
    def then(version: int) -> Trust:
        if not 1 <= version <= len(chain):
            raise Refused(f"there is no version {version} of the root of trust", where=str(trust))
        return chain[version - 1]

    return _checked(folder, then, pinned)


def _checked(folder: Path, then: Callable[[int], Trust], pinned: str) -> Signed:
    manifest = digest_of(folder)
    statements = given(folder, then)
    published = [
        one for one in statements if one.approval.kind is Kind.PUBLISHED and one.approval.manifest == manifest
    ]
    if not published:
        raise Refused(
            "nobody has signed for publishing it",
            where=folder.name,
            fix="it was staged and never went live; ask the publisher for the published one",
        )
    last = published[-1]
    trust = then(last.approval.trust)
    found: Counted = count(
        statements,
        manifest=manifest,
        rules=trust.gate,
        policy=trust.rules_digest,
        trust=trust,
        at=last.approval.time,
    )
    problem = publisher_problem(last.person, found)
    missing = [*found.missing, *([problem] if problem else [])]
    if missing:
        raise Refused("; ".join(missing), where=folder.name, fix="do not trust it; ask the publisher")
    return Signed(
        found.builders,
        found.reviewers,
        found.recounted,
        last.person,
        last.approval.time.astimezone(UTC),
        pinned,
    )
