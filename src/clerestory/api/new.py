"""A project folder to start from: one of the packaged templates, copied."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from clerestory.errors import InputError

CONFIDENTIAL_FOLDERS = ("records", "confidential")
"""Folders of a project that only their owner may enter."""


def project_templates() -> tuple[str, ...]:
    """Names of the packaged project templates."""
    found = resources.files("clerestory") / "templates"
    return tuple(sorted(entry.name for entry in found.iterdir() if (entry / "clerestory.toml").is_file()))


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for entry in sorted(source.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                _copy(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())


def new_project(folder: Path, template: str = "blank") -> Path:
    """Makes a project folder from a template.

    Raises InputError if the template is unknown or the folder holds anything already: nothing is changed.
    """
    names = project_templates()
    if template not in names:
        near = get_close_matches(template, names, n=1, cutoff=0.3)
        raise InputError(
            f"unknown template {template!r}",
            fix=f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(names)}",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "there is something here already",
            where=str(folder),
            fix="name a folder that does not exist yet, or an empty one",
        )
    folder.mkdir(parents=True, exist_ok=True)
    _copy(resources.files("clerestory") / "templates" / template, folder)
    for name in CONFIDENTIAL_FOLDERS:
        (folder / name).mkdir(mode=0o700, exist_ok=True)
        (folder / name).chmod(0o700)
    return folder
