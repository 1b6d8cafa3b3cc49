"""Names: surname given race, first name given decade of birth and sex, and the variants people go by."""

from __future__ import annotations

from functools import cache

import numpy as np

from clerestory.templates.generator import reference
from clerestory.templates.generator.dates import Days, year_of
from clerestory.templates.generator.draws import Choice, Floats, Ints, stream

COMPOUND_SURNAMES = 3_000  # two-word and hyphenated ones, on top of the census list
SUFFIXES = ("JR", "SR", "II", "III")
NO_SUFFIX = -1
NO_NAME = -1

# Column of the census shares that each of RACE_GROUPS draws its surname from.
_CENSUS_COLUMN = np.asarray([0, 5, 1, 3, 2, 2, 4])

_NICKNAMES = {
    "ALBERT": "AL", "ALEXANDER": "ALEX", "ALFRED": "FRED", "ANDREW": "ANDY", "ANTHONY": "TONY",
    "ARTHUR": "ART", "BARBARA": "BARB", "BENJAMIN": "BEN", "CATHERINE": "CATHY", "CHARLES": "CHUCK",
    "CHRISTINA": "TINA", "CHRISTINE": "CHRIS", "CHRISTOPHER": "CHRIS", "CYNTHIA": "CINDY", "DANIEL": "DAN",
    "DAVID": "DAVE", "DEBORAH": "DEBBIE", "DENNIS": "DENNY", "DONALD": "DON", "DOROTHY": "DOT",
    "DOUGLAS": "DOUG", "EDWARD": "ED", "ELIZABETH": "LIZ", "EUGENE": "GENE", "FRANCISCO": "PANCHO",
    "FRANK": "FRANKIE", "FREDERICK": "FRED", "GERALD": "JERRY", "GREGORY": "GREG", "GUADALUPE": "LUPE",
    "HAROLD": "HAL", "HENRY": "HANK", "JACOB": "JAKE", "JAMES": "JIM", "JEFFREY": "JEFF",
    "JENNIFER": "JENNY", "JESUS": "CHUY", "JOHN": "JACK", "JONATHAN": "JON", "JOSE": "PEPE",
    "JOSEPH": "JOE", "JOSHUA": "JOSH", "KATHERINE": "KATHY", "KATHLEEN": "KATHY", "KENNETH": "KEN",
    "LAWRENCE": "LARRY", "LEONARD": "LEN", "MARGARET": "PEGGY", "MATTHEW": "MATT", "MICHAEL": "MIKE",
    "NICHOLAS": "NICK", "PAMELA": "PAM", "PATRICIA": "PAT", "PATRICK": "PAT", "PETER": "PETE",
    "PHILIP": "PHIL", "RAYMOND": "RAY", "REBECCA": "BECKY", "RICHARD": "DICK", "ROBERT": "BOB",
    "RONALD": "RON", "SAMUEL": "SAM", "SANDRA": "SANDY", "STEPHANIE": "STEPH", "STEPHEN": "STEVE",
    "STEVEN": "STEVE", "SUSAN": "SUE", "TERESA": "TERRY", "THEODORE": "TED", "THOMAS": "TOM",
    "TIMOTHY": "TIM", "VICTORIA": "VICKY", "VINCENT": "VINCE", "WALTER": "WALT", "WILLIAM": "BILL",
    "ZACHARY": "ZACK",
}  # fmt: skip

_ACCENTED = {
    "GARCIA": "GARCÍA", "RODRIGUEZ": "RODRÍGUEZ", "MARTINEZ": "MARTÍNEZ", "HERNANDEZ": "HERNÁNDEZ",
    "LOPEZ": "LÓPEZ", "GONZALEZ": "GONZÁLEZ", "PEREZ": "PÉREZ", "SANCHEZ": "SÁNCHEZ", "RAMIREZ": "RAMÍREZ",
    "GOMEZ": "GÓMEZ", "DIAZ": "DÍAZ", "GUTIERREZ": "GUTIÉRREZ", "CHAVEZ": "CHÁVEZ", "JIMENEZ": "JIMÉNEZ",
    "ALVAREZ": "ÁLVAREZ", "FERNANDEZ": "FERNÁNDEZ", "VASQUEZ": "VÁSQUEZ", "SUAREZ": "SUÁREZ",
    "NUNEZ": "NUÑEZ", "PENA": "PEÑA", "MUNOZ": "MUÑOZ", "CORDOVA": "CÓRDOVA", "JOSE": "JOSÉ",
    "JESUS": "JESÚS", "MARIA": "MARÍA", "RAUL": "RAÚL", "ANGEL": "ÁNGEL", "RENE": "RENÉ", "ANDRE": "ANDRÉ",
    "ADRIAN": "ADRIÁN", "HECTOR": "HÉCTOR",
}  # fmt: skip


