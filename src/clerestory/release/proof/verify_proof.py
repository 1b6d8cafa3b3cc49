"""Checks the proof of a release by multiplication: whole numbers, sparse matrices, no solver, no tolerance.

What it rests on: the manifest's digests, and that structure/SOURCE.json says truly how tables are linked
(the build checked that when it accounted for every number). The relations are derived again from it.
Source of the argument: Handbook on Statistical Disclosure Control, ch. 4 (feasibility intervals); a cell
whose interval holds two whole-number points that far apart is at least that wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clerestory.attack.finest import Behind, behind
from clerestory.attack.history import SUFFIX, History
from clerestory.attack.levels import Level
from clerestory.attack.lines import small, small_lines
from clerestory.attack.margins import cores
from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.shown import open_units, small_shown
from clerestory.attack.system import FloatArray, System, attackers_system
from clerestory.errors import InputError, Refused, Undecided
from clerestory.methods import OPEN, Method, Suppression
from clerestory.release import structure
from clerestory.release.altered import MethodChecked, check_altered
from clerestory.release.history import apart, has_history, history_of, places
from clerestory.release.manifest import Manifest
from clerestory.release.proof import proof_list, witness
from clerestory.release.proof.witness import Bound, SourceProof
from clerestory.release.structure import Rule, Structure
from clerestory.release.verify import Release, open_release, verify_digests
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

LEVELS = (2, 3)
"""What a proof can be about: the reader of the policy, and the one who thinks of the finest cells too."""
_LISTED = 10
_AGAIN = "make it again: clerestory prove RELEASE"

BoolArray = NDArray[np.bool_]
Told = tuple[BoolArray, IntArray]
"""Variables and lines that earlier releases give away: History.unrecoverable."""


@dataclass(frozen=True)
class SourceChecked:
    """What was checked of one source. implied: forms that are no published cells and had to be wide too;
    smallest: the least width, in counts, that the witnesses prove, None where nothing is hidden. groups:
    parts of groups in a sensitive category, of which enough people must be able to be elsewhere. level: the
    reader's, 3 where the witnesses are tables of finest cells (finest: so many stand behind the margins) or
    where level 2 is level 3, as the margins glue together."""

    source: str
    tables: int
    cells: int
    hidden: int
    implied: int
    relations: int
    witnesses: int
    width: int
    smallest: int | None
    groups: int = 0
    level: int = 2
    finest: int = 0

    def sentence(self) -> str:
        """What was checked, in a line."""
        groups = f"; {self.groups:,} groups that may be elsewhere" if self.groups else ""
        if not self.hidden:
            return f"{self.source}: {self.cells:,} cells, none hidden{groups}"
        implied = f" and {self.implied:,} implied counts" if self.implied else ""
        return (
            f"{self.source}: {self.hidden:,} hidden of {self.cells:,} cells{implied}: {self.witnesses:,} "
            f"witnesses over {self.relations:,} relations, each at least {self.smallest} apart{groups} "
            f"({self._level()})"
        )

    def _level(self) -> str:
        if self.level == 2:
            return "level 2"
        return (
            f"level 3: {self.finest:,} finest cells" if self.finest else "level 3: its margins glue together"
        )


@dataclass(frozen=True)
class ProofChecked:
    """A release whose proof holds. open_sources: published openly, where nothing is hidden.

    over_time: sources checked together with their earlier releases; not_over_time: sources of which some are
    not at hand, with these; apart: sources that were counted anew since, with the releases before that.
    others: sources that another method than suppression protects, and what was checked of them.
    """

    release: str
    level: int
    sources: tuple[SourceChecked, ...]
    open_sources: tuple[str, ...]
    over_time: tuple[SourceChecked, ...] = ()
    not_over_time: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: tuple[MethodChecked, ...] = ()


def protected_sources(manifest: Manifest) -> tuple[str, ...]:
    """The sources that a proof must be about: whatever is not published openly or changed by a method.

    A table that says it is protected by suppression is among them, whatever level it names.
    """
    other = {OPEN, *(method.value for method in Method if method is not Method.SUPPRESSION)}
    return tuple(sorted({facts.source for facts in manifest.tables.values() if facts.method not in other}))


def altered_sources(manifest: Manifest) -> tuple[str, ...]:
    """The sources whose numbers another method than suppression changes."""
    other = {method.value for method in Method if method is not Method.SUPPRESSION}
    return tuple(sorted({facts.source for facts in manifest.tables.values() if facts.method in other}))


def source_cells(release: Release, source: str) -> tuple[Structure, PublicCells]:
    """The structure and the public cells of a source, from the release's files.

    Raises Refused if they do not fit each other, or not the manifest.
    """
    where = f"{release.id}/{structure.path_of(source)}"
    named = {entry.path for entry in release.manifest.files}
    own = [name for name, facts in release.manifest.tables.items() if facts.source == source]
    needed = [structure.path_of(source), *map(structure.csv_path, own)]
    for path in needed:
        if path not in named:
            raise Refused(
                "the release lacks this file, without which nothing can be proven",
                where=f"{release.id}/{path}",
                fix="build the release again with this version",
            )
    found = structure.parse((release.folder / needed[0]).read_bytes(), where=where)
    problem = "it is about another source" if found.source != source else ""
    problem = problem or found.facts_problem(release.manifest.tables)
    if problem:
        raise Refused(f"the structure does not fit the manifest: {problem}", where=where, fix="build again")
    if isinstance(found.rule.method, Suppression) and found.rule.level not in LEVELS:
        raise Refused(
            f"its level is {found.rule.level}; this version proves levels {LEVELS}",
            where=where,
            fix="use a version that knows this level",
        )
    downloads = {name: (release.folder / structure.csv_path(name)).read_bytes() for name in own}
    return found, structure.public_cells(found, downloads, where=str(release.id))


def judged(rules: Relations, public: PublicCells) -> BoolArray:
    """(variables,) what must be wide unless it is known exactly: hidden cells, implied boxes and overlaps."""
    wanted = (rules.kinds == Kind.BOX) | (rules.kinds == Kind.OVERLAP)
    wanted[: len(public.hidden)] = public.hidden
    return np.asarray(wanted)


def check_source(
    public: PublicCells, rule: Rule, proof: SourceProof, rules: Relations, told: Told | None = None
) -> SourceChecked:
    """Whether a proof shows that all that is hidden in these cells is wide. rules: relations(public.space).

    told: over several releases, what earlier ones give away by themselves, which no proof is asked for.
    Raises Refused naming what is not as it must be.
    """
    where = f"proof of source {public.space.source!r}"
    not_shown = np.ones(rules.variables, dtype=bool)
    not_shown[: len(public.hidden)] = public.hidden
    columns = np.flatnonzero(not_shown)
    if (
        proof.source != public.space.source
        or proof.variables != rules.variables
        or not np.array_equal(proof.columns, columns)
    ):
        raise Refused("its witnesses are about other cells than the release hides", where=where, fix=_AGAIN)
    if told is None:
        _nothing_bare(public, rule, rules, where)
    _witnesses_hold(public, proof, rules, where)
    return _wide(public, rule, rules, proof, where, told)


def _nothing_bare(public: PublicCells, rule: Rule, rules: Relations, where: str) -> None:
    bare = small_shown(public, rule.minimum_count)
    if len(bare):
        raise _refused("a small count is shown", rules, bare, where)
    units = open_units(public)
    if len(units):
        raise _refused("a cell is shown that another unit hides", rules, units, where)


def _witnesses_hold(public: PublicCells, proof: SourceProof, rules: Relations, where: str) -> None:
    """Every table satisfies every relation, every published number and the policy."""
    cells = len(public.space)
    lower = rules.floor(public.may_be_zero, public.insiders)
    floor = lower[proof.columns]
    table = np.zeros(rules.variables, dtype=np.int64)
    table[:cells] = public.values
    table[proof.columns] = proof.base
    _no_overflow(rules.matrix, table, where)
    bad = np.flatnonzero(rules.matrix @ table)
    if len(bad):
        raise Refused(
            f"the first witness breaks {len(bad):,} relations, one of them {_row(rules, int(bad[0]))}",
            where=where,
            fix=_AGAIN,
        )
    low = np.flatnonzero(proof.base < floor)
    if len(low):
        what = "the first witness has a value below what the policy tells of it"
        raise _refused(what, rules, proof.columns[low], where)
    if not proof.steps:
        return
    moves, places, changes = _stacked(proof)
    low = np.flatnonzero(proof.base[places] + changes < floor[places])
    if len(low):
        what = f"witness {int(moves[low[0]]) + 2} has a value below what the policy tells of it"
        raise _refused(what, rules, proof.columns[places[low]], where)
    shape = (rules.variables, len(proof.steps))
    steps = csr_matrix((changes, (proof.columns[places], moves)), shape=shape, dtype=np.int64)
    _no_overflow(rules.matrix, changes, where)
    broken = (rules.matrix @ steps).tocoo()
    wrong = np.flatnonzero(broken.data)
    if len(wrong):
        number, row = int(broken.col[wrong[0]]), int(broken.row[wrong[0]])
        raise Refused(f"witness {number + 2} breaks a relation, {_row(rules, row)}", where=where, fix=_AGAIN)


def _no_overflow(matrix: csr_matrix, values: IntArray, where: str) -> None:
    heaviest = int(abs(matrix).sum(axis=1).max()) if matrix.shape[0] else 0
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    if heaviest * largest >= 2**62:
        raise Refused("a witness has numbers that are too large to be checked", where=where, fix=_AGAIN)


def _stacked(proof: SourceProof) -> tuple[IntArray, IntArray, IntArray]:
    sizes = [len(places) for places, _ in proof.steps]
    moves = np.repeat(np.arange(len(sizes)), sizes)
    return (
        moves,
        np.concatenate([places for places, _ in proof.steps]),
        np.concatenate([changes for _, changes in proof.steps]),
    )


def reach(proof: SourceProof, variables: int) -> IntArray:
    """(variables,) largest less smallest value over all witnesses."""
    up, down = _ways(proof, variables)
    return up - down


def _ways(proof: SourceProof, variables: int) -> tuple[IntArray, IntArray]:
    """(variables,) how far each goes up, and (variables,) down, from the first witness; up >= 0 >= down."""
    up, down = np.zeros((2, variables), dtype=np.int64)
    if proof.steps:
        _, places, changes = _stacked(proof)
        np.maximum.at(up, proof.columns[places], changes)
        np.minimum.at(down, proof.columns[places], changes)
    return up, down


def proven_bound(rules: Relations, system: System, variable: int, bound: Bound) -> int | None:
    """What a bound's rows prove of a variable, from the side it is about; None if nothing.

    As every row is 0, scale * x equals the rest of the combination, which the bounds of its variables limit.
    """
    if len(bound.rows) and bound.rows[-1] >= rules.matrix.shape[0]:
        return None
    weights = csr_matrix((bound.weights, bound.rows, [0, len(bound.rows)]), (1, rules.matrix.shape[0]))
    if (abs(weights).astype(np.float64) @ abs(rules.matrix)).max() >= 2**52:
        return None
    combined = -(weights @ rules.matrix).toarray().ravel()
    combined[variable] += bound.scale
    used = np.flatnonzero(combined)
    ends = np.where((combined[used] > 0) == bound.above, system.upper[used], system.lower[used])
    if not np.all(np.isfinite(ends)):
        return None
    total = sum(factor * int(end) for factor, end in zip(combined[used].tolist(), ends, strict=True))
    return int(total // bound.scale if bound.above else -(-total // bound.scale))


def _exactly(
    rules: Relations, system: System, proof: SourceProof, where: str
) -> tuple[BoolArray, FloatArray]:
    """(variables,) what is known exactly: by taking one row after another, or by a bound from each side."""
    exact, values = system.lower == system.upper, system.lower.copy()
    ends: dict[int, dict[bool, int]] = {}
    for bound in proof.bounds:
        variable = int(proof.columns[bound.position])
        end = proven_bound(rules, system, variable, bound)
        if end is None:
            raise _refused("a bound proves nothing", rules, np.array([variable]), where)
        ends.setdefault(variable, {})[bound.above] = end
    for variable, sides in ends.items():
        if len(sides) == 2 and sides[False] == sides[True]:
            exact[variable], values[variable] = True, sides[True]
    return exact, values


def _wide(
    public: PublicCells, rule: Rule, rules: Relations, proof: SourceProof, where: str, told: Told | None
) -> SourceChecked:
    """Every hidden cell is wide; every implied form is wide, or known exactly and no small count."""
    widths = reach(proof, rules.variables)
    factor = rules.factor(np.arange(rules.variables))
    hidden = np.zeros(rules.variables, dtype=bool)
    hidden[: len(public.hidden)] = public.hidden
    wanted = judged(rules, public)
    narrow = wanted & (widths < rule.interval_width * factor)
    if np.any(narrow & hidden):
        what = f"the witnesses do not take hidden cells {rule.interval_width} apart"
        raise _refused(what, rules, np.flatnonzero(narrow & hidden), where)
    try:
        system = attackers_system(rules, public)
    except InputError as problem:
        raise Refused(problem.what, where=where, fix=problem.fix) from None
    groups = _elsewhere(rules, system, proof, where, told)
    exact, values = _exactly(rules, system, proof, where)
    if np.any(narrow & ~exact):
        what = f"the witnesses do not take implied counts {rule.interval_width} apart"
        raise _refused(what, rules, np.flatnonzero(narrow & ~exact), where)
    little = small(rules, values, rule.minimum_count)
    given_away = exact & little & (narrow | (rules.kinds == Kind.STEP))
    if told is not None:
        given_away &= ~told[0]
    if np.any(given_away):
        raise _refused("a small count is implied", rules, np.flatnonzero(given_away), where)
    lines = small_lines(rules, exact & ~hidden, values, rule.minimum_count)
    if told is not None:
        lines = np.setdiff1d(lines, told[1])
    if len(lines):
        raise _refused("what is hidden adds up to a small known count", rules, rules.parents[lines], where)
    wide = wanted & ~narrow
    return SourceChecked(
        source=public.space.source,
        tables=len(public.space.layouts),
        cells=len(public.space),
        hidden=int(public.hidden.sum()),
        implied=int((wide & ~hidden).sum()),
        relations=rules.matrix.shape[0],
        witnesses=len(proof.steps) + 1,
        width=rule.interval_width,
        smallest=int((widths // factor)[wide].min()) if np.any(wide) else None,
        groups=groups,
    )


def _elsewhere(rules: Relations, system: System, proof: SourceProof, where: str, told: Told | None) -> int:
    """How many parts of groups in a sensitive category there are; of each enough people can be elsewhere.

    A form needs no width: what must be possible is that it is large enough. A group that is surely empty is
    nobody's.
    """
    forms = rules.forms[system.concerned]
    if told is not None:
        forms = forms[~told[0][forms]]
    least = np.zeros(rules.variables, dtype=np.int64)
    least[rules.forms] = rules.space.attribute_pairs[2]
    greatest = np.zeros(rules.variables, dtype=np.int64)
    greatest[proof.columns] = proof.base
    greatest += _ways(proof, rules.variables)[0]
    short = forms[greatest[forms] < least[forms]]
    if len(short):
        raise _refused("too few people of a group can be elsewhere", rules, short, where)
    return len(forms)


def _row(rules: Relations, row: int) -> str:
    parent = int(rules.parents[row])
    if parent >= 0:
        return f"what adds up to {rules.describe(parent)}"
    inside = rules.matrix.indices[rules.matrix.indptr[row] : rules.matrix.indptr[row + 1]]
    return f"that of {rules.describe(int(inside.min()))}"


def _refused(what: str, rules: Relations, variables: IntArray, where: str) -> Refused:
    listed = "\n  ".join(rules.describe(int(variable)) for variable in variables[:_LISTED])
    more = f"\n  and {len(variables) - _LISTED:,} more" if len(variables) > _LISTED else ""
    return Refused(f"{what}:\n  {listed}{more}", where=where, fix="do not rely on this release")


def verify_proof(folder: Path, earlier: Sequence[Path] = ()) -> ProofChecked:
    """Checks a release folder and its proof: every digest, then every witness of every source.

    earlier: where earlier releases are, if not beside this one; with them, the witnesses over time too.
    Raises Refused naming what does not hold; a release without a proof is refused too, and one of whose
    earlier releases `earlier` should have held but does not.
    """
    release = open_release(folder)
    verify_digests(folder)
    proofs = proof_list.read(folder, release.id)
    if proofs is None:
        raise Refused(
            "this release has no proof", where=str(release.id), fix="make one: clerestory prove RELEASE"
        )
    cells = {source: source_cells(release, source) for source in protected_sources(release.manifest)}
    wanted = [*cells, *(source + SUFFIX for source, (own, _) in cells.items() if has_history(own))]
    if [entry.what for entry in proofs.files] != sorted(wanted):
        raise Refused(
            "the proofs are not one for each protected source and history",
            where=f"{release.id}/{proof_list.NAME}",
            fix=_AGAIN,
        )
    checked, over_time, absent = [], [], {}
    for source, (found, public) in cells.items():
        one = check_level(public, found.rule, _proof(release, source), relations(public.space))
        checked.append(one)
        _hidden_as_said(release.manifest, found, public)
        _level_as_said(release.manifest, one)
        then = history_of(found, places(folder, earlier))
        if then.absent:
            absent[source] = then.absent
        elif then.past is not None:
            over_time.append(check_history(then.past, public, found.rule, _proof(release, source + SUFFIX)))
    if earlier and absent:
        raise Refused(
            "not every earlier release is at hand",
            where=f"{release.id}: {', '.join(sorted({name for names in absent.values() for name in names}))}",
            fix="name the folder that each is in with --earlier",
        )
    others = []
    for source in altered_sources(release.manifest):
        found, public = source_cells(release, source)
        _hidden_as_said(release.manifest, found, public)
        others.append(check_altered(public, found.rule))
    return ProofChecked(
        str(release.id),
        proven_level(found.rule for found, _ in cells.values()),
        tuple(checked),
        open_sources(release.manifest),
        tuple(over_time),
        absent,
        {source: ids for source, (found, _) in cells.items() if (ids := apart(found))},
        tuple(others),
    )


def proven_level(rules: Iterable[Rule]) -> int:
    """The level that the proof of these sources is about; some may reach more, see SourceChecked."""
    return min((rule.level for rule in rules), default=LEVELS[0])


def reasoned(public: PublicCells, rule: Rule, rules: Relations) -> Behind:
    """What a reader at the rule's level reasons about. rules: relations(public.space).

    Raises Undecided if that is level 3 and there are finest cells that no table can be given of.
    """
    if rule.level < Level.FINEST:
        return Behind((), rules, same=not cores(public.space))
    found = behind(public, rules)
    if not found.attempted:
        raise Undecided(
            found.missing,
            where=f"source {public.space.source!r}",
            fix="cross fewer dimensions, publish one margin that crosses them all, or ask for level 2",
        )
    return found


def check_level(public: PublicCells, rule: Rule, proof: SourceProof, rules: Relations) -> SourceChecked:
    """Whether a proof shows at the rule's level that all that is hidden in these cells is wide.

    At level 3 the witnesses are tables of the finest cells too. Raises Refused naming what is not as it must
    be, Undecided where level 3 is asked for and out of reach.
    """
    found = reasoned(public, rule, rules)
    level = Level.FINEST if found.same else rule.level
    checked = check_source(public, rule, proof, found.rules)
    return replace(checked, level=int(level), finest=sum(part.finest for part in found.parts))


def _level_as_said(manifest: Manifest, checked: SourceChecked) -> None:
    for name, facts in manifest.tables.items():
        if facts.source == checked.source and facts.level_reached > checked.level:
            raise Refused(
                f"the manifest says level {facts.level_reached}; what is proven is level {checked.level}",
                where=f"table {name!r}",
                fix="build again",
            )


def check_history(past: History, public: PublicCells, rule: Rule, proof: SourceProof) -> SourceChecked:
    """Whether a proof shows that all that is hidden is wide to a reader of the earlier releases too.

    public: the cells of the release. Raises Refused naming what is not as it must be.
    """
    joint = past.public(public, rule.minimum_count)
    return check_source(joint, rule, proof, past.rules, past.unrecoverable(rule.minimum_count))


def _proof(release: Release, what: str) -> SourceProof:
    path = proof_list.path_of(what)
    return witness.parse((release.folder / path).read_bytes(), where=f"{release.id}/{path}")


def _hidden_as_said(manifest: Manifest, found: Structure, public: PublicCells) -> None:
    hidden: Mapping[str, int] = {
        layout.design.name: int(public.hidden[layout.cells].sum()) for layout in found.space.layouts
    }
    for name, count in hidden.items():
        if manifest.tables[name].hidden != count:
            raise Refused(
                "the manifest says another number of hidden cells", where=f"table {name!r}", fix="build again"
            )


def open_sources(manifest: Manifest) -> tuple[str, ...]:
    """The sources that are published openly."""
    return tuple(sorted({facts.source for facts in manifest.tables.values() if facts.method == OPEN}))
