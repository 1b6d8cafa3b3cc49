"""The course of gun violence restraining orders: who, when, which orders followed one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator import reference
from clerestory.templates.generator.calibration import controlled_rounding, largest_remainder
from clerestory.templates.generator.dates import LAST_DAY, Days, day, new_year, years_later
from clerestory.templates.generator.draws import Floats, Ints, cut, pick, stream

TYPES = ("EGVRO", "TGVRO", "GVRO_EPO", "GVRO", "RENEWAL")
NO_PARENT = -1

# Respondents who first appear, 2016 to 2019: 70 and 700 are published, 306 lie between (Pallin et al., 2020).
RESPONDENTS = {2016: 70, 2017: 110, 2018: 196, 2019: 700}
SAN_DIEGO_RESPONDENTS = 354  # of the 1,076: the published top of the county range
ORDERS = {2020: 1_300, 2021: 1_384}
SAN_DIEGO_ORDERS = {2020: 483, 2021: 435}

# What one episode holds, and its share: 31 % of people had a one-year order, 1.6 orders each on average.
_EPISODES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.45, ("EGVRO",)),
    (0.17, ("EGVRO", "TGVRO")),
    (0.07, ("TGVRO",)),
    (0.12, ("EGVRO", "GVRO_EPO")),
    (0.10, ("EGVRO", "TGVRO", "GVRO")),
    (0.09, ("TGVRO", "GVRO")),
)
_RENEWED = 0.10  # of final orders, in 2018 and 2019
_RENEWALS_AT_MOST = 0.06  # of a county's orders, in 2020 and 2021
_LONGER_ORDERS_FROM = day(2020, 9, 1)  # one to five years; one year before


@dataclass(frozen=True)
class Respondents:
    """(respondents,) the county and year of the first order."""

    county: Ints
    year: Ints


@dataclass(frozen=True)
class Orders:
    """(orders,) in order of issue."""

    respondent: Ints
    kind: Ints  # into TYPES
    parent: Ints  # row of the order before it, or NO_PARENT
    issued: Days
    hearing: Days
    expires: Days


def plan(seed: int) -> tuple[Respondents, Orders]:
    """Respondents and their orders, always at full size: the small cells are the point of this dataset."""
    rng = stream(seed, "gvro", "orders")
    early = _early_respondents()
    county: list[Ints] = []
    year: list[Ints] = []
    blocks: list[dict[str, Ints]] = []
    people = 0
    for current in (*RESPONDENTS, *ORDERS):
        renewed = _renewals(rng, blocks, np.concatenate(county) if county else np.zeros(0, int), current)
        if current in RESPONDENTS:
            counts = early[current - 2016]
            episode = pick(rng, [share for share, _ in _EPISODES], int(counts.sum()))
            sizes = _lengths()[episode]
            where = np.repeat(np.arange(len(counts)), counts)
        else:
            at = np.concatenate(county)[renewed["respondent"]]
            wanted = _orders_by_county(current) - np.bincount(at, minlength=58)
            episode = pick(rng, [share for share, _ in _EPISODES], int(wanted.sum()))
            sizes, where = cut(_lengths()[episode], wanted)
            episode = _episodes_kept(episode, wanted, sizes, where)
        blocks.append(_episode_orders(rng, current, episode, sizes, people))
        blocks.append(renewed)
        county.append(where.astype(np.int64))
        year.append(np.full(len(where), current))
        people += len(where)
    return Respondents(np.concatenate(county), np.concatenate(year)), _joined(blocks)


def _lengths() -> Ints:
    return np.asarray([len(kinds) for _, kinds in _EPISODES])


def _early_respondents() -> Ints:
    """(4, 58) respondents of 2016 to 2019 by county."""
    shares: Floats = reference.county_weights("gvro_share").copy()
    san_diego = reference.counties().index("San Diego")
    shares[san_diego] = 0
    counties = largest_remainder(shares, sum(RESPONDENTS.values()) - SAN_DIEGO_RESPONDENTS)
    counties[san_diego] = SAN_DIEGO_RESPONDENTS
    return controlled_rounding(np.asarray(list(RESPONDENTS.values())), counties)


def _orders_by_county(year: int) -> Ints:
    shares: Floats = reference.county_weights("gvro_share").copy()
    san_diego = reference.counties().index("San Diego")
    shares[san_diego] = 0
    orders = largest_remainder(shares, ORDERS[year] - SAN_DIEGO_ORDERS[year])
    orders[san_diego] = SAN_DIEGO_ORDERS[year]
    return orders


def _episodes_kept(episode: Ints, wanted: Ints, sizes: Ints, where: Ints) -> Ints:
    """The episodes that `cut` kept: the first ones of each county's run."""
    kept = np.bincount(where, minlength=len(wanted))
    run_starts = np.cumsum(wanted) - wanted
    within = np.arange(len(sizes)) - np.repeat(np.cumsum(kept) - kept, kept)
    return episode[np.repeat(run_starts, kept) + within]


