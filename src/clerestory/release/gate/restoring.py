"""Brings a withdrawn release back, when two people have said so."""

from __future__ import annotations

from dataclasses import dataclass

from securesystemslib.signer import Signer

from clerestory.errors import InputError, Refused
from clerestory.release.bundle import CURRENT, switch
from clerestory.release.gate import live
from clerestory.release.gate.register import Register
from clerestory.release.gate.say import say, statement
from clerestory.release.ledger import Event, Kind
from clerestory.release.manifest import ReleaseId
from clerestory.release.verify import open_release, verify_digests


@dataclass(frozen=True)
class Restored:
    """agreed: people who said so since the withdrawal; back: whether that is enough; live: whether it is
    what the public sees now, which it is not where another release went live meanwhile.
    """

    release: str
    agreed: tuple[str, ...]
    back: bool
    live: bool


def restore(register: Register, release: str, reason: str, signer: Signer) -> Restored:
    """One person's agreement that a withdrawn release may come back; with the second one it does.

    Raises InputError if it is not withdrawn, Refused if this person may not, or has agreed already.
    """
    register.fold()
    trust = register.trust()
    event = next((e for e in register.standing().withdrawn.values() if e.release == release), None)
    if event is None:
        raise InputError("it is not withdrawn", where=release, fix="see `clerestory ledger show`")
    opened = open_release(register.releases / release)
    verify_digests(opened.folder)
    said = statement(register, Kind.RESTORED, release, event.manifest, signer, trust, reason=reason)

    def check(events: tuple[Event, ...]) -> None:
        standing = register.standing(events)
        if event.manifest not in standing.withdrawn:
            raise Refused("it is back already", where=release)
        if said.person in standing.restorers.get(event.manifest, ()):
            raise Refused(
                f"{said.person} has agreed already",
                where=release,
                fix=f"{live.RESTORERS} different people must: ask a second officer or publisher",
            )

    check(register.events())
    agreed = {*register.standing().restorers.get(event.manifest, ()), said.person}
    say(register, said, signer, check=check)
    after = register.standing()
    back = event.manifest not in after.withdrawn
    shown = after.live is not None and after.live.manifest == event.manifest
    if shown:
        switch(register.releases, ReleaseId(release), CURRENT)
    return Restored(release, tuple(sorted(agreed)), back, shown)
