"""trust.toml, in which people write down what the root of trust should say: read it, and write it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key

from clerestory.errors import InputError
from clerestory.policy import (
    Dominance,
    Floor,
    GateRules,
    GateTightening,
    PriorPosterior,
    Question,
    Tightening,
    floor_of,
    policy_for,
)
from clerestory.project.models import GateFile
from clerestory.project.problems import Collector, Document
from clerestory.project.read import read_toml, to_model
from clerestory.project.trust_file import FloorFile, PersonFile, TrustFile
from clerestory.release.gate.keys import public_from, public_text
from clerestory.release.trust.model import Content, Person, Revoked, Role, Training

NAME = "trust.toml"


def read_form(file: Path) -> Content:
    """What a trust.toml asks for. Raises Problems that lists all that is wrong, each with line and key."""
    collect = Collector()
    read = read_toml(file.parent, file, collect)
    said = to_model(TrustFile, read[0], read[1], collect) if read else None
    if read is None or said is None:
        collect.finish()
        raise InputError("it cannot be used", where=str(file))
    document = read[1]
    keys: dict[str, Key] = {}
    people = {name: _person(name, one, keys, document, collect) for name, one in said.people.items()}
    floor = _floor(said.floor, document, collect)
    collect.finish()
    return Content(
        expires=datetime.combine(said.expires, time(), UTC),
        trustees=said.trustees,
        threshold=said.threshold,
        people=people,
        keys=keys,
        gate=GateRules(**_given(tightening_of_gate(said.gate))),
        floor=floor,
        revoked={one.key: Revoked(one.person, one.date, one.reason) for one in said.revoked},
    )


def _person(
    name: str, said: PersonFile, keys: dict[str, Key], document: Document, collect: Collector
) -> Person:
    mine = []
    for place, text in enumerate(said.keys):
        try:
            key = public_from(text)
        except InputError as problem:
            collect.add(problem.what, where=document.at(("people", name, "keys", place)), fix=problem.fix)
            continue
        keys[key.keyid] = key
        mine.append(key.keyid)
    training = tuple(Training(one.course, one.date, one.expires) for one in said.training)
    return Person(name, said.name, frozenset(Role(role.value) for role in said.roles), tuple(mine), training)


def _floor(said: FloorFile, document: Document, collect: Collector) -> Floor:
    numbers = _floor_numbers(said)
    if said.profile is None:
        return Floor(**numbers)
    names = {field.name for field in fields(Tightening)}
    try:
        policy = policy_for(
            said.profile, Tightening(**{name: value for name, value in numbers.items() if name in names})
        )
    except InputError as problem:
        key = problem.where.rpartition("policy.")[2]
        collect.add(problem.what, where=document.at(("floor", key)), fix=problem.fix)
        return Floor()
    return replace(floor_of(policy), **{name: value for name, value in numbers.items() if name not in names})


def _floor_numbers(said: FloorFile) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: getattr(said, name)
        for name in FloorFile.model_fields
        if name != "profile" and getattr(said, name) is not None
    }
    if said.dominance:
        given["dominance"] = Dominance(said.dominance.contributors, said.dominance.share)
    if said.prior_posterior:
        given["prior_posterior"] = PriorPosterior(said.prior_posterior.p, said.prior_posterior.q)
    return given


def tightening_of_gate(said: GateFile) -> GateTightening:
    """What a [gate] asks for."""
    asked = {name: getattr(said, name) for name in GateFile.model_fields}
    if said.checklist is not None:
        asked["checklist"] = tuple(
            Question(one.id, one.text["en"], one.text.get("es", "")) for one in said.checklist
        )
    return GateTightening(**asked)


def _given(asked: GateTightening) -> dict[str, Any]:
    values = {field.name: getattr(asked, field.name) for field in fields(asked)}
    return {name: value for name, value in values.items() if value is not None}


def form_of(content: Content) -> str:
    """The trust.toml that asks for exactly this."""
    lines = [
        "# What the root of trust should say. It counts for nothing until enough trustees have signed it.",
        f"expires = {content.expires:%Y-%m-%d}",
        f"threshold = {content.threshold}",
        f"trustees = {_text(list(content.trustees))}",
    ]
    for name, person in sorted(content.people.items()):
        roles = sorted(role.value for role in person.roles - {Role.TRUSTEE})
        lines += [
            "",
            f"[people.{name}]",
            f"name = {_text(person.name)}",
            f"roles = {_text(roles)}",
            f"keys = {_text([public_text(content.keys[keyid]) for keyid in person.keys])}",
            "training = [",
            *(
                f"  {{ course = {_text(one.course)}, date = {one.date}, expires = {one.expires} }},"
                for one in person.training
            ),
            "]",
        ]
    lines += ["", "[gate]", *_gate_lines(content.gate)]
    lines += ["", "[floor]", *_floor_lines(content.floor)]
    for keyid, one in sorted(content.revoked.items()):
        lines += [
            "",
            "[[revoked]]",
            f"key = {_text(keyid)}",
            f"person = {_text(one.person)}",
            f"date = {one.date}",
            f"reason = {_text(one.reason)}",
        ]
    return "\n".join(lines) + "\n"


def _gate_lines(gate: GateRules) -> list[str]:
    plain = ("reviewers", "recount", "reproof", "review_minutes", "approval_days", "courses")
    lines = [f"{name} = {_text(getattr(gate, name))}" for name in (*plain, "report_hours", "cache_seconds")]
    for question in gate.checklist:
        spanish = f", es = {_text(question.text_es)}" if question.text_es else ""
        lines += [
            "",
            "[[gate.checklist]]",
            f"id = {_text(question.id)}",
            f"text = {{ en = {_text(question.text_en)}{spanish} }}",
        ]
    return lines


def _floor_lines(floor: Floor) -> list[str]:
    lines = []
    for field in fields(floor):
        value = getattr(floor, field.name)
        if isinstance(value, Dominance):
            lines.append(f"dominance = {{ contributors = {value.contributors}, share = {value.share} }}")
        elif isinstance(value, PriorPosterior):
            lines.append(f"prior_posterior = {{ p = {value.p}, q = {value.q} }}")
        elif value:
            lines.append(f"{field.name} = {value}")
    return lines


def _text(value: object) -> str:
    """A TOML value: JSON's texts, lists and truths are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
