"""A small project with every kind of page, with made-up tables, and its site rendered once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import pytest

from clerestory.project import Project, load
from clerestory.site import render
from clerestory.tables import PublicTable
from tests.site.made_up import made_up_list, made_up_tables

DAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="session")
def project() -> Project:
    return load(Path(__file__).parent / "small_project")


@pytest.fixture(scope="session")
def tables(project: Project) -> Mapping[str, PublicTable]:
    return made_up_tables(project)


@pytest.fixture(scope="session")
def site(project: Project, tables: Mapping[str, PublicTable]) -> Mapping[str, bytes]:
    """Path -> bytes of the whole site."""
    lists = made_up_list(project)
    return {file.path: file.content for file in render(project, tables, lists, date=DAY, workers=1)}


@pytest.fixture(scope="session")
def folder(site: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site on disk; returns the folder that a server would serve."""
    root = tmp_path_factory.mktemp("release")
    for path, content in site.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root / "site"
