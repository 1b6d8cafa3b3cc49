"""Numbers somebody chose: named, cited, frozen profiles. A project names one and may only tighten it."""

from clerestory.policy.floor import Floor, Looser, floor_of, looser
from clerestory.policy.gate import GateRules, GateTightening, Question, gate_for
from clerestory.policy.policy import Cost, Dominance, Policy, PriorPosterior
from clerestory.policy.profiles import (
    CALHHS_DDG_2_0,
    CDC_WONDER,
    CMS,
    NCES_FERPA,
    ONS,
    PROFILES,
    Tightening,
    policy_for,
)

__all__ = [
    "CALHHS_DDG_2_0",
    "CDC_WONDER",
    "CMS",
    "NCES_FERPA",
    "ONS",
    "PROFILES",
    "Cost",
    "Dominance",
    "Floor",
    "GateRules",
    "GateTightening",
    "Looser",
    "Policy",
    "PriorPosterior",
    "Question",
    "Tightening",
    "floor_of",
    "gate_for",
    "looser",
    "policy_for",
]