@cache
def surname_words() -> tuple[str, ...]:
    """Every surname: the census list, then compound ones made from it."""
    return reference.surnames()[0] + _compounds()[0]


@cache
def first_words() -> tuple[str, ...]:
    """Every first name that is drawn, then nicknames and initials, which only dirt uses."""
    drawn = sorted({name for names, _ in reference.first_names().values() for name in names})
    extra = sorted(set(_NICKNAMES.values()) - set(drawn))
    letters = [letter for letter in map(chr, range(ord("A"), ord("Z") + 1)) if letter not in drawn]
    return tuple(drawn + extra + letters)


@cache
def all_words() -> tuple[str, ...]:
    """One list for every name column, so that exchanging two names is exchanging two numbers.

    Surnames come first, first names after them; the two parts may repeat a word.
    """
    plain = surname_words() + first_words()
    return plain + tuple(sorted(accented for accented in _ACCENTED.values()))


@cache
def _positions() -> dict[str, int]:
    return {word: place for place, word in enumerate(first_words())}


@cache
def nickname_of() -> Ints:
    """For each first name, the number of its nickname, or NO_NAME."""
    return np.asarray([_positions().get(_NICKNAMES.get(word, ""), NO_NAME) for word in first_words()])


@cache
def initial_of() -> Ints:
    """For each first name, the number of its first letter."""
    return np.asarray([_positions()[word[0]] for word in first_words()])


@cache
def accented_of() -> Ints:
    """For each of all_words, the number of its accented spelling, or NO_NAME."""
    words = all_words()
    start = len(surname_words()) + len(first_words())
    places = {word: start + place for place, word in enumerate(words[start:])}
    return np.asarray([places.get(_ACCENTED.get(word, ""), NO_NAME) for word in words])


@cache
def _compounds() -> tuple[tuple[str, ...], Ints]:
    """Compound surnames, and the census column that each belongs to."""
    words, bearers = reference.surnames()
    rng = stream(0, "compound surnames")  # part of the reference data, so the same for every seed
    column = np.where(rng.random(COMPOUND_SURNAMES) < 0.75, 5, 0)
    choice = Choice.of(list(bearers.T))
    size = len(words)
    left, right = choice.draw(rng, column) % size, choice.draw(rng, column) % size
    joint = np.where(rng.random(COMPOUND_SURNAMES) < 0.5, "-", " ")
    particle = np.where((column == 5) & (rng.random(COMPOUND_SURNAMES) < 0.25), "DE LA ", "")
    made = [
        f"{start}{words[second]}" if start else f"{words[first]}{joiner}{words[second]}"
        for first, second, joiner, start in zip(left, right, joint, particle, strict=True)
    ]
    return tuple(made), column


@cache
def _surname_choice() -> Choice:
    bearers = reference.surnames()[1]
    column = _compounds()[1]
    groups: list[Floats] = []
    for census_column in range(bearers.shape[1]):
        weights = bearers[:, census_column]
        own = column == census_column
        # 4 % of the people whose census column has compound names bear one
        share = 0.04 * weights.sum() / max(int(own.sum()), 1)
        groups.append(np.concatenate([weights, np.where(own, share, 0.0)]))
    return Choice.of(groups)


@cache
def _first_choice() -> tuple[Choice, Ints]:
    lists = [reference.first_names()[decade, sex] for sex in ("M", "F") for decade in reference.DECADES]
    numbers = np.asarray([_positions()[name] for names, _ in lists for name in names])
    return Choice.of([births for _, births in lists]), numbers


def draw_surnames(rng: np.random.Generator, race_group: Ints) -> Ints:
    """Numbers into surname_words, given the position of each person's race group in RACE_GROUPS."""
    drawn = _surname_choice().draw(rng, _CENSUS_COLUMN[race_group])
    return (drawn % len(surname_words())).astype(np.int32)


def draw_first_names(rng: np.random.Generator, birth: Days, female: Ints) -> Ints:
    """Numbers into first_words, given the day of birth and whether the person is female."""
    decade = np.clip((year_of(birth) - reference.DECADES[0]) // 10, 0, len(reference.DECADES) - 1)
    choice, numbers = _first_choice()
    group = female.astype(np.int64) * len(reference.DECADES) + decade
    return numbers[choice.draw(rng, group)].astype(np.int16)
