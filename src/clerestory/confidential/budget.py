"""The privacy budget of a project: what each draw of differential privacy has spent, one line a draw.

zCDP adds up over draws (Bun and Steinke 2016, lemma 1.7), so what a source has spent is a sum. A line is
written before the noise is drawn: a build that fails afterwards has spent, and never the other way round.
Each line holds the digest of the line before, so that none can be taken out unseen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from clerestory.errors import InputError, Refused
from clerestory.methods import epsilon_of

FORMAT = "clerestory-budget/1"
NAME = "privacy-budget.jsonl"
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Spending:
    """One draw: rho spent of a source's budget. cells: a keyed digest of what was drawn for."""

    source: str
    rho: float
    budget: float
    delta: float
    cells: str


def spent(root: Path, source: str) -> Fraction:
    """The rho that a source has spent so far, exactly. Raises InputError if the file was changed."""
    return sum((_exact(one.rho) for one in read(root) if one.source == source), Fraction(0))


def left(root: Path, source: str, budget: float) -> Fraction:
    """What a source may still spend."""
    return _exact(budget) - spent(root, source)


def read(root: Path) -> tuple[Spending, ...]:
    """Every draw, in order. Raises InputError if a line is missing or was changed."""
    return tuple(one for one, _ in _lines(root / NAME))


def drawn(root: Path, cells: str) -> bool:
    """Whether a draw for these cells is written down. Raises InputError as read() does."""
    return any(one.cells == cells for one in read(root))


def spend(root: Path, one: Spending) -> None:
    """Writes down a draw before it is made. Raises Refused if the budget does not hold it."""
    file = root / NAME
    known = list(_lines(file))
    used = sum((_exact(before.rho) for before, _ in known if before.source == one.source), Fraction(0))
    if used + _exact(one.rho) > _exact(one.budget):
        raise Refused(
            f"the privacy budget does not hold another release: {float(used):g} of {one.budget:g} is spent, "
            f"and a release takes {one.rho:g} (rho)",
            where=f"source {one.source!r}",
            fix="publish no further release of changed records, or decide on a larger budget "
            f"(all together epsilon {epsilon_of(float(used + _exact(one.rho)), one.delta):.3g})",
        )
    before = known[-1][1] if known else _START
    line = json.dumps({"format": FORMAT, **asdict(one), "before": before}, sort_keys=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _exact(number: float) -> Fraction:
    """A number as it is written: ten times 0.1 is 1."""
    return Fraction(repr(number))


def _lines(file: Path) -> Iterator[tuple[Spending, str]]:
    if not file.exists():
        return
    before = _START
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            said = json.loads(line)
            good = said.pop("format") == FORMAT and said.pop("before") == before
            one = Spending(**said)
            good = good and one.rho > 0
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise InputError(
                "the privacy budget was changed, or a line is missing",
                where=f"{file.name}:{number}",
                fix="restore the file from a backup; without it nobody knows what was spent",
            )
        before = hashlib.sha256(line.encode()).hexdigest()
        yield one, before
