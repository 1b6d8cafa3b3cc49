"""The small Python API; the command line is a thin layer over it."""

from clerestory.api.build import BuildReport, SourceReport, build
from clerestory.api.demo import demo
from clerestory.api.new import new_project, project_templates
from clerestory.api.progress import Progress, Quiet

__all__ = [
    "BuildReport",
    "Progress",
    "Quiet",
    "SourceReport",
    "build",
    "demo",
    "new_project",
    "project_templates",
]
