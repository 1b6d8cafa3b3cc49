"""Seeded random streams, and draws from distributions that differ by group."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[Any]
Floats = NDArray[np.float64]


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A random stream of its own for each name, so that one dataset never shifts another's draws."""
    words = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


@dataclass(frozen=True)
class Choice:
    """One categorical distribution per group, drawn for many rows in one search.

    Group g owns the interval [g, g + 1); its items cut that interval in proportion to their weights.
    """

    edges: Floats
    first: Ints
    last: Ints

    @classmethod
    def of(cls, groups: Sequence[ArrayLike]) -> Choice:
        """From one vector of weights (>= 0, not all 0) per group; the groups may differ in length."""
        parts, sizes = [], []
        for number, weights in enumerate(groups):
            cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
            parts.append(number + cumulative / cumulative[-1])
            sizes.append(len(cumulative))
        ends = np.cumsum(sizes)
        return cls(np.concatenate(parts), ends - np.asarray(sizes), ends - 1)

    def draw(self, rng: np.random.Generator, group: Ints) -> Ints:
        """For each row, the position of the item drawn, counted through all groups in order."""
        at = np.searchsorted(self.edges, group + rng.random(len(group)), side="right")
        return np.clip(at, self.first[group], self.last[group])


def pick(rng: np.random.Generator, weights: ArrayLike, size: int) -> Ints:
    """Positions drawn with the given weights, which need not add up to 1."""
    return Choice.of([weights]).draw(rng, np.zeros(size, dtype=np.int64)).astype(np.int16)


def cut(sizes: Ints, totals: Ints) -> tuple[Ints, Ints]:
    """Cut one run of drawn sizes into groups that hold exactly `totals` units.

    sizes: at least sum(totals) positive sizes, totals[g] of them set aside for group g.
    Returns (size, group) of those used; the last of each group is shortened to fit.
    """
    kept, groups, at = [], [], 0
    for group, total in enumerate(totals.tolist()):
        if not total:
            continue
        run = sizes[at : at + total]
        at += total
        ends = np.cumsum(run)
        used = int(np.searchsorted(ends, total)) + 1
        part = run[:used].copy()
        part[-1] -= ends[used - 1] - total
        kept.append(part)
        groups.append(np.full(used, group, dtype=np.uint8))
    if not kept:
        return sizes[:0], np.zeros(0, dtype=np.uint8)
    return np.concatenate(kept), np.concatenate(groups)


def rank_within(group: Ints, key: Ints) -> Ints:
    """Rank, from 0, of each row among the rows of its own group, by rising key."""
    order = np.lexsort((key, group))
    sorted_groups = group[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]) if len(order) else order
    lengths = np.diff(np.r_[starts, len(order)])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    return rank
