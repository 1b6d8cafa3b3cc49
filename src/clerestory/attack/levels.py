"""The attackers that tables are audited against, each named for what it knows, from the weakest up."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

from clerestory.errors import InputError
from clerestory.tables import PublicCells


class Level(IntEnum):
    """How much a reader knows. What is safe against one level may fall to the next."""

    RELATIONS = 1
    POLICY = 2
    FINEST = 3


LEVELS = {
    Level.RELATIONS: "level 1: additive relations among published cells, counts not negative",
    Level.POLICY: "level 2: additive relations among published cells, zeros shown, whole numbers",
    Level.FINEST: "level 3: whole tables of the finest cells behind the published ones, zeros shown",
}
"""What a report says of each level."""


def level_of(number: int) -> Level:
    """The level with this number. Raises InputError."""
    if number not in LEVELS:
        raise InputError(
            f"there is no audit level {number}",
            where="policy.audit_level",
            fix="choose 1, 2 or 3; see docs/explanation/levels.md",
        )
    return Level(number)


def seen_at(public: PublicCells, level: Level) -> PublicCells:
    """The public cells as the attacker of a level takes them: at level 1 a hidden cell may be zero."""
    return replace(public, zeros_shown=False, insiders=1) if level == Level.RELATIONS else public
