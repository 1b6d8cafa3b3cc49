"""What must happen before a release goes live. The root of trust sets the rules, a project tightens."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from clerestory.errors import InputError, Problems


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the checklist, which a reviewer answers."""

    id: str
    text_en: str
    text_es: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """The rules of the gate.

    That builder, reviewers and publisher are different people is none of them: it always holds.
    """

    reviewers: int = 1
    """How many must approve."""
    recount: bool = False
    """Whether another person must build the same digest from the sources."""
    reproof: bool = False
    """Whether another person must make the same proof from the public files."""
    review_minutes: int = 0
    """Time that must pass between build and publication, so that nobody is hurried."""
    approval_days: int = 30
    """How long an approval counts."""
    courses: tuple[str, ...] = ()
    """Courses that everybody who acts on a release must have passed, and not too long ago."""
    checklist: tuple[Question, ...] = ()
    """What a reviewer must answer."""
    report_hours: int = 24
    """Within how many hours a report from outside must be answered, or the release is withdrawn by itself."""
    cache_seconds: int = 60
    """How long anybody may keep a copy of what can be withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTightening:
    """What a project asks for beyond the root of trust; None leaves its rule. Lists are added to it."""

    reviewers: int | None = None
    recount: bool | None = None
    reproof: bool | None = None
    review_minutes: int | None = None
    approval_days: int | None = None
    courses: tuple[str, ...] | None = None
    checklist: tuple[Question, ...] | None = None
    report_hours: int | None = None
    cache_seconds: int | None = None


_LESS_IS_TIGHTER = ("approval_days", "report_hours", "cache_seconds")
_LISTS = ("courses", "checklist")


def gate_for(rules: GateRules, asked: GateTightening) -> GateRules:
    """The rules, tightened. Raises Problems that lists every number that would loosen one."""
    changes: dict[str, Any] = {}
    problems = []
    for field in fields(asked):
        name = field.name
        value, least = getattr(asked, name), getattr(rules, name)
        if value is None:
            continue
        if name in _LISTS:
            changes[name] = (*least, *(one for one in value if one not in least))
            known = [getattr(one, "id", one) for one in changes[name]]
            if len(set(known)) < len(known):
                problems.append(
                    InputError(
                        "a course or question stands twice, or has the name of another of the root of trust",
                        where=f"clerestory.toml, gate.{name}",
                        fix="give it a name of its own, or remove it: what the root of trust asks stays",
                    )
                )
            continue
        less = name in _LESS_IS_TIGHTER
        if value > least if less else value < least:
            problems.append(
                InputError(
                    f"{name} = {_said(value)} is looser than the root of trust's {_said(least)}",
                    where=f"clerestory.toml, gate.{name}",
                    fix=f"a project may only tighten it; {'lower' if less else 'raise'} it or remove the key",
                )
            )
        changes[name] = value
    if problems:
        raise Problems(problems)
    return replace(rules, **changes)


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
