"""What the root of trust asks of a project: a policy not below the floor, and a gate not looser."""

from __future__ import annotations

from datetime import datetime

from clerestory.errors import ClerestoryError, InputError, Problems
from clerestory.policy import GateRules, gate_for, looser
from clerestory.project import SETTINGS, Project
from clerestory.release.trust.form import tightening_of_gate
from clerestory.release.trust.model import Trust
from clerestory.release.trust.store import FOLDER, exists, load_trust


def rules_for(
    project: Project, *, now: datetime, pinned: str | None = None
) -> tuple[Trust, GateRules] | None:
    """The root of trust of a project, and its rules as the project tightens them; None without a root.

    Raises Problems that lists every rule of [policy] below the floor and of [gate] looser than the root's;
    Refused if there is a folder trust/ that cannot be used: what exists must hold.
    """
    folder = project.root / FOLDER
    if not exists(folder):
        gate_for(GateRules(), tightening_of_gate(project.said.gate))
        return None
    trust = load_trust(folder, now=now, pinned=pinned)
    problems: list[ClerestoryError] = [
        InputError(
            f"{one.name} is {one.asked}, below the floor of the root of trust: {one.floor}",
            where=f"{SETTINGS}, policy.{one.name}",
            fix="tighten it; only the trustees change the floor",
        )
        for one in looser(project.policy, trust.floor)
    ]
    gate = trust.gate
    try:
        gate = gate_for(trust.gate, tightening_of_gate(project.said.gate))
    except Problems as found:
        problems += found.problems
    if problems:
        raise Problems(problems)
    return trust, gate
