"""Disclosure control of tables without a project: protect a frame, or attack protected ones."""

from __future__ import annotations

from clerestory.api.attacked import AuditResult
from clerestory.api.auditing import audit
from clerestory.api.protected import ProtectedTable
from clerestory.api.protecting import protect

__all__ = ["AuditResult", "ProtectedTable", "audit", "protect"]
