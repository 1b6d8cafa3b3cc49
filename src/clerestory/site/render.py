"""Draws the whole site: its bytes follow from project, protected tables and date alone."""

from __future__ import annotations

import datetime
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.resources import files

from clerestory.project.project import Project
from clerestory.site.context import Site
from clerestory.site.derived import derived_files
from clerestory.site.downloads import list_file, table_files
from clerestory.site.draw import Draughtsman
from clerestory.site.files import SiteFile
from clerestory.site.pages import page_file
from clerestory.tables import PublicList, PublicTable

_CHUNK = 12
"""Choices of a page that a worker draws in a go: enough to reuse drawings, few enough to share out."""


@dataclass(frozen=True)
class _Job:
    """Some choices of one page, in every language: charts that say the same in each are drawn once."""

    path: str
    first: int
    last: int


def package_assets() -> dict[str, bytes]:
    """The files that come with this package: path relative to the release folder -> bytes."""
    folder = files("clerestory.site").joinpath("assets")
    return {
        f"site/assets/{item.name}": item.read_bytes()
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith((".css", ".js", ".svg", ".txt"))
    }


class _Worker:
    """What a worker process keeps between jobs."""

    site: Site
    draughtsman: Draughtsman


def _start(site: Site) -> None:
    _Worker.site = site
    _Worker.draughtsman = Draughtsman()


def _run(job: _Job) -> list[SiteFile]:
    return _pages(_Worker.site, job, _Worker.draughtsman)


def _pages(site: Site, job: _Job, draughtsman: Draughtsman) -> list[SiteFile]:
    return [
        page_file(site, job.path, language, choice, draughtsman)
        for choice in site.choices(job.path).all[job.first : job.last]
        for language in site.languages
    ]


def _jobs(site: Site) -> list[_Job]:
    return [
        _Job(path, first, first + _CHUNK)
        for path in site.paths
        for first in range(0, len(site.choices(path).all), _CHUNK)
    ]


def render(
    project: Project,
    tables: Mapping[str, PublicTable],
    lists: Mapping[str, PublicList],
    *,
    date: datetime.date,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[SiteFile]:
    """Every file of the site, in an order that is always the same.

    date: the release date that pages carry. workers: processes that draw; with 1, this one does.
    progress: called with how many pages are drawn and how many there are.
    Raises InputError if a page names what is not there, or holds a chart that cannot be drawn.
    """
    site = Site(project, dict(sorted(tables.items())), dict(sorted(lists.items())), date)
    for path, content in package_assets().items():
        yield SiteFile(path, content, "asset")
    for table in site.tables.values():
        yield from table_files(site, table)
    for rows in site.lists.values():
        yield list_file(rows)
    yield from derived_files(site)
    jobs = _jobs(site)
    whole = sum(len(site.choices(path).all) for path in site.paths) * len(site.languages)
    done = 0
    for made in _drawn(site, jobs, workers):
        yield from made
        done += len(made)
        if progress is not None:
            progress(done, whole)


def _drawn(site: Site, jobs: list[_Job], workers: int) -> Iterator[list[SiteFile]]:
    if workers <= 1 or len(jobs) <= 1:
        draughtsman = Draughtsman()
        for job in jobs:
            yield _pages(site, job, draughtsman)
        return
    # Started afresh, not forked: the drawing library and its threads must not be copied half-way.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(site,)) as pool:
        try:
            yield from pool.map(_run, jobs)
        finally:
            pool.shutdown(cancel_futures=True)