def _episode_orders(
    rng: np.random.Generator, year: int, episode: Ints, sizes: Ints, first_respondent: int
) -> dict[str, Ints]:
    """The orders of each episode, all issued within the year; a cut one lacks its last orders."""
    width = max(len(kinds) for _, kinds in _EPISODES)
    kinds = np.zeros((len(_EPISODES), width), dtype=np.int64)
    for number, (_, group) in enumerate(_EPISODES):
        kinds[number, : len(group)] = [TYPES.index(kind) for kind in group]
    row = np.repeat(np.arange(len(episode)), sizes)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kind = kinds[episode[row], turn]
    to_hearing = rng.integers(14, 22, len(episode))[row]
    first_is_emergency = kinds[episode, 0][row] == TYPES.index("EGVRO")
    temporary = (kind == TYPES.index("TGVRO")) & first_is_emergency
    final = (kind == TYPES.index("GVRO")) | (kind == TYPES.index("GVRO_EPO"))
    start = int(new_year(np.asarray([year]))[0]) + (rng.random(len(episode)) * (365 - 25)).astype(np.int64)
    # the days left at the end of the year belong to episodes of one order
    alone = sizes == 1
    start[alone] += (rng.random(int(alone.sum())) * 25).astype(np.int64)
    issued = (
        start[row] + np.where(temporary, rng.integers(1, 4, len(row)), 0) + np.where(final, to_hearing, 0)
    )
    return {
        "respondent": first_respondent + row,
        "turn": turn,
        "kind": kind,
        "issued": issued,
        "hearing": np.where(final, issued, start[row] + to_hearing),
        "final": final.astype(np.int64),
    }


def _renewals(
    rng: np.random.Generator, blocks: list[dict[str, Ints]], county: Ints, year: int
) -> dict[str, Ints]:
    """Renewals, in this year, of final orders that are about to run out."""
    none = np.zeros(0, dtype=np.int64)
    empty = dict.fromkeys(("respondent", "turn", "kind", "issued", "hearing", "final"), none)
    if not blocks:
        return empty
    before = blocks[-2]  # the last year's episodes; its renewals follow them
    issued = np.maximum(before["issued"] + 365 - rng.integers(0, 20, len(before["issued"])), day(year))
    due = np.flatnonzero((before["final"] == 1) & (issued <= day(year, 12, 31)))
    if year in RESPONDENTS:
        due = due[rng.random(len(due)) < _RENEWED]
    else:
        where = county[before["respondent"][due]]
        room = np.floor(_orders_by_county(year) * _RENEWALS_AT_MOST)
        order = np.argsort(where, kind="stable")
        rank = np.empty(len(due), dtype=np.int64)
        starts = np.searchsorted(where[order], where[order])
        rank[order] = np.arange(len(due)) - starts
        due = due[rank < room[where]]
    size = len(due)
    return {
        "respondent": before["respondent"][due],
        "turn": before["turn"][due] + 1,
        "kind": np.full(size, TYPES.index("RENEWAL")),
        "issued": issued[due],
        "hearing": issued[due],
        "final": np.ones(size, dtype=np.int64),
    }


def _joined(blocks: list[dict[str, Ints]]) -> Orders:
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    order = np.lexsort((joined["turn"], joined["respondent"], joined["issued"]))
    joined = {name: values[order] for name, values in joined.items()}
    # an order follows the one with the turn before, of the same respondent
    by_person = np.lexsort((joined["turn"], joined["respondent"]))
    parent = np.full(len(order), NO_PARENT)
    follows = np.r_[False, joined["respondent"][by_person][1:] == joined["respondent"][by_person][:-1]]
    parent[by_person[follows]] = by_person[np.flatnonzero(follows) - 1]
    issued = joined["issued"]
    long_ones = (issued >= _LONGER_ORDERS_FROM) & (joined["final"] == 1)
    years = np.where(long_ones, 1 + (joined["respondent"] * 7 + joined["turn"]) % 11 // 2, 1)
    years = np.minimum(years, 5)
    expires = np.where(joined["final"] == 1, years_later(issued, years), issued + 21)
    if int(issued.max()) > LAST_DAY:
        raise AssertionError("an order is issued after the last day covered")
    return Orders(joined["respondent"], joined["kind"], parent, issued, joined["hearing"], expires)
