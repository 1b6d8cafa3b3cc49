"""Dirt on purpose: the ways in which one person's records disagree, and what was done to which record.

Rates follow section 8 of the domain notes for carry licences; datasets whose names are read from a card's
magnetic stripe have far fewer slips.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from clerestory.templates.generator import names
from clerestory.templates.generator.columns import Column, coded, dates
from clerestory.templates.generator.dates import day_and_month_swapped
from clerestory.templates.generator.draws import Ints
from clerestory.templates.generator.people import People


class Dirt(IntFlag):
    """What was done to a record; the truth tables hold the sum of these."""

    TYPO_SURNAME = 1
    TYPO_FIRST_NAME = 2
    BIRTH_DAY_AND_MONTH_SWAPPED = 4
    NICKNAME = 8
    MIDDLE_NAME_MISSING = 16
    MIDDLE_INITIAL_ONLY = 32
    SUFFIX_IN_SURNAME = 64
    NAMES_REORDERED = 128
    ACCENT_KEPT = 256  # other records of the same name have dropped it
    CII_MISSING = 512
    CII_WRONG_DIGIT = 1024
    CII_OF_ANOTHER = 2048
    LICENSE_MISSING = 4096
    MOVED = 8192
    MOVED_COUNTY = 16384
    SURNAME_CHANGED = 32768
    PO_BOX = 65536
    OUT_OF_STATE = 131072
    MAIL_RETURNED = 262144
    AFTER_DEATH = 524288


@dataclass(frozen=True)
class Rates:
    """Share of records to which each slip happens."""

    typo: float
    swapped_birth: float
    nickname: float
    middle_missing: float
    middle_initial: float
    suffix_in_surname: float
    reordered: float
    accent_kept: float


KEYED_BY_HAND = Rates(
    typo=0.015,
    swapped_birth=0.005,
    nickname=0.03,
    middle_missing=0.30,
    middle_initial=0.12,
    suffix_in_surname=0.004,
    reordered=0.004,
    accent_kept=0.15,
)
READ_FROM_CARD = Rates(
    typo=0.003,
    swapped_birth=0.0005,
    nickname=0.0,
    middle_missing=0.05,
    middle_initial=0.05,
    suffix_in_surname=0.002,
    reordered=0.001,
    accent_kept=0.0,
)


@dataclass(frozen=True)
class Identity:
    """Name and birth columns as they stand on record, and the dirt in them."""

    last: Column
    first: Column
    middle: Column
    suffix: Column
    birth: Column
    dirt: Ints


def identity(
    rng: np.random.Generator, people: People, person: Ints, rates: Rates, *, surname: Ints | None = None
) -> Identity:
    """The names and birth date of each record's person, with slips; `surname` overrides the true one."""
    size = len(person)
    dirt = np.zeros(size, dtype=np.int32)

    def hit(rate: float, flag: Dirt, possible: Ints) -> Ints:
        chosen = possible & (rng.random(size) < rate)
        dirt[chosen] |= flag.value
        return chosen

    ever = np.ones(size, dtype=bool)
    offset = len(names.surname_words())
    last = (people.surname[person] if surname is None else surname).astype(np.int32)
    first = people.first[person].astype(np.int32)
    middle = people.middle[person].astype(np.int32)
    suffix = people.suffix[person]

    nickname = names.nickname_of()[first]
    first = np.where(hit(rates.nickname, Dirt.NICKNAME, nickname != names.NO_NAME), nickname, first)
    has_middle = middle != names.NO_NAME
    missing = hit(rates.middle_missing, Dirt.MIDDLE_NAME_MISSING, has_middle)
    initial = hit(rates.middle_initial, Dirt.MIDDLE_INITIAL_ONLY, has_middle & ~missing)
    middle = np.where(initial, names.initial_of()[middle], middle)
    no_middle = missing | ~has_middle

    first = first + offset
    for column in (last, first):
        accented = names.accented_of()[column]
        kept = hit(rates.accent_kept, Dirt.ACCENT_KEPT, accented != names.NO_NAME)
        column[kept] = accented[kept]
    swap = hit(rates.reordered, Dirt.NAMES_REORDERED, ever)
    last, first = np.where(swap, first, last), np.where(swap, last, first)

    in_surname = hit(rates.suffix_in_surname, Dirt.SUFFIX_IN_SURNAME, (suffix != names.NO_SUFFIX) & ~swap)
    surname_words, last = _with_suffix(last, suffix, in_surname)
    typed = hit(rates.typo * 0.6, Dirt.TYPO_SURNAME, ever)
    surname_words, last = _with_typos(rng, surname_words, last, typed)
    typed = hit(rates.typo * 0.4, Dirt.TYPO_FIRST_NAME, ever)
    first_words, first = _with_typos(rng, np.asarray(names.all_words()), first, typed)

    birth = people.core.birth[person]
    swapped, possible = day_and_month_swapped(birth)
    wrong = hit(rates.swapped_birth, Dirt.BIRTH_DAY_AND_MONTH_SWAPPED, possible)
    return Identity(
        last=coded(surname_words, last),
        first=coded(first_words, first),
        middle=coded(names.first_words(), np.where(no_middle, 0, middle), null=no_middle),
        suffix=coded(names.SUFFIXES, np.maximum(suffix, 0), null=(suffix == names.NO_SUFFIX) | in_surname),
        birth=dates(np.where(wrong, swapped, birth)),
        dirt=dirt,
    )


