"""A release carries a proof that anyone can make again and check; whatever is broken on purpose is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from clerestory.attack.relations import relations
from clerestory.confidential.protect.publish import protect
from clerestory.errors import ClerestoryError, Refused
from clerestory.release import structure
from clerestory.release.proof import proof_list
from clerestory.release.proof.prove import prove, prove_source
from clerestory.release.proof.verify_proof import check_source, verify_proof
from clerestory.release.proof.witness import SourceProof
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells
from tests.attacker.brute import attack
from tests.attacker.instances import as_published, instance
from tests.conformance.test_attacker import broken_on_purpose
from tests.release.proving import (
    edit_csv,
    edit_proof,
    facts_of,
    files_of,
    protected,
    put_proof,
    read_proof,
    released,
)

SEED = 12
"""An instance with several tables of one unit, hidden cells and shown ones."""
EXACT_BY_ROWS = 781
"""An instance with an implied count that is known exactly, but not by taking one row after another."""


@dataclass(frozen=True)
class Made:
    folder: Path
    public: PublicCells
    rule: Rule
    files: dict[str, bytes]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A release with its proof."""
    _, public, rule = protected(SEED)
    files = files_of(public, rule)
    folder = released(tmp_path / "releases", files, facts_of(public, rule))
    prove(folder)
    return Made(folder, public, rule, files)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- what holds ---------------------------------------------------------------------------------------------


def test_the_proof_of_a_release_holds(made: Made) -> None:
    found = verify_proof(made.folder)

    (source,) = found.sources
    assert source.hidden == made.public.hidden.sum() > 0
    assert source.smallest is not None and source.smallest >= made.rule.interval_width
    assert source.witnesses > 1


