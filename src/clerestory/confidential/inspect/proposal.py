"""Which role a field probably has, by its name, type, uniqueness and the forms of its values."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from clerestory.confidential.inspect.shape import Shape
from clerestory.project import Role

_BY_NAME: tuple[tuple[str, Role, str, str], ...] = (
    (r"last_?name|surname|family_?name", Role.IDENTIFIER, "surname", "a surname"),
    (r"(first|given)_?name|forename", Role.IDENTIFIER, "given-name", "a given name"),
    (r"middle_?name|middle_initial", Role.IDENTIFIER, "middle-name", "a middle name"),
    (r"(^|_)(full_?name|name)$|maiden", Role.IDENTIFIER, "name", "a name"),
    (r"name_suffix|^suffix$", Role.IDENTIFIER, "name-suffix", "part of a name"),
    (r"(^|_)ssn(_|$)|social_security", Role.IDENTIFIER, "ssn", "a social security number"),
    (r"driver|(^|_)(dl|cdl)_?(no|num|number|id)", Role.IDENTIFIER, "driver-license", "a driver's license"),
    (r"(^|_)(cii|sid|state_id|fbi)(_|$)", Role.IDENTIFIER, "state-id", "a state's number for a person"),
    (r"passport|alien_?number", Role.IDENTIFIER, "official-id", "a number of an identity document"),
    (
        r"(permit|licen[cs]e|ccw|fsc|certificate|registration)_?(no|num|number|id)",
        *(Role.IDENTIFIER, "permit-number", "the number of a person's permit"),
    ),
    (r"serial", Role.IDENTIFIER, "serial-number", "a thing that belongs to one person"),
    (r"e_?mail", Role.IDENTIFIER, "email", "an address of a person"),
    (r"phone|mobile|(^|_)fax", Role.IDENTIFIER, "phone", "a telephone number"),
    (r"street|address|residence(?!.*county)", Role.IDENTIFIER, "address", "where somebody lives"),
    (
        r"(person|registrant|buyer|owner|respondent|patient|client)_id",
        Role.IDENTIFIER,
        "person-id",
        "tells people apart",
    ),
    (r"date_of_birth|birth_?(date|day)|(^|_)dob(_|$)", Role.QUASI_IDENTIFIER, "birth-date", "others know it"),
    (r"date_of_death|death_date", Role.QUASI_IDENTIFIER, "death-date", "others know it"),
    (r"(^|_)age(_|$)", Role.QUASI_IDENTIFIER, "age", "others know it"),
    (r"county", Role.QUASI_IDENTIFIER, "county", "others know it"),
    (r"(^|_)(zip|postal|postcode)", Role.QUASI_IDENTIFIER, "zip", "others know it"),
    (r"(^|_)(city|town|place|tract|district)(_|$)", Role.QUASI_IDENTIFIER, "place", "others know it"),
    (r"(^|_)(sex|gender)(_|$)", Role.QUASI_IDENTIFIER, "sex", "others know it"),
    (r"(^|_)(race|ethnicity|ethnic)", Role.QUASI_IDENTIFIER, "race", "others know it"),
    (
        r"height|weight|eye_|hair_|occupation|employer|marital|language|nationality",
        Role.QUASI_IDENTIFIER,
        "",
        "others know it",
    ),
    (
        r"note|comment|remark|narrative|(^|_)text$|free_?text|description",
        Role.UNUSED,
        "free-text",
        "free text may hold anything",
    ),
    (
        r"status|outcome|reason|result|decision|offen[cs]e|charge|manner|means|cause|denied|denial|custody|harm|threat|arrest|diagnos|convict|score",
        *(Role.SENSITIVE, "", "people would not have known it"),
    ),
    (r"(^|_)(fee|amount|price|cost|paid|total|quantity|surrendered)(_|$)", Role.MEASURE, "", "an amount"),
)

_KEYS = ("state-id", "person-id", "driver-license", "ssn", "official-id")
"""Kinds that tell people apart, best first."""

_CATEGORIES = 100


@dataclass(frozen=True)
class Proposal:
    """A proposed role. distinct and filled are shares, 0 to 1."""

    field: str
    type: str
    role: Role
    kind: str
    reason: str
    distinct: float
    filled: float

    def said(self) -> dict[str, object]:
        """The proposal as JSON has it."""
        return {
            "field": self.field,
            "type": self.type,
            "role": self.role.value,
            "kind": self.kind,
            "reason": self.reason,
            "distinct_share": round(self.distinct, 3),
            "filled_share": round(self.filled, 3),
        }


def propose(shape: Shape) -> Proposal:
    """The role that a field of this shape most likely has; the more careful one where two are likely."""
    role, kind, reason = _by_values(shape) or _by_name(shape) or _by_shape(shape)
    return Proposal(shape.name, shape.kind, role, kind, reason, shape.distinct, shape.filled)


def _by_values(shape: Shape) -> tuple[Role, str, str] | None:
    for pattern, kind in (("email", "email"), ("phone", "phone"), ("social security number", "ssn")):
        if shape.mostly(pattern):
            return Role.IDENTIFIER, kind, f"most values have the form of: {pattern}"
    return None


def _by_name(shape: Shape) -> tuple[Role, str, str] | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+", "_", shape.name).lower()
    for pattern, role, kind, why in _BY_NAME:
        if not re.search(pattern, name):
            continue
        if (
            role is Role.MEASURE
            and shape.kind not in ("number", "whole number")
            and not shape.mostly("number")
        ):
            continue
        if role is Role.SENSITIVE and shape.unique:
            continue
        if kind == "name" and 0 < shape.different <= _CATEGORIES and shape.distinct < 0.2:
            # The name of an agency, a court, a make: few of them.
            return Role.OPERATIONAL, "", "named like a name, but there are few different ones"
        return role, kind, f"by its name: {why}"
    return None


def _by_shape(shape: Shape) -> tuple[Role, str, str]:
    if shape.rows and not shape.filled:
        return Role.UNUSED, "", "it is empty"
    if shape.kind == "date" or shape.mostly("date"):
        return Role.OPERATIONAL, "date", "a date of the record"
    if shape.unique and shape.rows >= 20:
        if shape.kind == "text" and shape.length > 60 and not shape.mostly("code with digits"):
            return Role.UNUSED, "free-text", "long texts, nearly all different: may hold anything"
        if shape.kind != "number":
            return Role.IDENTIFIER, "record-number", "nearly every row has a value of its own"
    if shape.different <= 2 or shape.kind == "truth":
        return Role.SENSITIVE, "", "two values: says yes or no about somebody"
    if shape.different <= _CATEGORIES and shape.kind != "number":
        return (
            Role.SENSITIVE,
            "",
            f"at most {_CATEGORIES} different values: a category; careful until you know more",
        )
    if shape.kind in ("number", "whole number") or shape.mostly("number"):
        return Role.MEASURE, "", "a number with many different values"
    return Role.UNUSED, "", f"more than {_CATEGORIES} different texts: no category, so nothing to count by"


def proposal_toml(source: str, proposals: Sequence[Proposal], *, table: str = "") -> str:
    """A sources/NAME.toml to paste: a comment behind each field says why."""
    kinds = {proposal.kind: proposal.field for proposal in reversed(proposals)}
    person = next((kinds[kind] for kind in _KEYS if kind in kinds), None)
    stem = re.sub(
        r"[^a-z0-9_]+", "_", re.split(r"[/\\]", source.rstrip("/"))[-1].split(".")[0].lower()
    ).strip("_*")
    lines = [
        f"# sources/{stem or 'records'}.toml: proposed roles. Read each line before you save it.",
        f'title = "{stem.replace("_", " ").capitalize() or "Records"}"',
        f"location = {_text(_without_password(source))}",
    ]
    if table:
        lines.append(f"table = {_text(table)}")
    lines.append('unit = "record"  # what a row is: application, order, certificate')
    if person:
        lines.append(f"person = [{_text(person)}]  # what tells people apart")
    elif any(proposal.role is Role.IDENTIFIER for proposal in proposals):
        lines.append('# person = ["…"]  # name the fields that tell people apart')
    lines += ["", "[fields]"]
    keys = [
        proposal.field if re.fullmatch(r"[A-Za-z0-9_-]+", proposal.field) else _text(proposal.field)
        for proposal in proposals
    ]
    values = []
    for proposal in proposals:
        said = f"role = {_text(proposal.role.value)}" + (
            f", kind = {_text(proposal.kind)}" if proposal.kind else ""
        )
        if proposal.role is Role.MEASURE:
            said += ', unit = "…"'
        values.append(f"{{ {said} }}")
    wide = max(map(len, keys), default=0)
    broad = max(map(len, values), default=0)
    lines += [
        f"{key:<{wide}} = {value:<{broad}}  # {proposal.reason}"
        for key, value, proposal in zip(keys, values, proposals, strict=True)
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without_password(location: str) -> str:
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1@", location)
