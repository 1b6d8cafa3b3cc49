"""The demonstration's four people: throw-away keys, a root of trust, each step that a release takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import Signer

from clerestory.api.approving import approve
from clerestory.api.gate import approvals, go_live, signed
from clerestory.api.kept import FOLDER, private_folder
from clerestory.api.review import answer_all, review
from clerestory.policy import CALHHS_DDG_2_0, GateRules, floor_of
from clerestory.release.gate.counting import Counted
from clerestory.release.gate.keys import load_signer, new_key
from clerestory.release.ledger import Kind
from clerestory.release.trust import (
    Content,
    Person,
    Role,
    Training,
    accept,
    exists,
    propose,
    sign_draft,
)

KEYS = Path(FOLDER) / "keys"
PASSPHRASE = "only for the demonstration"  # noqa: S105  throw-away keys, made anew in each demonstration
COURSE = "disclosure-control"
_DAYS = 365
PEOPLE = {
    "ana": ("Ana Archer (invented)", Role.ANALYST),
    "rosa": ("Rosa Reyes (invented)", Role.REVIEWER),
    "paul": ("Paul Park (invented)", Role.PUBLISHER),
    "ines": ("Ines Ibarra (invented)", Role.INCIDENT_OFFICER),
}
TRUSTEES = ("ines", "paul", "rosa")


def make_trust(root: Path) -> None:
    """Keys in confidential/keys and a root of trust for the demonstration's people, if it has none yet."""
    folder = root / "trust"
    if exists(folder):
        return
    now = datetime.now(UTC)
    today = now.date()
    private_folder(root / FOLDER)
    made = {}
    for name in PEOPLE:
        file = private_folder(root / KEYS) / f"{name}.pem"
        file.unlink(missing_ok=True)
        made[name] = new_key(file, PASSPHRASE.encode())
    training = (Training(COURSE, today, today + timedelta(days=_DAYS)),)
    people = {
        name: Person(
            name,
            said,
            frozenset({role} | ({Role.TRUSTEE} if name in TRUSTEES else set())),
            (made[name].keyid,),
            training,
        )
        for name, (said, role) in PEOPLE.items()
    }
    propose(
        folder,
        Content(
            expires=now.replace(microsecond=0) + timedelta(days=_DAYS),
            trustees=TRUSTEES,
            threshold=2,
            people=people,
            keys={key.keyid: key for key in made.values()},
            gate=GateRules(reviewers=1, courses=(COURSE,)),
            floor=floor_of(CALHHS_DDG_2_0),
        ),
    )
    for name in TRUSTEES[:2]:
        sign_draft(folder, load_signer(root / KEYS / f"{name}.pem", PASSPHRASE.encode()))
    accept(folder)


def through_the_gate(root: Path, release: str) -> Counted:
    """Every signature that the demonstration's release needs, each by an invented person's throw-away key.

    The invented reviewer says yes to every question: in earnest, a person reads the page and answers.
    """

    before = approvals(root, release)
    if before.state == "live":
        return before.counted

    def key(name: str) -> Signer:
        return load_signer(root / KEYS / f"{name}.pem", PASSPHRASE.encode())

    signed(root, Kind.BUILT, release, key("ana"))
    review(root, release)
    answers = answer_all(root, release, by="rosa")
    approve(root, release, key("rosa"), answers)
    return go_live(root, release, key("paul")).counted
