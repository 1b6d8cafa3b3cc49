"""A project while it is being loaded: what could be read so far, where it stands, and what is wrong."""

from __future__ import annotations

from pathlib import Path

from clerestory.policy import CALHHS_DDG_2_0, Policy
from clerestory.project.problems import Collector, Document
from clerestory.project.project import Hierarchy, Source, Table


class Draft:
    """Grows while files are read; the checks look things up here.

    documents: where keys stand, by kind ("settings", "source", "table", "page") and name.
    broken: names that a file gives to something that could not be read; nobody is told they do not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.collect = Collector()
        self.policy: Policy = CALHHS_DDG_2_0
        self.hierarchies: dict[str, Hierarchy] = {}
        self.sources: dict[str, Source] = {}
        self.tables: dict[str, Table] = {}
        self.documents: dict[tuple[str, str], Document] = {}
        self.broken: set[tuple[str, str]] = set()
        self.broken_settings = False
        self.broken_tables = False
        self.partial_pages: set[tuple[str, str]] = set()
        """Path and language of pages of which a block could not be read."""
        self.unsound: set[str] = set()
        """Tables with problems in their dimensions or margins: pages are not judged by them."""

    def may_exist(self, kind: str, name: str) -> bool:
        """Whether something that is not there may be in a file that could not be read."""
        if (kind, name) in self.broken:
            return True
        return (kind == "hierarchy" and self.broken_settings) or (kind == "table" and self.broken_tables)
