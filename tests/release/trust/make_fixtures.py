"""Makes the fixtures beside it: `python -m tests.release.trust.make_fixtures`. The same bytes each time.

Every folder holds a trust/ and one approval of one release, approval.json, as a server would find them.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from clerestory.release.gate.envelope import seal
from clerestory.release.gate.statement import Approval, Kind
from clerestory.release.trust import Training, Trust, load_chain, signed
from clerestory.release.trust.change import revoking
from tests.release.signing import NOW, agree, content, person, signer

FIXTURES = Path(__file__).parent / "fixtures"
MANIFEST = "1f0c5d2a9b34" + "e7" * 26
RELEASE = f"r-{MANIFEST[:12]}"


def _approval(trust: Trust, who: str = "ben") -> bytes:
    said = Approval(
        kind=Kind.APPROVED,
        release=RELEASE,
        manifest=MANIFEST,
        person=who,
        role="reviewer",
        time=datetime(2026, 11, 25, 13, tzinfo=UTC),
        policy=trust.rules_digest,
        software="clerestory 0.1.0",
        answers="a5" * 32,
        trust=trust.version,
    )
    return seal(said.to_statement(), signer(who))


def _flip(file: Path, after: bytes) -> None:
    """Flips one bit of the byte after these ones."""
    content_ = bytearray(file.read_bytes())
    content_[content_.index(after) + len(after)] ^= 1
    file.write_bytes(bytes(content_))


def make(target: Path) -> None:
    """Writes every fixture."""
    whole = target / "whole"
    trust = agree(whole / "trust", content())
    (whole / "approval.json").write_bytes(_approval(trust))

    flips = (
        ("flipped-root", "trust/1.root.json", b'"expires":"2027-01-1'),  # the end of a training
        ("flipped-approval", "approval.json", b'"sig":"'),
    )
    for name, file, after in flips:
        shutil.copytree(whole, target / name)
        _flip(target / name / file, after)

    short = target / "one-trustee-short"
    shutil.copytree(whole, short)
    second = signed.to_root(content(threshold=3), version=2, previous=trust.digest)
    for name in ("dora", "emil"):  # enough of the old trustees, one short of its own
        second.sign(signer(name), append=True)
    (short / "trust" / "2.root.json").write_bytes(signed.to_bytes(second))

    role = target / "role-missing"
    shutil.copytree(whole, role)
    (role / "approval.json").write_bytes(_approval(trust, "pia"))

    expired = target / "training-expired"
    course = Training("sdc-101", date(2025, 11, 1), date(2026, 10, 31))
    people = {**content().people, "ben": person("ben", training=(course,))}
    trust = agree(expired / "trust", content(people))
    (expired / "approval.json").write_bytes(_approval(trust))

    revoked = target / "key-revoked"
    shutil.copytree(whole, revoked)
    ben = signer("ben").public_key.keyid
    agree(
        revoked / "trust",
        revoking(load_chain(revoked / "trust")[-1], ben, on=date(2026, 11, 25), reason="laptop stolen"),
        now=NOW,
    )

    older = target / "older-root-as-newer"
    shutil.copytree(revoked, older)
    shutil.copy(older / "trust" / "1.root.json", older / "trust" / "3.root.json")

    back = target / "chain-cut-back"
    shutil.copytree(whole, back)  # 2.root.json, in which Ben's key is revoked, was taken away


if __name__ == "__main__":
    shutil.rmtree(FIXTURES, ignore_errors=True)
    make(FIXTURES)
    sys.stdout.write(f"made {len(list(FIXTURES.iterdir()))} fixtures\n")
