"""Complementary suppression over all linked tables of a source: hide more until every hidden cell is wide.

Construct: around each cell that is too narrow, buy the cheapest cells that give it room. Improve: look for
the cheapest pattern, of the whole source or of one part after another. What leaves here still has to pass the
audit, which starts from the public values.
Sources: Handbook on Statistical Disclosure Control, ch. 4; large neighbourhood search, Shaw (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Verdict, Verdicts, decide
from clerestory.attack.history import History
from clerestory.attack.moves import Move
from clerestory.attack.relations import Kind, Relations
from clerestory.attack.shown import box_numbers
from clerestory.attack.tables import completed
from clerestory.attack.widen import Needs
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.improve import improve
from clerestory.confidential.protect.loss import loss
from clerestory.confidential.protect.pattern import Pattern
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.errors import InputError, Refused
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
Progress = Callable[[str], None]

_REPAIRS = 20
"""Rounds of audit and hiding more, after which the tables are refused."""


def suppress(
    rules: Relations,
    original: OriginalCells,
    policy: Policy,
    primary: BoolArray,
    *,
    levels: ProtectionLevels | None = None,
    past: History | None = None,
    seed: int,
    progress: Progress | None = None,
) -> BoolArray:
    """(cells,) the primary suppressions and the secondary ones that give all of them what they need.

    levels: what is asked of cells besides the width. past: the history whose linked tables these are,
    where what earlier releases show cannot be hidden. The audit of the public values has the last
    word: what it does not pass gets more hidden around it. Raises Refused, naming the table, if nothing
    helps; Undecided if the true table cannot be completed.
    """
    space = original.space
    table = completed(rules, original.values, seed=seed)
    pattern = Pattern(
        rules,
        table,
        original,
        policy,
        _needs(rules, table, policy, levels),
        _prices(original, policy, seed),
        space.may_hide_zeros,
        seed,
        past,
        levels,
    )
    insiders = rules.floor(space.may_hide_zeros, policy.insider_records)[: len(space)]
    pattern.hide(pattern.boxes[primary])
    pattern.construct(progress)
    improve(pattern, primary, seed, progress)
    for _ in range(_REPAIRS):
        pattern.construct(progress)
        hidden = pattern.hidden.copy()
        verdicts = seen_by_reader(
            rules,
            original,
            policy,
            hidden,
            levels,
            seed,
            start=original.values,
            moves=pattern.moves.all(),
        )
        if verdicts is None:
            fewer = np.flatnonzero(hidden & (original.values < insiders))
            pattern.widen(fewer, np.zeros(0, dtype=np.int64))
            continue
        failed = np.concatenate([verdicts.of(Verdict.BROKEN), verdicts.of(Verdict.UNDECIDED)])
        lines = np.union1d(verdicts.small_lines, pattern.told_by_one())
        if past is not None:
            own = failed < pattern.cells
            failed = failed[np.where(own, np.isin(failed, pattern.forms()), ~pattern.told[failed])]
            lines = np.setdiff1d(lines, pattern.told_lines)
        if not len(failed) and not len(lines):
            return hidden
        pattern.widen(failed, lines)
    raise Refused(
        f"{len(failed)} cells stay open after {_REPAIRS} rounds of hiding more",
        where=rules.describe(int(failed[0])) if len(failed) else f"source {rules.space.source!r}",
        fix="use coarser categories or fewer dimensions in this table",
    )


def seen_by_reader(
    rules: Relations,
    original: OriginalCells,
    policy: Policy,
    hidden: BoolArray,
    levels: ProtectionLevels | None,
    seed: int,
    *,
    start: IntArray | None,
    moves: Sequence[Move] = (),
) -> Verdicts | None:
    """What a reader makes of the public values; None where they leave no room for an insider's records.

    start: (cells,) values that fit, if at hand; the true ones need not hold what an insider might. moves:
    changes of `start` that may fit.
    """
    insiders = policy.insider_records
    try:
        return decide(
            PublicCells(original.space, np.where(hidden, 0, original.values), hidden, insiders=insiders),
            width=policy.interval_width,
            minimum=policy.minimum_count,
            start=start if insiders == 1 else None,
            seed=seed,
            known=rules,
            levels=None if levels is None else levels.ends(original.values),
            moves=moves if insiders == 1 else (),
        )
    except InputError:
        if insiders == 1:
            raise
        return None


def _needs(rules: Relations, table: IntArray, policy: Policy, levels: ProtectionLevels | None) -> Needs:
    """Widths for whatever is hidden, protection levels for cells, and how much is missing to each form."""
    count = len(rules.space)
    width = policy.interval_width * rules.factor(np.arange(rules.variables))
    upper, lower = np.zeros((2, rules.variables), dtype=np.int64)
    if levels is not None:
        upper[:count], lower[:count] = levels.upper, levels.lower
    width[rules.kinds == Kind.FORM] = 0
    _, _, minimums = rules.space.attribute_pairs
    upper[rules.forms] = np.maximum(minimums - table[rules.forms], 0)
    return Needs(width, upper, lower)


def _prices(original: OriginalCells, policy: Policy, seed: int) -> NDArray[np.float64]:
    """The policy's loss, a little more for the coarse and large; ties are broken by the secret seed."""
    boxes = box_numbers(original.space)
    ties = np.random.default_rng(seed + 1).random(int(boxes.max(initial=-1)) + 1)[boxes]
    prices = loss(original, policy) * (1 + 0.03 * np.log2(1.0 + original.records) + 0.1 * ties)
    never = (original.values == 0) & ~original.space.may_hide_zeros
    return np.where(never, np.inf, prices)
