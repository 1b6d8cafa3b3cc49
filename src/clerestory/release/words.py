"""What a project's files say outside prose: titles, labels, descriptions, notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from clerestory.project.project import Chart, Project, Rows


def texts_of(project: Project) -> frozenset[str]:
    """Every text of a project that a page may repeat, in every language; prose is not among them.

    A number in one of them is the analyst's own word, as in prose, and is listed for the reviewer.
    """
    found: set[str] = {project.said.site.address, project.said.publisher.url, project.said.publisher.email}
    found.update(_words(project.said))
    for source in project.sources.values():
        found.update(_words(source.said))
    for table in project.tables.values():
        found.update(_words(table.said))
    for hierarchy in project.hierarchies.values():
        found.update(hierarchy.total.values())
        for title in hierarchy.titles.values():
            found.update(title.values())
    for page in project.pages:
        found.update((page.title, page.summary))
        for part in page.parts:
            if isinstance(part, Chart | Rows):
                found.update(_words(part.said))
    return frozenset(found - {""})


def _words(said: object) -> Iterator[str]:
    """Texts inside models: dictionaries from language to string, wherever they stand."""
    if isinstance(said, BaseModel):
        for name in type(said).model_fields:
            yield from _words(getattr(said, name))
    elif isinstance(said, Mapping):
        if "en" in said:
            yield from (text for text in said.values() if isinstance(text, str))
        else:
            for inner in said.values():
                yield from _words(inner)
    elif isinstance(said, tuple | list):
        for inner in said:
            yield from _words(inner)
