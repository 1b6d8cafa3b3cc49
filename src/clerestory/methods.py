"""Ways to protect a source: suppression, rounding, cell keys, differential privacy; each a frozen value.

A source has one of them. What stands here is public: a reader is told it with every table, and an attack
may use it. Secrets (seeds, record keys, what was drawn) are never part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import log, sqrt
from typing import Any, ClassVar


class Method(StrEnum):
    """The name of a method, as project files, manifests and structures have it."""

    SUPPRESSION = "suppression"
    ROUNDING = "rounding"
    CELL_KEY = "cell-key"
    DIFFERENTIAL_PRIVACY = "differential-privacy"


OPEN = "none"
"""Stands in place of a method where the rows themselves are public."""


class RoundingKind(StrEnum):
    """How a number becomes a multiple of the base."""

    CONVENTIONAL = "conventional"
    """To the nearest multiple; halves go up."""
    RANDOM = "random"
    """Down or up by chance, so that the expected value is the true one."""
    CONTROLLED = "controlled"
    """To one of the two multiples beside it, so that parts still add up to totals."""


class CellKeyMode(StrEnum):
    """What the numbers of a cell-key source keep."""

    CONSISTENT = "consistent"
    """The same records have the same number in every table and release; parts need not add up."""
    ADDITIVE = "additive"
    """Parts add up to totals; the numbers are made once and kept."""


class Mechanism(StrEnum):
    """Where the noise of differential privacy comes from."""

    LAPLACE = "laplace"
    GAUSSIAN = "gaussian"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Cells are hidden. Source: Handbook on Statistical Disclosure Control, ch. 4."""

    method: ClassVar[Method] = Method.SUPPRESSION


@dataclass(frozen=True, slots=True)
class Rounding:
    """Every number is a multiple of `base` (of a sum: of base times the most that one record gives).

    reach: of controlled rounding, how many multiples away a number may go where nearer ones do not add up.
    Source: Willenborg and de Waal, Elements of Statistical Disclosure Control (2001), ch. 9; Cox (1987), A
    constructive procedure for unbiased controlled rounding, JASA 82.
    """

    method: ClassVar[Method] = Method.ROUNDING
    kind: RoundingKind
    base: int
    reach: int = 1

    @property
    def within(self) -> int:
        """The most by which a count differs from the true one."""
        if self.kind is RoundingKind.CONVENTIONAL:
            return self.base // 2
        return self.base * self.reach - 1

    def width_at_zero(self) -> int:
        """How many numbers beside 0 a count may have that is rounded to 0: the narrowest there is."""
        return (self.base - 1) // 2 if self.kind is RoundingKind.CONVENTIONAL else self.base - 1


@dataclass(frozen=True, slots=True)
class CellKey:
    """Every count above zero changes by a small number that follows from who is in the cell; zeros stay.

    largest: the most by which a count changes. variance: of the change. smallest: counts from 1 to this are
    never published. keys: record keys are from 0 to keys - 1.
    Source: Fraser and Wooton (2005), A proposed method for confidentialising tabular output to protect
    against differencing; Marley and Leaver (2011), A method for confidentialising user-defined tables.
    """

    method: ClassVar[Method] = Method.CELL_KEY
    mode: CellKeyMode
    largest: int
    variance: float
    smallest: int = 2
    keys: int = 4096


@dataclass(frozen=True, slots=True)
class DifferentialPrivacy:
    """Noise on every number, drawn anew for each release; what a person gives is bounded.

    rho: what one release spends of zero-concentrated differential privacy. budget: what all releases of the
    source together may spend. delta: for which epsilon is stated. records: of one person, so many at most
    count. Source: Bun and Steinke (2016), Concentrated differential privacy; Canonne, Kamath and Steinke
    (2020), The discrete Gaussian for differential privacy.
    """

    method: ClassVar[Method] = Method.DIFFERENTIAL_PRIVACY
    mechanism: Mechanism
    rho: float
    budget: float
    delta: float
    records: int

    @property
    def epsilon(self) -> float:
        """Such that one release is (epsilon, delta)-differentially private: Bun and Steinke, prop. 1.3."""
        return epsilon_of(self.rho, self.delta)


Protector = Suppression | Rounding | CellKey | DifferentialPrivacy

SUPPRESSION = Suppression()


def epsilon_of(rho: float, delta: float) -> float:
    """The epsilon, at delta, of what is rho-zCDP. Source: Bun and Steinke (2016), proposition 1.3."""
    return rho + 2 * sqrt(rho * log(1 / delta))


def method_said(method: Protector) -> dict[str, Any]:
    """A method as public files have it: its name, and all that it is set to."""
    return {"name": method.method.value, **asdict(method)}


def method_of(said: Mapping[str, Any]) -> Protector:
    """The method that a public file names. Raises ValueError, KeyError or TypeError if it is none."""
    values = {key: value for key, value in said.items() if key != "name"}
    name = Method(said["name"])
    if name is Method.SUPPRESSION:
        return Suppression(**values)
    if name is Method.ROUNDING:
        values["kind"] = RoundingKind(values["kind"])
        found: Protector = Rounding(**values)
    elif name is Method.CELL_KEY:
        values["mode"] = CellKeyMode(values["mode"])
        found = CellKey(**values)
    else:
        values["mechanism"] = Mechanism(values["mechanism"])
        found = DifferentialPrivacy(**values)
    for key, value in asdict(found).items():
        if not isinstance(value, str) and (type(value) not in (int, float) or value < 0):
            raise ValueError(f"the method's {key} is no number")
    return found