def _with_suffix(last: Ints, suffix: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """The word list and numbers, with the suffix written behind the surname where chosen."""
    words = np.asarray(names.all_words())
    endings = np.asarray([f" {name}" for name in names.SUFFIXES])
    made = np.strings.add(words[last[chosen]], endings[suffix[chosen]])
    return _appended(words, last, chosen, made)


def _with_typos(rng: np.random.Generator, words: Ints, index: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """The word list and numbers, with one slip of the finger in each chosen word."""
    return _appended(words, index, chosen, typos(rng, words[index[chosen]]))


def _appended(words: Ints, index: Ints, chosen: Ints, made: Ints) -> tuple[Ints, Ints]:
    new, place = np.unique(made, return_inverse=True)
    index = index.copy()
    index[chosen] = len(words) + place
    return np.concatenate([words, new]), index


def typos(rng: np.random.Generator, words: Ints) -> Ints:
    """Each word with two letters exchanged, one dropped, one doubled or one replaced by the next letter."""
    if not len(words):
        return words
    width = int(np.strings.str_len(words).max()) + 1
    letters = words.astype(f"U{width}").view(np.uint32).reshape(len(words), width).astype(np.int64)
    length = np.strings.str_len(words)
    at = (1 + rng.random(len(words)) * np.maximum(length - 2, 1)).astype(np.int64)[:, None]
    kind = rng.integers(0, 4, len(words))[:, None]
    # a word of one or two letters has nothing to exchange or to drop
    kind = np.where((length < 3)[:, None], 3, kind)
    at = np.where((length < 3)[:, None], 0, at)
    place = np.broadcast_to(np.arange(width), letters.shape)
    source = np.select(
        [kind == 0, kind == 1, kind == 2],
        [
            np.where(place == at, at + 1, np.where(place == at + 1, at, place)),
            place + (place >= at),
            place - (place > at),
        ],
        place,
    )
    made = np.take_along_axis(letters, np.clip(source, 0, width - 1), axis=1)
    made[(source >= width)] = 0
    replaced = (kind == 3) & (place == at)
    made = np.where(
        replaced, np.where(made == ord("Z"), ord("Y"), np.where(made == 32, ord("X"), made + 1)), made
    )
    return made.astype(np.uint32).reshape(-1).view(f"U{width}")
