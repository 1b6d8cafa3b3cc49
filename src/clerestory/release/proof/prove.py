"""Makes the proof of a release, from the release's own bytes and nothing else.

The attack of a reader is run on the public cells: from a first table that it finds by itself, with a fixed
seed, fixed limits on rounds and branch-and-bound nodes, and one solver thread, so that another machine makes
the same bytes. Nothing here knows the true table, the suppressor or which cells are hidden for being small:
to publish what a reader can compute himself gives nothing away.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clerestory.attack.decide import Verdict, decide
from clerestory.attack.history import SUFFIX, History
from clerestory.attack.relations import Relations, relations
from clerestory.attack.system import System, attackers_system, components
from clerestory.attack.tables import ceiling, program
from clerestory.attack.witnesses import Witnesses
from clerestory.errors import Refused, Undecided
from clerestory.release.history import history_of, places
from clerestory.release.manifest import Entry
from clerestory.release.proof import proof_list
from clerestory.release.proof.proof_list import ProofList
from clerestory.release.proof.verify_proof import (
    SourceChecked,
    Told,
    check_level,
    check_source,
    judged,
    protected_sources,
    proven_bound,
    proven_level,
    reach,
    reasoned,
    source_cells,
)
from clerestory.release.proof.witness import Bound, SourceProof
from clerestory.release.structure import Rule, Structure
from clerestory.release.verify import Release, open_release, verify_digests
from clerestory.tables import PublicCells

SEED = 20220627
"""Public and the same for every release."""
_LISTED = 10
_SCALES = 12
"""Multipliers of a linear program are fractions with small denominators; so many are tried."""
_PUBLIC_FILE, _PUBLIC_FOLDER = 0o644, 0o755


@dataclass(frozen=True)
class Proof:
    """The proof of a release as it was written. sizes: bytes of each of its files, by path."""

    release: str
    sources: tuple[SourceChecked, ...]
    sizes: dict[str, int]
    over_time: tuple[SourceChecked, ...] = ()
    level: int = 2

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory prove --format json`."""
        return {
            "kind": "done",
            "exit": 0,
            "release": self.release,
            "level": self.level,
            "sources": [asdict(source) for source in self.sources],
            "over_time": [asdict(source) for source in self.over_time],
            "files": self.sizes,
        }


def prove(folder: Path, earlier: Sequence[Path] = ()) -> Proof:
    """Makes the proof of the release in a folder and puts it there, as proof/, in one step.

    earlier: where the earlier releases that it names are, if not beside it.
    Raises Refused if the files are not those of the manifest, something hidden can be worked out or an
    earlier release is missing, Undecided if the witnesses were not found within the limits; then an earlier
    proof stays as it is.
    """
    release = open_release(folder)
    # An earlier proof, whole or not, has no part in this one.
    verify_digests(folder, proofs=False)
    contents: dict[str, bytes] = {}
    checked, over_time, asked = [], [], []
    for source in protected_sources(release.manifest):
        found, public = source_cells(release, source)
        rules = relations(public.space)
        asked.append(found.rule)
        proof = prove_source(public, found.rule, reasoned(public, found.rule, rules).rules)
        checked.append(check_level(public, found.rule, proof, rules))
        contents[proof_list.path_of(source)] = proof.to_bytes()
        past = _past(release, found, earlier)
        if past is not None:
            told = past.unrecoverable(found.rule.minimum_count)
            joint = past.public(public, found.rule.minimum_count)
            proof = prove_source(joint, found.rule, past.rules, told)
            over_time.append(check_source(joint, found.rule, proof, past.rules, told))
            contents[proof_list.path_of(source + SUFFIX)] = proof.to_bytes()
    entries = sorted(
        (
            Entry(path, hashlib.sha256(content).hexdigest(), len(content), proof_list.about(path))
            for path, content in contents.items()
        ),
        key=lambda entry: entry.path,
    )
    contents[proof_list.NAME] = ProofList(release.id, tuple(entries)).to_bytes()
    _put(folder, contents)
    sizes = {path: len(content) for path, content in sorted(contents.items())}
    return Proof(str(release.id), tuple(checked), sizes, tuple(over_time), proven_level(asked))


def _past(release: Release, found: Structure, earlier: Sequence[Path]) -> History | None:
    then = history_of(found, places(release.folder, earlier))
    if then.absent:
        raise Refused(
            f"it cannot be proven without these earlier releases: {', '.join(then.absent)}",
            where=f"{release.id}, source {found.source!r}",
            fix="name the folder that each is in with --earlier",
        )
    return then.past


