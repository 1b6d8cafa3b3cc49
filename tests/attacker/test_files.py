"""The second attacker reads releases from their files; it takes nothing from the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clerestory.attack.relations import relations
from clerestory.confidential.protect.publish import protect
from clerestory.release.proof.prove import prove_source
from clerestory.release.structure import Rule
from tests.attacker import files
from tests.attacker.brute import attack
from tests.attacker.instances import instance
from tests.attacker.kinds import KINDS
from tests.attacker.proof import check, witnesses
from tests.attacker.published import Categories, cells_of
from tests.attacker.written import files_of
from tests.flow.small_project import run, write_project
from tests.release.proving import facts_of, released

ATTACKING = ("published", "knowledge", "solvers", "brute", "files", "proof", "pattern", "over_time")
STRUCTURE = """{"format":"clerestory-structure/1","source":"s","level":2,"interval_width":3,"minimum_count":5,
"zeros_shown":true,"cells":7,"axes":[{"name":"place","categories":3},{"name":"year","categories":2}],
"tables":[
{"name":"one","rows":5,"unit":{"kind":"records","measure":"","bounds":[1,1],"assign":"disjoint","by":"",
 "overlapping":[]},"select":{"year":[[1,1]]},"margins":[["place"]],"dimensions":[
{"name":"place","axis":"place","levels":["region","town"],"nodes":[["all","all",-1,[[0,2]]],
 ["north","region",0,[[0,0],[2,2]]],["south","region",0,[[1,1]]],["ash","town",1,[[0,0]]],["elm","town",1,[[2,2]]]]}
]}]}"""
CSV = """place,place_level,value,status
all,all,30,
north,region,,hidden
south,region,,hidden
ash,town,,hidden
elm,town,7,incomplete
"""


def by_hand() -> dict[str, bytes]:
    return {"structure/s.json": STRUCTURE.encode(), "site/data/one.csv": CSV.encode()}


def test_a_release_written_by_hand_is_read_as_it_says() -> None:
    release = files.parse(by_hand())["s"]
    assert (release.facts.minimum_count, release.facts.width, release.facts.zeros_shown) == (5, 3, True)
    (table,) = release.tables

    def towns(*numbers: int) -> Categories:
        return frozenset(f"place#{n}" for n in numbers)

    assert table.trees["place"].finest["north"] == towns(0, 2)
    assert table.trees["place"].parents == {
        "all": None, "north": "all", "south": "all", "ash": "north", "elm": "north",
    }  # fmt: skip
    cells = {cell.box: cell.value for cell in cells_of(release)}
    late = frozenset({"year#1"})
    assert cells == {
        (towns(0, 1, 2), late): 30,
        (towns(0, 2), late): None,
        (towns(1), late): None,
        (towns(0), late): None,
        (towns(2), late): 7,
    }
    assert not attack(release).broken


def test_a_hidden_cell_with_a_number_and_a_code_nobody_knows_are_no_release() -> None:
    for old, new in ((",,hidden", ",3,hidden"), ("elm,", "oak,")):
        with pytest.raises(files.NotRelease):
            files.parse(by_hand() | {"site/data/one.csv": CSV.replace(old, new, 1).encode()})


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_say_what_was_published(kind: str) -> None:
    """Cell by cell: the reader's boxes and values are those of the protected cells."""
    for seed in range(12):
        made = KINDS[kind](seed)
        public = protect(made.original, made.policy, seed=seed).public
        space = public.space
        rule = Rule(2, made.policy.interval_width, made.policy.minimum_count)
        release = files.parse(files_of(public, rule))["source"]
        read = {(cell.unit, cell.box): cell.value for cell in cells_of(release)}
        said = {}
        for cell in range(len(space)):
            box = tuple(
                frozenset(f"{axis.name}#{c}" for c in np.flatnonzero(space.sets[a][space.cells[cell, a]]))
                for a, axis in enumerate(space.axes)
            )
            value = None if public.hidden[cell] else int(public.values[cell])
            said[space.unit_list[space.units[cell]].name, box] = value
        assert read == said, f"{kind}, instance {seed}"


def test_a_release_folder_is_read_after_its_digests(tmp_path: Path) -> None:
    made = instance(12)
    public = protect(made.original, made.policy, seed=12).public
    rule = Rule(2, made.policy.interval_width, made.policy.minimum_count)
    written = files_of(public, rule)
    folder = released(tmp_path / "releases", written, facts_of(public, rule))
    assert files.read(folder) == files.parse(written)
    (folder / "site" / "more.txt").write_text("1")
    with pytest.raises(files.NotRelease, match="not on the manifest"):
        files.read(folder)
    (folder / "site" / "more.txt").unlink()
    path = next((folder / "site" / "data").glob("*.csv"))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(files.NotRelease, match="not the file of the manifest"):
        files.read(folder)


def test_a_whole_build_withstands_the_second_attacker_and_its_proof_holds(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", rows=300)
    assert run("build", project).code == 0
    folder = (project / "releases" / "staged").resolve()
    release = files.read(folder)["visits"]
    assert any(cell.value is None for cell in cells_of(release))
    assert not attack(release, search_nodes=0).broken
    content = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*") if p.is_file()}
    found = check(content, "visits")
    assert found.witnesses > 1 and min(found.reach.values()) >= release.facts.width


@pytest.mark.parametrize("kind", KINDS)
def test_every_witness_holds_in_the_second_attackers_system(kind: str) -> None:
    hidden = 0
    for seed in range(200, 220):
        made = KINDS[kind](seed)
        public = protect(made.original, made.policy, seed=seed).public
        rule = Rule(2, made.policy.interval_width, made.policy.minimum_count)
        proof = prove_source(public, rule, relations(public.space))
        written = files_of(public, rule) | {"proof/source.json": proof.to_bytes()}
        release = files.parse(written)["source"]
        most = {cell.label: release.facts.unit(cell.unit).most for cell in cells_of(release)}
        for label, reach in check(written, "source").reach.items():
            hidden += 1
            assert reach >= rule.interval_width * most[label], f"{kind}, instance {seed}, {label}"
    assert hidden > 50


def test_an_altered_witness_does_not_hold() -> None:
    made = instance(12)
    public = protect(made.original, made.policy, seed=12).public
    rule = Rule(2, made.policy.interval_width, made.policy.minimum_count)
    proof = prove_source(public, rule, relations(public.space))
    written = files_of(public, rule)
    columns, tables = witnesses(proof.to_bytes())
    assert columns == proof.columns.tolist() and len(tables) == len(proof.steps) + 1
    caught = 0
    for place in range(int(public.hidden.sum())):
        base = proof.base.copy()
        base[place] += 1
        content = type(proof)(proof.source, proof.variables, proof.columns, base, proof.steps, proof.bounds)
        try:
            check(written | {"proof/source.json": content.to_bytes()}, "source")
        except files.NotRelease:
            caught += 1
    assert caught


def test_the_second_attacker_loads_nothing_of_what_it_attacks() -> None:
    folder = Path(__file__).parent
    for name in ATTACKING:
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
                assert not any("clerestory" in m or "instances" in m or "kinds" in m for m in modules), name
    names = ", ".join(f"tests.attacker.{name}" for name in ATTACKING)
    code = f"import sys, {names}; sys.exit(any(m.split('.')[0] == 'clerestory' for m in sys.modules))"
    root = folder.parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
