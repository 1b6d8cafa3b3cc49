"""The gate's rules and the floor as they are signed, and their digest."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from clerestory.policy import Floor, GateRules
from clerestory.release.gate import canonical


def gate_said(gate: GateRules) -> dict[str, Any]:
    """Gate rules as they are signed."""
    return asdict(gate)


def floor_said(floor: Floor) -> dict[str, Any]:
    """The floor as it is signed: fractions are texts, so that they have one form."""
    said = asdict(floor)
    said["p_percent"] = str(float(floor.p_percent))
    for name, keys in (("dominance", ("share",)), ("prior_posterior", ("p", "q"))):
        if said[name] is not None:
            said[name] |= {key: str(float(said[name][key])) for key in keys}
    return said


def rules_digest(gate: GateRules, floor: Floor) -> str:
    """SHA-256 of rules and floor in the one byte form: what an approval says that it was given under."""
    said = {"gate": gate_said(gate), "floor": floor_said(floor)}
    return hashlib.sha256(canonical.to_bytes(said)).hexdigest()
