"""Numbers somebody chose: named, cited, frozen profiles. A project names one and may only tighten it."""

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
    "Policy",
    "PriorPosterior",
    "Tightening",
    "policy_for",
]
