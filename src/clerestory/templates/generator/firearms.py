"""The catalogue of firearms: maker, model, type and calibre, with a long tail of rare makers.

Makers and models are public product names or invented ones; shares of the large makers are modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from clerestory.templates.generator.draws import Choice, Floats, Ints, stream

CLASSES = ("HANDGUN", "LONG_GUN")
TYPES = ("PISTOL", "REVOLVER", "DERRINGER", "RIFLE", "SHOTGUN", "RIFLE_SHOTGUN_COMB", "FRAME_ONLY")
TAIL_MAKERS = 150

# maker: share of its class, then (model, type, calibre, weight)
_HANDGUNS: dict[str, tuple[float, list[tuple[str, str, str, float]]]] = {
    "GLOCK": (17, [("19", "PISTOL", "9MM", 5), ("17", "PISTOL", "9MM", 3), ("43", "PISTOL", "9MM", 2),
                   ("26", "PISTOL", "9MM", 2), ("34", "PISTOL", "9MM", 1), ("22", "PISTOL", ".40 S&W", 1)]),
    "SMITH & WESSON": (17, [("M&P9 SHIELD", "PISTOL", "9MM", 6), ("M&P40", "PISTOL", ".40 S&W", 2),
                            ("SD9", "PISTOL", "9MM", 2), ("686", "REVOLVER", ".357 MAGNUM", 2),
                            ("642", "REVOLVER", ".38 SPECIAL", 2), ("629", "REVOLVER", ".44 MAGNUM", 1)]),
    "SIG SAUER": (12, [("P226", "PISTOL", "9MM", 3), ("P229", "PISTOL", "9MM", 2),
                       ("P320", "PISTOL", "9MM", 3),
                       ("P238", "PISTOL", ".380 ACP", 2), ("P938", "PISTOL", "9MM", 1)]),
    "RUGER": (11, [("LC9", "PISTOL", "9MM", 3), ("MARK IV", "PISTOL", ".22 LR", 3),
                   ("LCP", "PISTOL", ".380 ACP", 2),
                   ("GP100", "REVOLVER", ".357 MAGNUM", 2), ("SINGLE-SIX", "REVOLVER", ".22 LR", 1.5)]),
    "SPRINGFIELD ARMORY": (9, [("XD-9", "PISTOL", "9MM", 4), ("XDS", "PISTOL", ".45 ACP", 2),
                               ("1911-A1", "PISTOL", ".45 ACP", 3)]),
    "BERETTA": (5, [("92FS", "PISTOL", "9MM", 5), ("PX4 STORM", "PISTOL", "9MM", 2),
                    ("21A", "PISTOL", ".22 LR", 1)]),
    "CZ": (4, [("75 B", "PISTOL", "9MM", 2), ("P-10", "PISTOL", "9MM", 1)]),
    "COLT": (3, [("1911 GOVERNMENT", "PISTOL", ".45 ACP", 3), ("COBRA", "REVOLVER", ".38 SPECIAL", 1),
                 ("PYTHON", "REVOLVER", ".357 MAGNUM", 1)]),
    "KIMBER": (3, [("CUSTOM II", "PISTOL", ".45 ACP", 2), ("K6S", "REVOLVER", ".357 MAGNUM", 1)]),
    "H&K": (3, [("USP", "PISTOL", "9MM", 2), ("P30", "PISTOL", "9MM", 1)]),
    "FN": (2, [("FNS-9", "PISTOL", "9MM", 2), ("FIVE-SEVEN", "PISTOL", "5.7X28MM", 1)]),
    "WALTHER": (2, [("PPQ", "PISTOL", "9MM", 2), ("P22", "PISTOL", ".22 LR", 1)]),
    "TAURUS": (2, [("85", "REVOLVER", ".38 SPECIAL", 2), ("PT92", "PISTOL", "9MM", 1)]),
}  # fmt: skip
_LONG_GUNS: dict[str, tuple[float, list[tuple[str, str, str, float]]]] = {
    "RUGER": (13, [("10/22", "RIFLE", ".22 LR", 5), ("AMERICAN", "RIFLE", ".308 WIN", 2),
                   ("MINI-14", "RIFLE", ".223 REM", 2)]),
    "REMINGTON": (12, [("870", "SHOTGUN", "12 GA", 5), ("700", "RIFLE", ".308 WIN", 3),
                       ("783", "RIFLE", ".30-06", 1)]),
    "MOSSBERG": (11, [("500", "SHOTGUN", "12 GA", 4), ("590", "SHOTGUN", "12 GA", 2),
                      ("PATRIOT", "RIFLE", ".270 WIN", 1)]),
    "SAVAGE": (8, [("AXIS", "RIFLE", ".308 WIN", 2), ("MARK II", "RIFLE", ".22 LR", 1)]),
    "SMITH & WESSON": (8, [("M&P15", "RIFLE", "5.56 NATO", 3), ("M&P15-22", "RIFLE", ".22 LR", 2)]),
    "WINCHESTER": (6, [("SXP", "SHOTGUN", "12 GA", 2), ("94", "RIFLE", ".30-30", 1),
                       ("101/COMB", "RIFLE_SHOTGUN_COMB", "12 GA", 0.4)]),
    "AERO PRECISION": (5, [("X15", "FRAME_ONLY", "MULTI", 3), ("M5", "FRAME_ONLY", "MULTI", 1)]),
    "HENRY": (4, [("H001", "RIFLE", ".22 LR", 2), ("BIG BOY", "RIFLE", ".357 MAGNUM", 1)]),
    "MARLIN": (4, [("60", "RIFLE", ".22 LR", 2), ("336", "RIFLE", ".30-30", 1)]),
    "BROWNING": (4, [("X-BOLT", "RIFLE", ".300 WIN MAG", 1), ("CITORI", "SHOTGUN", "12 GA", 1)]),
    "ANDERSON": (3, [("AM-15", "FRAME_ONLY", "MULTI", 1), ("AM-15", "RIFLE", "5.56 NATO", 1)]),
    "BENELLI": (3, [("M2", "SHOTGUN", "12 GA", 2), ("NOVA", "SHOTGUN", "12 GA", 1)]),
    "BERETTA": (3, [("A300", "SHOTGUN", "12 GA", 1), ("686 SILVER PIGEON", "SHOTGUN", "20 GA", 1)]),
    "SPRINGFIELD ARMORY": (3, [("M1A", "RIFLE", ".308 WIN", 1), ("SAINT", "RIFLE", "5.56 NATO", 1)]),
    "STOEGER": (2, [("CONDOR", "SHOTGUN", "12 GA", 1)]),
    "COLT": (2, [("LE6920", "RIFLE", "5.56 NATO", 1)]),
}  # fmt: skip
_TAIL_SHARE = 10.0
# a Zipf-Mandelbrot tail: the first of these makers sells 2 % of its class, most of them under 10 a year
_TAIL_SHIFT, _TAIL_POWER = 8.0, 3.5
_TAIL_FIRST = (
    "ACORN", "ALPINE", "ARGENT", "BADGER", "BASIN", "BLUFF", "CASCADE", "CINDER", "COBALT", "DELTA",
    "DRAKE", "EMBER", "FALCON", "FLINT", "GRANITE", "HERON", "IRONWOOD", "JUNIPER", "KESTREL", "LARIAT",
    "MESA", "NORTHGATE", "OSPREY", "PINNACLE", "QUARRY", "RAVEN", "SADDLE", "TALON", "UMBER", "VULCAN",
)  # fmt: skip
_TAIL_SECOND = ("ARMS", "FIREARMS", "RIFLE WORKS", "PRECISION", "& SONS")
_TAIL_TYPES = {
    "HANDGUN": (("PISTOL", "9MM", 6), ("REVOLVER", ".38 SPECIAL", 2.6), ("DERRINGER", ".22 MAGNUM", 0.8)),
    "LONG_GUN": (("RIFLE", ".308 WIN", 5), ("SHOTGUN", "12 GA", 3), ("FRAME_ONLY", "MULTI", 2),
                 ("RIFLE_SHOTGUN_COMB", "20 GA", 0.3)),
}  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """(entries,) one maker and model each. Numbers point into the word lists."""

    makers: tuple[str, ...]
    models: tuple[str, ...]
    calibers: tuple[str, ...]
    maker: Ints
    model: Ints
    caliber: Ints
    type: Ints
    choice: Choice  # entries by class

    def draw(self, rng: np.random.Generator, firearm_class: Ints) -> Ints:
        """An entry of the right class for each firearm."""
        return self.choice.draw(rng, firearm_class).astype(np.int16)


@cache
def catalogue() -> Catalogue:
    """All handguns, then all long guns."""
    by_class = [_entries("HANDGUN", _HANDGUNS), _entries("LONG_GUN", _LONG_GUNS)]
    entries = [entry for group in by_class for entry in group]
    words = [tuple(sorted({str(entry[part]) for entry in entries})) for part in (0, 1, 3)]
    numbers = [{word: place for place, word in enumerate(part)} for part in words]
    return Catalogue(
        makers=words[0],
        models=words[1],
        calibers=words[2],
        maker=np.asarray([numbers[0][entry[0]] for entry in entries]),
        model=np.asarray([numbers[1][entry[1]] for entry in entries]),
        caliber=np.asarray([numbers[2][entry[3]] for entry in entries]),
        type=np.asarray([TYPES.index(entry[2]) for entry in entries]),
        choice=Choice.of([[entry[4] for entry in group] for group in by_class]),
    )


def _entries(
    firearm_class: str, makers: dict[str, tuple[float, list[tuple[str, str, str, float]]]]
) -> list[tuple[str, str, str, str, float]]:
    found = []
    for maker, (share, models) in makers.items():
        total = sum(model[3] for model in models)
        found += [
            (maker, name, kind, caliber, share * weight / total) for name, kind, caliber, weight in models
        ]
    ranks: Floats = np.arange(1.0, TAIL_MAKERS + 1)
    weights: Floats = (ranks + _TAIL_SHIFT) ** -_TAIL_POWER
    kinds = _TAIL_TYPES[firearm_class]
    total = sum(weight for _, _, weight in kinds)
    rng = stream(0, "tail models", firearm_class)  # part of the catalogue, so the same for every seed
    for rank, maker in enumerate(_tail_makers()):
        share = _TAIL_SHARE * float(weights[rank] / weights.sum())
        for kind, caliber, weight in kinds:
            model = f"{maker[:2]}-{int(rng.integers(10, 1_000))}"
            found.append((maker, model, kind, caliber, share * weight / total))
    return found


def _tail_makers() -> list[str]:
    names = [f"{first} {second}" for second in _TAIL_SECOND for first in _TAIL_FIRST]
    return names[:TAIL_MAKERS]
