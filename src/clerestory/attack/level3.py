"""The attack at level 3: what the reader narrows who thinks of the finest cells behind the margins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clerestory.attack.decide import Levels, Verdicts, decide
from clerestory.attack.finest import FinestPart, behind
from clerestory.attack.relations import Relations, relations
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class Level3:
    """What the attacker who thinks of the finest cells narrows below the width.

    verdicts: of every hidden and implied cell, None if level 3 was attempted nowhere and adds nothing.
    same: whether nothing had to be done, because level 2 is level 3.
    """

    parts: tuple[FinestPart, ...]
    verdicts: Verdicts | None
    same: bool

    @property
    def attempted(self) -> bool:
        """Whether all of the source was decided, or needed no decision."""
        return all(part.attempted for part in self.parts)


def level3(
    public: PublicCells,
    *,
    width: int,
    minimum: int,
    start: IntArray | None = None,
    seed: int = 0,
    known: Relations | None = None,
    levels: Levels | None = None,
    progress: Callable[[str], None] | None = None,
) -> Level3:
    """Attacks the public cells of a source through its finest cells.

    The arguments are those of decide(). Where a part is not attempted, its finest cells are left out: what is
    broken then is broken, what is wide is only wide at level 2. Raises InputError if the published values
    contradict each other, Undecided if no whole table of the finest cells is found.
    """
    rules = known if known is not None else relations(public.space)
    found = behind(public, rules)
    if found.same:
        return Level3(found.parts, None, True)
    verdicts = decide(
        public,
        width=width,
        minimum=minimum,
        start=start,
        seed=seed,
        known=found.rules,
        levels=levels,
        progress=progress,
    )
    return Level3(found.parts, verdicts, False)