def test_another_machine_makes_the_same_proof_byte_for_byte(made: Made, tmp_path: Path) -> None:
    clone = tmp_path / "elsewhere" / made.folder.name
    shutil.copytree(made.folder, clone)
    shutil.rmtree(clone / "proof")

    done = subprocess.run(
        [sys.executable, "-m", "clerestory", "prove", str(clone)], cwd=clone, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert bytes_of(clone) == bytes_of(made.folder)


def test_proving_again_changes_nothing(made: Made) -> None:
    before = bytes_of(made.folder)
    prove(made.folder)
    assert bytes_of(made.folder) == before
    assert [p.name for p in made.folder.parent.iterdir()] == [made.folder.name]


def test_other_true_values_behind_the_same_public_cells_give_the_same_proof(
    made: Made, tmp_path: Path
) -> None:
    # A witness is another table that the same public cells could stand for.
    proof = read_proof(made.folder)
    truth = np.zeros(proof.variables, dtype=np.int64)
    truth[: len(made.public.space)] = made.public.values
    truth[proof.columns] = proof.base
    places, change = proof.steps[-1]
    truth[proof.columns[places]] += change
    other = PublicCells(
        made.public.space,
        np.where(made.public.hidden, 0, truth[: len(made.public.space)]),
        made.public.hidden,
    )
    folder = released(tmp_path / "other", files_of(other, made.rule), facts_of(other, made.rule))
    prove(folder)
    assert bytes_of(folder) == bytes_of(made.folder)


def test_the_structure_gives_the_same_cells_and_relations_as_the_build_has() -> None:
    for seed in range(40):
        _, public, rule = protected(seed)
        files = files_of(public, rule)
        found = structure.parse(files[structure.path_of("source")], where="test")
        downloads = {
            layout.design.name: files[structure.csv_path(layout.design.name)]
            for layout in public.space.layouts
        }
        again = structure.public_cells(found, downloads, where="test")
        assert np.array_equal(again.space.cells, public.space.cells)
        assert np.array_equal(again.values, public.values) and np.array_equal(again.hidden, public.hidden)
        assert (relations(again.space).matrix != relations(public.space).matrix).nnz == 0


@pytest.mark.parametrize("first", range(200, 300, 25))
def test_whatever_is_protected_can_be_proven(first: int) -> None:
    for seed in range(first, first + 25):
        _, public, rule = protected(seed)
        rules = relations(public.space)
        found = check_source(public, rule, prove_source(public, rule, rules), rules)
        assert found.smallest is None or found.smallest >= rule.interval_width


def test_an_implied_count_that_several_rows_tell_is_proven_by_those_rows() -> None:
    _, public, rule = protected(EXACT_BY_ROWS)
    rules = relations(public.space)
    proof = prove_source(public, rule, rules)
    assert proof.bounds
    check_source(public, rule, proof, rules)

    with pytest.raises(Refused, match="implied counts"):
        check_source(public, rule, replace(proof, bounds=proof.bounds[:1]), rules)
    place = next(i for i, bound in enumerate(proof.bounds) if len(bound.rows))
    told = proof.bounds[place]
    for wrong in (
        replace(told, weights=told.weights + 1),
        replace(told, rows=told.rows + rules.matrix.shape[0]),
    ):
        bounds = (*proof.bounds[:place], wrong, *proof.bounds[place + 1 :])
        with pytest.raises(Refused):
            check_source(public, rule, replace(proof, bounds=bounds), rules)


def test_checking_loads_no_solver_and_nothing_confidential() -> None:
    code = (
        "import sys, clerestory.release.check; "
        "bad = [m for m in sys.modules if m.startswith(('highspy', 'scipy.optimize', "
        "'clerestory.confidential', 'clerestory.attack.decide', 'duckdb'))]; sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- proofs broken on purpose -------------------------------------------------------------------------------


def constrained(made: Made) -> int:
    """Position, among the proof's columns, of a hidden cell that stands in a relation."""
    proof = read_proof(made.folder)
    rows = np.diff(relations(made.public.space).matrix.tocsc().indptr)
    return int(np.flatnonzero(rows[proof.columns] > 0)[0])


def test_an_altered_first_witness_is_refused(made: Made) -> None:
    base = read_proof(made.folder).base.copy()
    base[constrained(made)] += 1
    edit_proof(made.folder, lambda proof: replace(proof, base=base))
    with pytest.raises(Refused, match="first witness breaks"):
        verify_proof(made.folder)


def test_every_altered_step_is_refused(made: Made) -> None:
    proof = read_proof(made.folder)
    rows = np.diff(relations(made.public.space).matrix.tocsc().indptr)
    for number, (places, change) in enumerate(proof.steps):
        altered = change.copy()
        at = int(np.flatnonzero(rows[proof.columns[places]] > 0)[0])
        altered[at] += 1 if altered[at] != -1 else 2
        steps = (*proof.steps[:number], (places, altered), *proof.steps[number + 1 :])
        put_proof(made.folder, replace(proof, steps=steps))
        with pytest.raises(Refused, match=f"witness {number + 2} "):
            verify_proof(made.folder)


def test_a_witness_below_what_the_policy_tells_is_refused(made: Made) -> None:
    proof = read_proof(made.folder)
    places, change = proof.steps[0]
    far = (places, change * 10_000)
    backwards = (places, -change * 10_000)
    put_proof(made.folder, replace(proof, steps=(far, backwards)))
    with pytest.raises(Refused, match="below what the policy tells"):
        verify_proof(made.folder)


def test_missing_witnesses_are_refused_and_the_cells_named(made: Made) -> None:
    edit_proof(made.folder, lambda proof: replace(proof, steps=()))
    with pytest.raises(Refused, match=r"do not take hidden cells .* apart(.|\n)*table 'table"):
        verify_proof(made.folder)


def test_numbers_that_would_run_over_are_refused(made: Made) -> None:
    def huge(proof: SourceProof) -> SourceProof:
        places, change = proof.steps[0]
        return replace(proof, steps=((places, change * 2**40), *proof.steps[1:]))

    edit_proof(made.folder, huge)
    with pytest.raises(Refused):
        verify_proof(made.folder)


def test_a_witness_about_other_cells_is_refused(made: Made) -> None:
    def shorter(proof: SourceProof) -> SourceProof:
        return replace(proof, columns=proof.columns[1:], base=proof.base[1:], steps=())

    edit_proof(made.folder, shorter)
    with pytest.raises(Refused, match="other cells than the release hides"):
        verify_proof(made.folder)


@pytest.mark.parametrize("change", [b" ", b"{}", b'{"format":"clerestory-proof/1"}', b"[1,2"])
def test_bytes_that_are_no_proof_are_refused(made: Made, change: bytes) -> None:
    from hashlib import sha256

    from clerestory.release.manifest import Entry
    from clerestory.release.proof.proof_list import ProofList
    from clerestory.release.verify import open_release

    path = proof_list.path_of("source")
    (made.folder / path).write_bytes(change)
    with pytest.raises(Refused, match="not those of the manifest"):
        verify_proof(made.folder)
    entry = Entry(path, sha256(change).hexdigest(), len(change), "source")
    listed = ProofList(open_release(made.folder).id, (entry,))
    (made.folder / proof_list.NAME).write_bytes(listed.to_bytes())
    with pytest.raises(Refused, match="the proof cannot be used"):
        verify_proof(made.folder)


def test_the_proof_of_another_release_is_refused(made: Made, tmp_path: Path) -> None:
    other = released(
        tmp_path / "releases", made.files, facts_of(made.public, made.rule), title="Another title"
    )
    shutil.copytree(made.folder / "proof", other / "proof")
    with pytest.raises(Refused, match="proof of another release"):
        verify_proof(other)


def test_files_beside_the_proof_and_files_that_are_gone_are_refused(made: Made) -> None:
    extra = made.folder / "proof" / "more.json"
    extra.write_text("{}")
    with pytest.raises(Refused, match=r"'proof/more\.json' is not on the manifest"):
        verify_proof(made.folder)
    extra.unlink()
    (made.folder / proof_list.path_of("source")).unlink()
    with pytest.raises(Refused, match=r"'proof/source\.json' is missing"):
        verify_proof(made.folder)


def test_a_release_without_a_proof_is_refused(made: Made) -> None:
    shutil.rmtree(made.folder / "proof")
    with pytest.raises(Refused, match="no proof"):
        verify_proof(made.folder)
    (made.folder / "proof").mkdir()
    with pytest.raises(Refused, match="folder 'proof' is not on the manifest"):
        verify_proof(made.folder)


# --- releases broken on purpose, with manifests that fit ----------------------------------------------------


def test_a_hidden_cell_that_is_shown_makes_its_neighbours_known(made: Made, tmp_path: Path) -> None:
    proof = read_proof(made.folder)
    truth = proof.base[: made.public.hidden.sum()]
    caught = 0
    for number, cell in enumerate(np.flatnonzero(made.public.hidden)):
        values, hidden = made.public.values.copy(), made.public.hidden.copy()
        values[cell], hidden[cell] = truth[number], False
        shown = PublicCells(made.public.space, values, hidden)
        folder = released(tmp_path / f"shown{number}", files_of(shown, made.rule), facts_of(shown, made.rule))
        put_proof(folder, proof)
        with pytest.raises(Refused, match="other cells than the release hides"):
            verify_proof(folder)
        try:
            prove(folder)
        except Refused:
            caught += 1
            assert read_proof(folder).to_bytes() == proof.to_bytes(), "the earlier proof stays"
    assert caught, "no hidden cell of this instance protects another one"


def test_a_changed_number_contradicts_the_witnesses(made: Made, tmp_path: Path) -> None:
    rows = np.diff(relations(made.public.space).matrix.tocsc().indptr)
    shown = np.flatnonzero(
        ~made.public.hidden & (made.public.values > 0) & (rows[: len(made.public.space)] > 0)
    )
    values = made.public.values.copy()
    values[shown[0]] += 100
    changed = PublicCells(made.public.space, values, made.public.hidden)
    folder = released(tmp_path / "changed", files_of(changed, made.rule), facts_of(changed, made.rule))
    put_proof(folder, read_proof(made.folder))
    with pytest.raises(Refused, match="first witness breaks"):
        verify_proof(folder)


def test_a_csv_that_does_not_fit_the_structure_is_refused(made: Made, tmp_path: Path) -> None:
    path = structure.csv_path(made.public.space.layouts[0].design.name)

    def one_less(rows: list[list[str]]) -> None:
        del rows[-1]

    def other_order(rows: list[list[str]]) -> None:
        rows[1], rows[-1] = rows[-1], rows[1]

    def no_number(rows: list[list[str]]) -> None:
        rows[1][-2:] = ["1.5", ""]

    for number, change in enumerate((one_less, other_order, no_number)):
        files = made.files | {path: edit_csv(made.files[path], change)}
        folder = released(tmp_path / str(number), files, facts_of(made.public, made.rule))
        with pytest.raises(Refused, match="does not fit the structure"):
            prove(folder)


def test_an_altered_structure_is_refused(made: Made, tmp_path: Path) -> None:
    path = structure.path_of("source")
    said = made.files[path]
    for number, (old, new) in enumerate(
        (
            (b'"interval_width":%d' % made.rule.interval_width, b'"interval_width":0'),
            (b'"level":2', b'"level":1'),
            (b'"rows":', b'"rows":1'),
            (b'"format":', b'"note":"x","format":'),
        )
    ):
        assert old in said
        files = made.files | {path: said.replace(old, new, 1)}
        folder = released(tmp_path / str(number), files, facts_of(made.public, made.rule))
        with pytest.raises(Refused, match="structure"):
            prove(folder)
    files = {name: content for name, content in made.files.items() if name != path}
    folder = released(tmp_path / "without", files, facts_of(made.public, made.rule))
    with pytest.raises(Refused, match="lacks this file"):
        prove(folder)


def test_a_structure_that_leaves_out_a_table_is_refused(made: Made, tmp_path: Path) -> None:
    space = made.public.space
    assert len(space.layouts) > 1
    fewer = replace(space, layouts=space.layouts[:-1])
    files = made.files | {structure.path_of("source"): structure.write(fewer, made.rule)}
    folder = released(tmp_path / "fewer", files, facts_of(made.public, made.rule))
    with pytest.raises(Refused, match="structure"):
        prove(folder)


@pytest.mark.parametrize("first", [0, 30])
def test_what_the_second_attacker_breaks_has_no_proof(first: int) -> None:
    met = 0
    for seed in range(first, first + 30):
        made = instance(seed)
        protection = protect(made.original, made.policy, seed=seed)
        for broken in broken_on_purpose(made, protection):
            if not attack(as_published(broken.public, broken.policy)).broken:
                continue
            met += 1
            policy = broken.policy
            rule = Rule(2, policy.interval_width, policy.minimum_count, broken.public.zeros_shown)
            rules = relations(broken.public.space)
            with pytest.raises(ClerestoryError):
                check_source(broken.public, rule, prove_source(broken.public, rule, rules), rules)
    assert met > 20
