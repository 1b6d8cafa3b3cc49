"""Sums as whole multiples of their last digit: 12.50 with two decimals is 1250."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from clerestory.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d{1,3})?")
MOST_DECIMALS = 6
_LARGEST = 10**12
"""Multiples above this are refused: the solver works in floating point."""
_NOISE = Decimal("1e-9")
"""Share of a number that binary fractions may be off: 0.1 + 0.2 is 0.3."""


def number(text: str) -> Decimal | None:
    """The number that a text says (1204, 1,204.5 or 1.2e3), None if it says none."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def decimals_of(numbers: Sequence[Decimal | None], asked: int | None, where: str) -> int:
    """How many digits after the point are kept: those asked for, else as many as some number has.

    Raises InputError if that is more than MOST_DECIMALS, or fewer than a number has.
    """
    if asked is not None and not 0 <= asked <= MOST_DECIMALS:
        raise InputError(
            f"sums have 0 to {MOST_DECIMALS} decimals", where="decimals", fix="2 for dollars and cents"
        )
    needed = max((_decimals(one) for one in numbers if one is not None), default=0)
    if needed > (MOST_DECIMALS if asked is None else asked):
        raise InputError(
            f"some numbers have more than {MOST_DECIMALS if asked is None else asked} decimals",
            where=where,
            fix="round them, or say how many to keep with --decimals",
        )
    return needed if asked is None else asked


def multiples(numbers: Sequence[Decimal | None], decimals: int, where: str) -> list[int | None]:
    """The numbers in units of their last digit. Raises InputError where one is too large."""
    found = [None if one is None else int((one.scaleb(decimals)).to_integral_value()) for one in numbers]
    if any(one is not None and abs(one) > _LARGEST for one in found):
        raise InputError(
            f"a number is larger than {_LARGEST:,} in units of its last digit",
            where=where,
            fix="use larger units, thousands say",
        )
    return found


def in_unit(multiple: int, decimals: int) -> int | float:
    """The number that a multiple stands for."""
    return multiple if not decimals else round(multiple / 10**decimals, decimals)


def _decimals(one: Decimal) -> int:
    """The fewest decimals that say the number, but for the noise of binary fractions."""
    for kept in range(MOST_DECIMALS + 1):
        near = round(one, kept)
        if abs(near - one) <= _NOISE * abs(one):
            return kept
    return MOST_DECIMALS + 1
