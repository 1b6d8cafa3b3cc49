"""The accounting check reads a structure back: it must link the protected tables as they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clerestory.confidential.protect.publish import public_tables
from clerestory.errors import Refused
from clerestory.release import structure
from clerestory.release.bundle import stage
from clerestory.release.recheck import Accounting, recheck
from clerestory.release.structure import Rule
from clerestory.tables import Attribute, PublicCells
from tests.release.proving import DAY, facts_of, files_of, protected

SEED = 12
PATH = structure.path_of("source")


@pytest.fixture(scope="module")
def cells() -> tuple[PublicCells, Rule]:
    _, public, rule = protected(SEED)
    return public, rule


def account(folder: Path, public: PublicCells, rule: Rule, files: dict[str, bytes]) -> Accounting:
    staged = stage(
        folder,
        ((path, content, "file") for path, content in files.items()),
        title="Small",
        date=DAY,
        tables=facts_of(public, rule),
    )
    tables = {table.name: table for table in public_tables(public)}
    return recheck(staged, tables, {}, assets={}, workers=1)


def test_a_structure_of_the_tables_is_accounted_for(tmp_path: Path, cells: tuple[PublicCells, Rule]) -> None:
    found = account(tmp_path, *cells, files_of(*cells))
    assert found.files == len(cells[0].space.layouts) + 1


def _edited(content: bytes, what: str) -> bytes:
    """The structure with one thing changed, still in the canonical form where its reader allows it."""
    said = json.loads(content)
    table = said["tables"][0]
    dimension = table["dimensions"][0]
    node = dimension["nodes"][-1]
    if what == "code":
        node[0] = "elsewhere"
    elif what == "members":
        node[3] = dimension["nodes"][-2][3]
    elif what == "level":
        node[1] = "other"
    elif what == "name":
        dimension["name"] = "other"
        table["margins"] = [
            ["other" if n not in {d["name"] for d in table["dimensions"]} else n for n in m]
            for m in table["margins"]
        ]
    elif what == "unit":
        table["unit"]["by"] = "some_date"
    elif what == "rows":
        table["rows"] += 1
    elif what == "axis":
        said["axes"][0]["categories"] += 1
    elif what == "source":
        said["source"] = "other"
    elif what == "policy":
        said["minimum_count"] -= 1
    elif what == "zeros":
        said["zeros_shown"] = "perhaps"
    elif what == "zeros of a table":
        table["zeros_shown"] = not table["zeros_shown"]
    elif what == "attributes":
        table["attributes"] = [[dimension["name"], 3]]
    tables = []
    for one in said["tables"]:
        lines = ",\n".join(_json(d) for d in one.pop("dimensions"))
        tables.append(f'{_json(one)[:-1]},"dimensions":[\n{lines}\n]}}')
    del said["tables"]
    whole = ",\n".join(tables)
    return f'{_json(said)[:-1]},"tables":[\n{whole}\n]}}\n'.encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_the_editor_of_these_tests_keeps_the_form(cells: tuple[PublicCells, Rule]) -> None:
    content = files_of(*cells)[PATH]
    assert _edited(content, "nothing") == content


@pytest.mark.parametrize(
    "what",
    [
        *("code", "members", "level", "name", "unit", "rows", "source", "policy", "zeros", "axis"),
        *("zeros of a table", "attributes"),
    ],
)
def test_a_structure_of_other_tables_is_refused(
    tmp_path: Path, cells: tuple[PublicCells, Rule], what: str
) -> None:
    files = files_of(*cells)
    changed = _edited(files[PATH], what)
    assert changed != files[PATH]
    with pytest.raises(Refused, match=r"structure/source\.json"):
        account(tmp_path, *cells, files | {PATH: changed})


def test_a_structure_of_other_cells_is_refused(tmp_path: Path, cells: tuple[PublicCells, Rule]) -> None:
    public, rule = cells
    fewer = replace(public.space, layouts=public.space.layouts[:-1])
    files = files_of(public, rule) | {PATH: structure.write(fewer, rule)}
    with pytest.raises(Refused, match=r"structure/source\.json"):
        account(tmp_path / "fewer", public, rule, files)

    other = PublicCells(
        public.space, np.where(public.hidden, 0, public.values + (public.values > 0)), public.hidden
    )
    csvs = {path: content for path, content in files_of(other, rule).items() if path != PATH}
    with pytest.raises(Refused):
        account(tmp_path / "other", public, rule, files_of(public, rule) | csvs)


def test_a_structure_in_another_place_is_refused(tmp_path: Path, cells: tuple[PublicCells, Rule]) -> None:
    files = files_of(*cells)
    files["structure/more.json"] = files[PATH]
    with pytest.raises(Refused, match="not named after it"):
        account(tmp_path, *cells, files)


def test_a_structure_holds_no_value_and_no_name_of_an_unpublished_category(
    cells: tuple[PublicCells, Rule],
) -> None:
    public, rule = cells
    shifted = PublicCells(
        public.space, np.where(public.hidden, 0, public.values + 1000), public.hidden, public.zeros_shown
    )
    assert structure.write(shifted.space, rule) == structure.write(public.space, rule)
    renamed = replace(
        public.space,
        axes=tuple(
            replace(axis, categories=tuple(f"secret {i}" for i in range(len(axis.categories))))
            for axis in public.space.axes
        ),
    )
    assert structure.write(renamed, rule) == structure.write(public.space, rule)


def test_a_structure_says_which_tables_have_attributes_and_may_hide_zeros(
    cells: tuple[PublicCells, Rule],
) -> None:
    public, rule = cells
    first, *others = public.space.layouts
    design = replace(
        first.design,
        attributes=(Attribute(first.design.dimensions[0].name, 3),),
        zeros_shown=False,
    )
    changed = replace(public.space, layouts=(replace(first, design=design), *others))
    found = structure.parse(structure.write(changed, rule), where="test").space.layouts
    assert [one.design.attributes for one in found] == [design.attributes, *((),) * len(others)]
    assert [one.design.zeros_shown for one in found] == [False, *(True,) * len(others)]


@pytest.mark.parametrize("said", [[["nowhere", 3]], [["", 0]], [[None, 3]], "twice", "zero"])
def test_attributes_that_make_no_sense_are_refused(cells: tuple[PublicCells, Rule], said: object) -> None:
    content = structure.write(cells[0].space, cells[1])
    name = json.loads(content)["tables"][0]["dimensions"][0]["name"]
    said = {"twice": [[name, 3], [name, 3]], "zero": [[name, 0]]}.get(str(said), said)
    changed = content.replace(b'"attributes":[]', f'"attributes":{_json(said)}'.encode(), 1)
    with pytest.raises(Refused, match="structure"):
        structure.parse(changed, where="structure/source.json")
