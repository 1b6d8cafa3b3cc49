"""The method of a source as project files say it, as the value that protection and attack use."""

from __future__ import annotations

from clerestory.methods import SUPPRESSION, CellKey, DifferentialPrivacy, Protector, Rounding
from clerestory.policy import Policy
from clerestory.project.models import (
    CellKeyFile,
    DifferentialPrivacyFile,
    MethodFile,
    RoundingFile,
    SuppressionFile,
)


def protector(said: MethodFile, policy: Policy) -> Protector:
    """The method, with what the file leaves out taken from the policy."""
    if isinstance(said, RoundingFile):
        return Rounding(said.kind, said.base, said.reach)
    if isinstance(said, CellKeyFile):
        largest = 2 * policy.interval_width if said.largest is None else said.largest
        return CellKey(said.mode, largest, said.variance, said.smallest)
    if isinstance(said, DifferentialPrivacyFile):
        return DifferentialPrivacy(said.mechanism, said.rho, said.budget, said.delta, said.records)
    assert isinstance(said, SuppressionFile)
    return SUPPRESSION
