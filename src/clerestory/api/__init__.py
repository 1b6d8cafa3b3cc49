"""The small Python API; the command line is a thin layer over it."""

from clerestory.api.build import BuildReport, SourceReport, build
from clerestory.api.demo import demo
from clerestory.api.new import new_project, project_templates
from clerestory.api.progress import Progress, Quiet
from clerestory.api.standalone import AuditResult, ProtectedTable, audit, protect

__all__ = [
    "AuditResult",
    "BuildReport",
    "Progress",
    "ProtectedTable",
    "Quiet",
    "SourceReport",
    "audit",
    "build",
    "demo",
    "new_project",
    "project_templates",
    "protect",
]