def prove_source(public: PublicCells, rule: Rule, rules: Relations, told: Told | None = None) -> SourceProof:
    """The witnesses for the cells of a source. rules: relations(public.space), at level 3 with finest cells.

    told: over several releases, what earlier ones give away by themselves.
    Raises Refused if something hidden can be worked out, Undecided if witnesses were not found.
    """
    witnesses = Witnesses()
    verdicts = decide(
        public,
        width=rule.interval_width,
        minimum=rule.minimum_count,
        seed=SEED,
        known=rules,
        witnesses=witnesses,
    )
    for verdict, error, what in (
        (Verdict.BROKEN, Refused, "can be worked out"),
        (Verdict.UNDECIDED, Undecided, "could not be proven wide"),
    ):
        variables = verdicts.of(verdict)
        if told is not None:
            variables = variables[~told[0][variables]]
        if len(variables):
            listed = "\n  ".join(rules.describe(int(variable)) for variable in variables[:_LISTED])
            raise error(
                f"{len(variables):,} cells {what}:\n  {listed}",
                where=f"source {public.space.source!r}",
                fix="hide more cells near them, or use coarser categories",
            )
    need = np.zeros(rules.variables, dtype=np.int64)
    need[verdicts.variables] = rule.interval_width * rules.factor(verdicts.variables)
    least = np.zeros(rules.variables, dtype=np.int64)
    need[rules.forms], least[rules.forms] = 0, public.space.attribute_pairs[2]
    not_shown = np.ones(rules.variables, dtype=bool)
    not_shown[: len(public.hidden)] = public.hidden
    columns = np.flatnonzero(not_shown)
    base = witnesses.base if len(witnesses.base) else np.zeros(rules.variables, dtype=np.int64)
    steps = tuple((np.searchsorted(columns, at), change) for at, change in witnesses.few(need, least))
    proof = SourceProof(public.space.source, rules.variables, columns, base[columns], steps)
    return replace(proof, bounds=_bounds(public, rule, rules, proof))


def _bounds(public: PublicCells, rule: Rule, rules: Relations, proof: SourceProof) -> tuple[Bound, ...]:
    """The rows that tell implied counts exactly where taking one row after another does not.

    Raises Undecided if they cannot be told by a linear program's multipliers.
    """
    system = attackers_system(rules, public)
    need = rule.interval_width * rules.factor(np.arange(rules.variables))
    open_ = judged(rules, public) & (reach(proof, rules.variables) < need) & system.free
    found: list[Bound] = []
    for variable in np.flatnonzero(open_).tolist():
        position = int(np.searchsorted(proof.columns, variable))
        sides = _both_sides(rules, system, variable, position)
        if sides is None:
            raise Undecided(
                f"{rules.describe(variable)}: the rows that tell it exactly were not found",
                where=f"source {public.space.source!r}",
                fix="hide more cells near it, or use coarser categories",
            )
        found += sides
    return tuple(found)


def _both_sides(rules: Relations, system: System, variable: int, position: int) -> list[Bound] | None:
    part = next(part for part in components(system) if variable in part.columns)
    rows = np.flatnonzero(np.diff(rules.matrix[:, part.columns].tocsr().indptr))
    linear = program(ceiling(part, 0))
    costs = np.zeros(len(part.columns))
    costs[np.searchsorted(part.columns, variable)] = 1.0
    linear.set_costs(costs)
    sides: dict[bool, tuple[Bound, int]] = {}
    for above in (False, True):
        if linear.solve(greatest=above).values is None:
            return None
        multipliers = linear.multipliers()
        for scale in range(1, _SCALES + 1):
            weights = np.rint(scale * multipliers).astype(np.int64)
            used = np.flatnonzero(weights)
            bound = Bound(position, above, scale, rows[used], weights[used])
            end = proven_bound(rules, system, variable, bound)
            if end is not None and (above not in sides or _tighter(end, sides[above][1], above)):
                sides[above] = (bound, end)
    if len(sides) < 2 or sides[False][1] != sides[True][1]:
        return None
    return [sides[False][0], sides[True][0]]


def _tighter(end: int, before: int, above: bool) -> bool:
    return end < before if above else end > before


def _there(proof: Path) -> dict[str, bytes]:
    """What an earlier proof holds; nothing if that cannot be said."""
    try:
        files = [] if proof.is_symlink() else list(proof.iterdir())
        return {f"{proof_list.FOLDER}/{file.name}": file.read_bytes() for file in files}
    except OSError:
        return {}


def _put(folder: Path, contents: dict[str, bytes]) -> None:
    """The files as folder/proof: written beside it and renamed, an earlier proof moved away first."""
    if _there(folder / proof_list.FOLDER) == contents:
        return
    making = folder.parent / f".staging-proof-{secrets.token_hex(8)}"
    fresh = making / proof_list.FOLDER
    fresh.mkdir(parents=True)
    try:
        fresh.chmod(_PUBLIC_FOLDER)
        for path, content in contents.items():
            file = making / path
            file.write_bytes(content)
            file.chmod(_PUBLIC_FILE)
        target = folder / proof_list.FOLDER
        if target.is_symlink() or target.exists():
            target.rename(making / "earlier")
        fresh.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
