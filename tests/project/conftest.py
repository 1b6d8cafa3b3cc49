"""Fixtures: a good project, and what is wrong with a broken one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from clerestory.errors import ClerestoryError, Problems
from clerestory.project import Project, load
from tests.project.good import write_project

Broken = Callable[[Mapping[str, str | None]], list[ClerestoryError]]


@pytest.fixture
def good(tmp_path: Path) -> Project:
    """The good project, loaded."""
    return load(write_project(tmp_path))


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    """Writes the good project with changed files and gives the problems that loading it finds."""

    def problems(changed: Mapping[str, str | None]) -> list[ClerestoryError]:
        write_project(tmp_path, changed)
        with pytest.raises(Problems) as caught:
            load(tmp_path)
        return list(caught.value.problems)

    return problems
