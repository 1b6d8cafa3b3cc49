"""A policy: every chosen number that protects a source's tables, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Dominance:
    """The (n,k) rule: the `contributors` largest may not hold more than `share` percent of a total."""

    contributors: int
    share: float

    @property
    def part(self) -> Fraction:
        """The share, exactly, as part of 1: 85 percent is 17/20."""
        return Fraction(str(self.share)) / 100


@dataclass(frozen=True, slots=True)
class PriorPosterior:
    """The (p,q) rule: who knew others to within q percent before a release may not know one to within p."""

    p: float
    q: float

    @property
    def ratio(self) -> Fraction:
        """p / q, exactly; it alone decides which cells are sensitive."""
        return Fraction(str(self.p)) / Fraction(str(self.q))


class Cost(StrEnum):
    """What protection loses least of."""

    CELLS = "cells"
    """How many numbers are hidden."""
    VALUE = "value"
    """How many records are behind the hidden numbers."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What protects a source's tables. A rule whose number is 0 or None is off."""

    profile: str
    source: str
    minimum_count: int
    """Counts from 1 to minimum_count - 1 are hidden, of records and of persons; zeros are shown."""
    interval_width: int
    """Every hidden cell has two feasible values at least this far apart, for the attacker of audit_level."""
    audit_level: int = 2
    insider_records: int = 1
    """So many records of any hidden cell may be a reader's own: it is at least that for him, and still wide.
    1 adds nothing where zeros are shown, since a hidden cell is then known to be no 0."""
    maximum_cells: int = 200_000
    """Published cells of one source; more are refused before any is computed."""
    minimum_contributors: int = 0
    """Sums of fewer contributors are hidden; counts too where the source says who its contributors are."""
    dominance: Dominance | None = None
    p_percent: float = 0.0
    """The p% rule: the second largest contributor to a sum may not know the largest to within p percent."""
    prior_posterior: PriorPosterior | None = None
    attribute_minimum: int = 0
    """Of a group shown beside its part in one category of a sensitive field, so many must be able to be
    elsewhere. 0: only in tables that ask for it."""
    minimum_population: int = 0
    """Cells about fewer people than this are hidden, in tables that name a reference file of populations."""
    unstable_below: int = 20
    """Rates of fewer events are flagged, in tables that say they are read as rates."""
    scoring: str = "2.0"
    """Edition of the CalHHS Publication Scoring Criteria that the build report shows; "" for none."""

    cost: Cost = Cost.CELLS
    """What protection loses least of; not a matter of safety, so a project is free to choose."""

    @property
    def asks_contributions(self) -> bool:
        """Whether a rule needs to know the largest contributors to a sum."""
        return bool(self.minimum_contributors or self.dominance or self.p_percent or self.prior_posterior)

    @property
    def largest_asked(self) -> int:
        """How many of the largest contributions the rules need: 2, or the n of (n,k)."""
        return max(2, self.dominance.contributors if self.dominance else 0)
