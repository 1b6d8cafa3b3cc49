"""Checks a source file by itself: persons, roles, and what a public register may hold."""

from __future__ import annotations

from pathlib import PurePosixPath

from clerestory.errors import InputError
from clerestory.project.draft import Draft
from clerestory.project.locate import Key
from clerestory.project.location import DATABASES, has_password, source_kind
from clerestory.project.models import FieldFile, Role
from clerestory.project.problems import Document, nearest
from clerestory.project.project import Source
from clerestory.tables import MISSING, TOTAL

_TELLS_APART = (Role.IDENTIFIER, Role.QUASI_IDENTIFIER)


def check_source(draft: Draft, source: Source) -> None:
    """Notes what is wrong inside one source file."""
    _Check(draft, source).run()


class _Check:
    def __init__(self, draft: Draft, source: Source) -> None:
        self._draft = draft
        self._said = source.said
        self._document: Document = draft.documents["source", source.name]

    def run(self) -> None:
        self._location()
        self._person()
        self._holding()
        if not self._said.fields:
            self._add("the source declares no fields", ("fields",), "give every field a role under [fields]")
        for name, field in self._said.fields.items():
            self._field(name, field, ("fields", name))
            if self._said.public and field.role is Role.IDENTIFIER:
                self._add(
                    f"a public source cannot hold the identifier {name!r}",
                    ("fields", name, "role"),
                    "only registers without persons are public; take public = true away",
                )

    def _location(self) -> None:
        location = self._said.location
        if has_password(location):
            self._add(
                "a password in a project file",
                ("location",),
                "take it out; PostgreSQL reads it from PGPASSWORD or ~/.pgpass",
            )
        try:
            kind = source_kind(location)
        except InputError as error:
            self._add(error.what, ("location",), error.fix)
            return
        if kind in DATABASES and not self._said.table:
            self._add("a database needs the name of a table", ("table",), 'add table = "…"')
        if kind not in DATABASES and self._said.table:
            self._add(f"a {kind} file has no tables", ("table",), "remove the key")
        path = PurePosixPath(location.partition("://")[2] or location)
        if kind != "postgresql" and path.parts[:1] in (("releases",), ("dashboards",), ("lookups",)):
            self._add(
                f"records cannot stand in {path.parts[0]}/",
                ("location",),
                "move them to records/, which is private",
            )

    def _person(self) -> None:
        for place, name in enumerate(self._said.person):
            key: Key = ("person", place)
            field = self._said.fields.get(name)
            if field is None:
                self._add(f"no field {name!r}", key, nearest(name, self._said.fields))
            elif field.role not in _TELLS_APART:
                self._add(
                    f"the field {name!r} tells people apart, but its role is {field.role.value!r}",
                    key,
                    "its role is then identifier or quasi-identifier",
                )
        if len(set(self._said.person)) < len(self._said.person):
            self._add("a field stands twice", ("person",), "name each once")
        if self._said.public and self._said.person:
            self._add(
                "a public source cannot be about persons",
                ("person",),
                "only registers without persons are public; take public = true away",
            )

    def _holding(self) -> None:
        """Fields that say who a record's contributor is: read to tell them apart, so any but unused ones."""
        for place, name in enumerate(self._said.holding):
            key: Key = ("holding", place)
            field = self._said.fields.get(name)
            if field is None:
                self._add(f"no field {name!r}", key, nearest(name, self._said.fields))
            elif field.role in (Role.UNUSED, Role.MEASURE):
                self._add(
                    f"the field {name!r} cannot tell contributors apart: its role is {field.role.value!r}",
                    key,
                    "name the field that says whose a record is, such as a company or an agency",
                )
        if len(set(self._said.holding)) < len(self._said.holding):
            self._add("a field stands twice", ("holding",), "name each once")
        if self._said.public and self._said.holding:
            self._add(
                "a public source has nobody to protect, so no contributors",
                ("holding",),
                "remove the key, or take public = true away",
            )

    def _field(self, name: str, field: FieldFile, key: Key) -> None:
        if field.bounds is not None and field.role is not Role.MEASURE:
            self._add(
                f"bounds on {name!r}, which is not a measure", (*key, "bounds"), 'role = "measure" has bounds'
            )
        if field.bounds is not None and field.bounds[0] > field.bounds[1]:
            self._add("the least is above the greatest", (*key, "bounds"), "write [least, greatest]")
        if field.unit and field.role is not Role.MEASURE:
            self._add(
                f"a unit on {name!r}, which is not a measure", (*key, "unit"), 'role = "measure" has a unit'
            )
        if field.categories is None:
            return
        if field.role in (Role.IDENTIFIER, Role.UNUSED, Role.MEASURE):
            self._add(
                f"categories on {name!r}, whose role is {field.role.value!r}",
                (*key, "categories"),
                "remove them: the field cannot divide a table",
            )
        if not field.categories:
            self._add("no categories", (*key, "categories"), "list them, or remove the key")
        for code in field.categories:
            if code in (TOTAL, MISSING) or not code.strip():
                self._add(
                    f"the code {code!r} is reserved",
                    (*key, "categories", code),
                    "totals and missing values are added for you",
                )

    def _add(self, what: str, key: Key, fix: str = "") -> None:
        self._draft.collect.add(what, where=self._document.at(key), fix=fix)
