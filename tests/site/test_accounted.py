"""The release's own accounting, written apart from the site, accepts the site's bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from clerestory.project import Project
from clerestory.release.bundle import stage
from clerestory.release.recheck import recheck
from clerestory.site import package_assets
from clerestory.tables import PublicTable
from tests.site.conftest import DAY
from tests.site.made_up import made_up_list


def texts(said: Any) -> Iterator[str]:
    """Every string of a project's files."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, BaseModel):
        yield from texts(dict(said))
    elif isinstance(said, Mapping):
        for key, value in said.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(said, list | tuple):
        for item in said:
            yield from texts(item)


def test_every_number_of_the_site_is_accounted_for(
    project: Project, tables: Mapping[str, PublicTable], site: Mapping[str, bytes], tmp_path: Path
) -> None:
    lists = made_up_list(project)
    words = {
        *texts(project.said),
        *(t for source in project.sources.values() for t in texts(source.said)),
        *(t for table in project.tables.values() for t in texts(table.said)),
        *(t for page in project.pages for t in (page.title, page.summary)),
        *(t for page in project.pages for chart in page.charts() for t in texts(chart.said)),
        *(t for page in project.pages for rows in page.lists() for t in texts(rows.said)),
    }
    staged = stage(
        tmp_path / "releases",
        ((path, content, "page") for path, content in site.items()),
        title="Open records",
        date=DAY,
        tables={},
    )
    found = recheck(staged, tables, lists, assets=package_assets(), texts=words, workers=1)
    assert found.numbers > 10_000
