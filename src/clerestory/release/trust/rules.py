"""What every version of the root of trust must keep to, and every change of it; no signatures here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from clerestory.release.gate.keys import key_problem
from clerestory.release.trust.model import Content, Person

LEAST_THRESHOLD = 2
"""Nobody changes the root of trust alone."""
MOST_DAYS = 731
"""A version may last so long from its proposal: a copy of an old one is refused by then at the latest."""


def content_problems(content: Content) -> list[str]:
    """Why this may not be the content of a version; empty if it may."""
    return [
        *_trustee_problems(content),
        *(problem for person in content.people.values() for problem in _person_problems(content, person)),
        *_key_problems(content),
        *_rule_problems(content),
    ]


def _trustee_problems(content: Content) -> Iterator[str]:
    if len(set(content.trustees)) < len(content.trustees):
        yield "a trustee stands twice"
    if content.threshold < LEAST_THRESHOLD:
        yield f"the threshold is {content.threshold}, and nobody may change the root of trust alone"
    if content.threshold > len(set(content.trustees)):
        yield f"the threshold is {content.threshold}, but there are {len(content.trustees)} trustees"
    for name in content.trustees:
        person = content.people.get(name)
        if person is None:
            yield f"the trustee {name} is not among the people"
        elif len(person.keys) != 1:
            yield f"the trustee {name} has {len(person.keys)} keys, and must have one: each counts once"


def _person_problems(content: Content, person: Person) -> Iterator[str]:
    if content.people.get(person.id) != person:
        yield f"{person.id} stands under another name"
    if not person.name.strip() or not person.name.isprintable():
        yield f"{person.id} has no name that can be shown"
    if not person.roles:
        yield f"{person.id} has no role"
    for keyid in person.keys:
        if keyid not in content.keys:
            yield f"the key {keyid[:12]} of {person.id} is not among the keys"
    for one in person.training:
        if one.expires < one.date:
            yield f"{person.id}'s training in {one.course} expires before it was taken"


def _key_problems(content: Content) -> Iterator[str]:
    held = Counter(keyid for person in content.people.values() for keyid in person.keys)
    for keyid, times in held.items():
        if times > 1:
            yield f"the key {keyid[:12]} stands more than once: a key is of one person"
    for keyid, key in content.keys.items():
        if keyid not in held:
            yield f"the key {keyid[:12]} is nobody's"
        if keyid != key.keyid or key_problem(key):
            why = key_problem(key) or "it stands under another number"
            yield f"the key {keyid[:12]} cannot be used: {why}"
        if keyid in content.revoked:
            yield f"the key {keyid[:12]} is revoked, and can never be used again"
    material = Counter(key.keyval.get("public") for key in content.keys.values())
    if any(times > 1 for times in material.values()):
        yield "one key stands under two numbers"


def _rule_problems(content: Content) -> Iterator[str]:
    gate = content.gate
    if _twice(gate.courses) or _twice(question.id for question in gate.checklist):
        yield "a course or a question of the checklist stands twice"
    if gate.reviewers < 1 or gate.approval_days < 1 or gate.report_hours < 1:
        yield "reviewers, approval_days and report_hours are at least 1"
    if gate.review_minutes < 0 or gate.cache_seconds < 0:
        yield "review_minutes and cache_seconds are not negative"


def _twice(names: Iterable[str]) -> bool:
    return any(times > 1 for times in Counter(names).values())


def change_problems(before: Content, after: Content) -> list[str]:
    """Why one version may not follow another, whoever signs it; empty if it may."""
    problems = []
    for keyid, one in before.revoked.items():
        if after.revoked.get(keyid) != one:
            problems.append(f"the revoked key {keyid[:12]} of {one.person} must stay listed as it was")
    owners = {keyid: name for name, person in before.people.items() for keyid in person.keys}
    after_owners = {keyid: name for name, person in after.people.items() for keyid in person.keys}
    for keyid, name in owners.items():
        if keyid in after_owners:
            if after_owners[keyid] != name:
                problems.append(f"the key {keyid[:12]} of {name} cannot become another person's")
        elif keyid not in after.revoked:
            problems.append(f"the key {keyid[:12]} of {name} is gone, and must be listed as revoked")
        elif after.revoked[keyid].person != name:
            problems.append(f"the key {keyid[:12]} is {name}'s, and revoked as another person's")
    return problems
