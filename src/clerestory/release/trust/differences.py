"""What a new version of the root of trust would change, in sentences: trustees read it before they sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from clerestory.policy import Floor, GateRules, Question
from clerestory.policy.profiles import said
from clerestory.release.trust.model import Content, Person, Role, Training


def differences(old: Content | None, new: Content) -> tuple[str, ...]:
    """One sentence a change; of a first version, one for each thing that it says."""
    return tuple(_all(old, new))


def cautions(content: Content) -> tuple[str, ...]:
    """What may be, and is not wise."""
    found = []
    if len(content.trustees) == content.threshold:
        found.append("every trustee must sign each change: if one loses a key, nobody can change it any more")
    needed = ((Role.PUBLISHER, 1), (Role.REVIEWER, content.gate.reviewers), (Role.INCIDENT_OFFICER, 2))
    for role, least in needed:
        having = sum(role in person.roles and bool(person.keys) for person in content.people.values())
        if having < least:
            found.append(f"{having} with a key have the role {role.value}, and {least} are needed")
    return tuple(found)


def _all(old: Content | None, new: Content) -> Iterator[str]:
    if old is None:
        yield f"it lasts until {new.expires:%Y-%m-%d}"
        yield f"{new.threshold} of {', '.join(new.trustees)} change it together"
    else:
        if old.expires != new.expires:
            yield f"it lasts until {new.expires:%Y-%m-%d}, not {old.expires:%Y-%m-%d}"
        if old.threshold != new.threshold:
            yield f"the threshold of trustees goes from {old.threshold} to {new.threshold}"
        for name in sorted(set(new.trustees) - set(old.trustees)):
            yield f"{name} becomes a trustee"
        for name in sorted(set(old.trustees) - set(new.trustees)):
            yield f"{name} is no trustee any more"
    before = old.people if old else {}
    for name in sorted({*before, *new.people}):
        yield from _person(name, before.get(name), new.people.get(name))
    for keyid, one in sorted(new.revoked.items()):
        if old is None or keyid not in old.revoked:
            yield f"the key {keyid[:12]} of {one.person} is revoked from {one.date}: {one.reason}"
    yield from numbers("gate", old.gate if old else None, new.gate)
    yield from numbers("floor", old.floor if old else None, new.floor)


def _person(name: str, old: Person | None, new: Person | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is removed"
        return
    if old is None:
        roles = ", ".join(sorted(role.value for role in new.roles)) or "no role"
        keys = ", ".join(keyid[:12] for keyid in new.keys) or "none"
        yield f"{name} ({new.name}) is added: {roles}; keys {keys}"
    else:
        if old.name != new.name:
            yield f"{name} is called {new.name}, not {old.name}"
        for role in sorted(new.roles - old.roles - {Role.TRUSTEE}):
            yield f"{name} gets the role {role.value}"
        for role in sorted(old.roles - new.roles - {Role.TRUSTEE}):
            yield f"{name} loses the role {role.value}"
        for keyid in sorted(set(new.keys) - set(old.keys)):
            yield f"{name} gets the key {keyid[:12]}"
        for keyid in sorted(set(old.keys) - set(new.keys)):
            yield f"{name} loses the key {keyid[:12]}"
    known = set(old.training) if old else set()
    for one in new.training:
        if one not in known:
            yield f"{name} passed {_course(one)}"
    for one in sorted(known - set(new.training), key=_course):
        yield f"{name} did not pass {_course(one)}"


def _course(one: Training) -> str:
    return f"{one.course} on {one.date}, which counts until {one.expires}"


def numbers(what: str, old: GateRules | Floor | None, new: GateRules | Floor) -> Iterator[str]:
    """A sentence for each rule that changes; for each that is set, if there was nothing before."""
    for field in fields(new):
        after = getattr(new, field.name)
        if old is None:
            if after:
                yield f"{what}: {field.name} = {_shown(after)}"
        elif (before := getattr(old, field.name)) != after:
            yield f"{what}: {field.name} goes from {_shown(before)} to {_shown(after)}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(one.text_en if isinstance(one, Question) else one for one in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return said(value) if value else "none"
