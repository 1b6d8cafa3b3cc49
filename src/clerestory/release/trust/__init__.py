"""The root of trust: who may do what at the gate, agreed by a threshold of trustees."""

from clerestory.policy import Floor, GateRules, Question
from clerestory.release.trust.change import accept, propose, sign_draft
from clerestory.release.trust.model import Content, Person, Revoked, Role, Training, Trust
from clerestory.release.trust.said import rules_digest
from clerestory.release.trust.store import FOLDER, exists, load_chain, load_trust, trust_at, trust_folder

__all__ = [
    "FOLDER",
    "Content",
    "Floor",
    "GateRules",
    "Person",
    "Question",
    "Revoked",
    "Role",
    "Training",
    "Trust",
    "accept",
    "exists",
    "load_chain",
    "load_trust",
    "propose",
    "rules_digest",
    "sign_draft",
    "trust_at",
    "trust_folder",
]
