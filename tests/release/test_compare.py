"""What changed between two releases, from public files only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from clerestory.release.bundle import Staged, commit
from clerestory.release.compare import compare

Stage = Callable[[Mapping[str, bytes]], Staged]

BEFORE = """county,county_level,year,value,status
all,all,all,100,
kern,county,all,60,
inyo,county,all,,hidden
kern,county,2012,30,
mono,county,all,12,
alpine,county,all,20,
"""
AFTER = """county,county_level,year,value,status
all,all,all,101,
kern,county,all,60,incomplete
inyo,county,all,14,
kern,county,2012,,hidden
yolo,county,all,12,
alpine,county,all,20,
"""


def test_cells_newly_shown_hidden_changed_and_gone_are_named(staged: Stage) -> None:
    old = commit(
        staged({"site/data/ccw.csv": BEFORE.encode(), "site/a.html": b"1", "site/data/old.csv": b"x\n"})
    )
    new = commit(
        staged({"site/data/ccw.csv": AFTER.encode(), "site/b.html": b"1", "site/data/new.csv": b"x\n"})
    )
    found = compare(old, new)
    assert found.files.added == ("site/b.html", "site/data/new.csv")
    assert found.files.removed == ("site/a.html", "site/data/old.csv")
    assert found.files.changed == ("site/data/ccw.csv",)
    assert (found.tables_added, found.tables_removed) == (("new",), ("old",))
    (table,) = found.tables
    assert table.newly_shown == ("county=inyo",)
    assert table.newly_hidden == ("county=kern, year=2012",)
    assert table.changed == ("the total",)
    assert table.status == ("county=kern",)
    assert table.added == ("county=yolo",) and table.removed == ("county=mono",)
    assert table.categories_added == ("county=yolo",) and table.categories_removed == ("county=mono",)
    assert "1 newly shown, 1 newly hidden, 1 with another number" in found.summary()
    said = json.loads(json.dumps(found.said()))
    assert said["tables"][0]["newly_hidden"] == {"count": 1, "first": ["county=kern, year=2012"]}


def test_a_release_is_the_same_as_itself(staged: Stage) -> None:
    release = commit(staged({"site/data/ccw.csv": BEFORE.encode()}))
    found = compare(release, release)
    assert found.same and found.tables == ()
    assert found.summary() == "Nothing changed since the last release."


def test_a_public_list_is_compared_by_its_rows(staged: Stage) -> None:
    old = commit(staged({"site/data/roster.csv": b"make,model\nAcme,1\n"}))
    new = commit(staged({"site/data/roster.csv": b"make,model\nAcme,1\nAcme,2\n"}))
    (table,) = compare(old, new).tables
    assert table.added == ("make=Acme, model=2",)
