"""The level-4 attack, by enumeration on tiny tables: which cells are hidden is itself a message.

A reader knows the method but not its secret seed. He goes through every true table that agrees with all that
is published, runs the method on it with many seeds, and drops it if that never hides the cells that the
release hides. What is left may narrow a hidden cell that withstands every attack on the numbers alone.

The method is whatever the reader knows: a function from true values and a seed to what it would hide. With
a limited number of seeds the attack drops a little too much, the truth itself now and then: its rate is an
upper one of what this reader can do, and how often he is wrong is counted too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.attacker.knowledge import System, system_of
from tests.attacker.published import Release
from tests.attacker.solvers import Bounds, Interval, propagate

Method = Callable[[Mapping[str, int], int], frozenset[str] | None]
"""(true value of every published cell by label, seed) -> labels of what is hidden; None if it refuses."""


@dataclass(frozen=True)
class Pattern:
    """What the pattern tells. tables: that agree with the numbers; narrow: cells told too well, by label.

    All intervals are those over the tables that can have given the pattern. seen: how many of them were run
    before nothing was left to decide.
    """

    tables: int
    seen: int
    narrow: Mapping[str, Interval]

    @property
    def exactly(self) -> tuple[str, ...]:
        """The cells that are told exactly."""
        return tuple(label for label, found in self.narrow.items() if found.low == found.high)


class TooMany(ValueError):
    """More tables agree with the numbers than can be gone through."""


def solutions(system: System, *, most: int) -> Iterator[tuple[int, ...]]:
    """Every assignment of whole numbers to the unknowns that contradicts nothing. Raises TooMany."""
    count = 0

    def below(bounds: Bounds) -> Iterator[tuple[int, ...]]:
        nonlocal count
        tight = propagate(system.lines, bounds)
        if tight is None:
            return
        open_ = [(hi - lo, k) for k, (lo, hi) in tight.items() if hi is not None and hi > lo]
        if any(hi is None for _, hi in tight.values()):
            raise TooMany("a hidden cell has no upper limit")
        if not open_:
            values = tuple(tight[k][0] for k in range(len(tight)))
            if system.fits(values):
                count += 1
                if count > most:
                    raise TooMany(f"more than {most} tables")
                yield values
            return
        _, k = min(open_)
        low, high = tight[k]
        assert high is not None
        for value in range(low, high + 1):
            yield from below({**tight, k: (value, value)})

    yield from below(dict(enumerate(system.bounds)))


def read_pattern(release: Release, method: Method, *, seeds: Sequence[int], most: int = 2_000) -> Pattern:
    """What a reader of this release's pattern learns who knows the method. Raises TooMany."""
    system = system_of(release)
    tables = list(solutions(system, most=most))
    labels = [cell.label for cell in system.cells]
    hidden = frozenset(labels[i] for i in system.unknown)
    shown = {cell.label: cell.value for cell in system.cells if cell.value is not None}
    width = release.facts.width
    size = len(system.unknown)
    low: list[int] = []
    high: list[int] = []
    seen = 0

    def gives(values: Sequence[int]) -> bool:
        truth = shown | {labels[i]: v for i, v in zip(system.unknown, values, strict=True)}
        return any(method(truth, seed) == hidden for seed in seeds)

    waiting = dict.fromkeys(tables)
    while waiting:
        narrow = [k for k in range(size) if not low or high[k] - low[k] < width]
        if not narrow:
            break
        # the table that would widen the most cells which are still narrow comes first
        values = max(waiting, key=lambda v: sum(_gain(v[k], low, high, k) for k in narrow))
        del waiting[values]
        seen += 1
        if low and not any(_gain(values[k], low, high, k) for k in narrow):
            break
        if gives(values):
            low = list(values) if not low else [min(a, b) for a, b in zip(low, values, strict=True)]
            high = list(values) if not high else [max(a, b) for a, b in zip(high, values, strict=True)]
    if not low:
        return Pattern(len(tables), seen, {})
    return Pattern(
        len(tables),
        seen,
        {
            labels[i]: Interval(low[k], high[k])
            for k, i in enumerate(system.unknown)
            if high[k] - low[k] < width
        },
    )


def _gain(value: int, low: Sequence[int], high: Sequence[int], k: int) -> int:
    """By how much a value widens what is known to be possible of an unknown."""
    if not low:
        return abs(value)
    return max(low[k] - value, value - high[k], 0)
