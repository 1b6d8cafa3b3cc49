"""One person says one thing of one release: the statement, signed, kept, and its line in the ledger."""

from __future__ import annotations

from collections.abc import Callable

from securesystemslib.signer import Signer

from clerestory import __version__
from clerestory.errors import Refused
from clerestory.release.gate.bodies import PUBLIC, keep_body, put_beside
from clerestory.release.gate.envelope import seal
from clerestory.release.gate.register import Register
from clerestory.release.gate.roles import role_of
from clerestory.release.gate.statement import Approval
from clerestory.release.ledger import Event, Kind
from clerestory.release.trust import Trust

SOFTWARE = f"clerestory {__version__}"


def statement(
    register: Register,
    kind: Kind,
    release: str,
    manifest: str,
    signer: Signer,
    trust: Trust,
    *,
    reason: str = "",
    answers: str = "",
    after: str = "",
    budget: str = "",
) -> Approval:
    """What this key's owner says now. Raises Refused if the key may not say it."""
    now = register.clock()
    keyid = signer.public_key.keyid
    role, problem = role_of(kind, keyid, trust, now)
    who = trust.who(keyid)
    if role is None or who is None:
        raise Refused(
            problem or "this key is nobody's",
            where=f"to have it {kind.value}",
            fix="somebody with that role and current training must sign: clerestory trust show",
        )
    return Approval(
        kind=kind,
        release=release,
        manifest=manifest,
        person=who.id,
        role=role.value,
        time=now,
        policy=trust.rules_digest,
        software=SOFTWARE,
        answers=answers,
        trust=trust.version,
        reason=reason,
        after=after,
        budget=budget,
    )


def say(
    register: Register,
    said: Approval,
    signer: Signer,
    *,
    check: Callable[[tuple[Event, ...]], None] | None = None,
    body: str | None = None,
) -> Event:
    """Keeps a signed statement and writes its line.

    check: called with all lines under the ledger's lock; what it raises stops the line. body: what the line
    names instead of the statement's digest. A statement without its line counts for nothing.
    """
    content = seal(said.to_statement(), signer)
    digest = keep_body(register.root, content)
    if said.kind in PUBLIC:
        put_beside(register.releases / said.release, said.kind, content)
    return register.write(
        said.kind,
        said.release,
        said.manifest,
        signer,
        trust=said.trust,
        body=digest if body is None else body,
        check=check,
    )
