"""Lists: rows of public sources, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.confidential.tabulate import public_rows
from clerestory.errors import InputError, Refused
from clerestory.tables import PublicList
from tests.confidential.tabulate.register import SOURCE, make_project

ROSTER = """
title = { en = "Roster", es = "Lista" }
location = "LOCATION"
TABLE
unit = "model"
public = true
[fields]
make = { role = "operational", title = { en = "Make", es = "Marca" } }
model = { role = "operational" }
remark = { role = "unused" }
"""


def test_the_rows_of_a_public_source(tmp_path: Path) -> None:
    project = make_project(tmp_path, "records/roster.csv", tables="", source=ROSTER)
    (tmp_path / "records/roster.csv").write_text('make,model,remark\nb,"x, y",no\na,,no\n')
    assert public_rows(project, "applications", ("make", "model")) == PublicList(
        name="applications",
        source="applications",
        title={"en": "Roster", "es": "Lista"},
        columns=("make", "model"),
        titles={"make": {"en": "Make", "es": "Marca"}, "model": {"en": "Model"}},
        rows=(("a", ""), ("b", "x, y")),
    )
    for field in ("remark", "colour"):
        with pytest.raises(InputError, match=field):
            public_rows(project, "applications", (field,))


def test_the_rows_of_another_source_are_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path, "records/none.csv", tables="", source=SOURCE)
    with pytest.raises(Refused, match="confidential"):
        public_rows(project, "applications", ("race",))
