"""Which roles may write which line of the ledger."""

from __future__ import annotations

from datetime import datetime

from clerestory.release.ledger import Kind
from clerestory.release.trust import Role, Trust

_ROLES = {
    Kind.BUILT: (Role.ANALYST,),
    Kind.APPROVED: (Role.REVIEWER,),
    Kind.REJECTED: (Role.REVIEWER, Role.PUBLISHER),
    Kind.RECOUNTED: (Role.ANALYST, Role.REVIEWER),
    Kind.PROVED: (Role.ANALYST, Role.REVIEWER, Role.PUBLISHER),
    Kind.EMERGENCY: (Role.PUBLISHER, Role.INCIDENT_OFFICER),
    Kind.PUBLISHED: (Role.PUBLISHER,),
    Kind.WITHDRAWN: (Role.INCIDENT_OFFICER, Role.PUBLISHER),
    Kind.RESTORED: (Role.INCIDENT_OFFICER, Role.PUBLISHER),
    Kind.REPORTED: (Role.ANALYST, Role.REVIEWER, Role.PUBLISHER, Role.INCIDENT_OFFICER),
    Kind.ANSWERED: (Role.REVIEWER, Role.INCIDENT_OFFICER),
}


def roles_for(kind: Kind) -> tuple[Role, ...]:
    """The roles of which one is needed."""
    return _ROLES[kind]


def role_of(kind: Kind, keyid: str, trust: Trust, at: datetime) -> tuple[Role | None, str]:
    """The role in which a key may write a line at a moment, or None and why it may not."""
    problem = ""
    for role in roles_for(kind):
        found = trust.problem(keyid, role, at)
        if not found:
            return role, ""
        problem = problem or found
    return None, problem
