"""Synthetic records for six firearms datasets, calibrated on public figures, and one real nameless dataset.

    world      who exists and what happens to them: licences, purchases, certificates, registry, orders
    ccw fsc dros awr gvro    the rows that each dataset keeps of it
    dirt       misspellings and other slips; truth keeps what was done, apart from the records
    write      private files with a SYNTHETIC stamp

No row is about a real person, and no identifier has a form that an agency issues. The same seed and scale
give the same bytes, with the same versions of numpy and pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clerestory.errors import InputError
from clerestory.templates.generator import (
    awr,
    calibration,
    ccw,
    custody,
    dros,
    fsc,
    gvro,
    reference,
    truth,
    world,
)
from clerestory.templates.generator.dates import YEARS
from clerestory.templates.generator.write import NOTE, STAMP, Writer, WrittenFile, private_folder

__all__ = ["DEFAULT_SCALE", "DEFAULT_SEED", "WrittenFile", "write_records"]

DEFAULT_SEED = 20220627
DEFAULT_SCALE = 0.05
_VERSION = "1"  # of what is drawn; raise it when the same seed gives other records


def write_records(
    folder: Path,
    *,
    seed: int = DEFAULT_SEED,
    scale: float = DEFAULT_SCALE,
    progress: Callable[[WrittenFile], None] | None = None,
    ccw_people: int = calibration.CCW_PEOPLE,
) -> list[WrittenFile]:
    """Every dataset in `folder`, mode 0700, in files of mode 0600, with the truth apart in `truth/`.

    scale: share of true size, above 0 and at most 1, of FSC, DROS and AWR; their totals by year and county
    meet the calibration to the unit. CCW, GVRO and ROSTER are always whole (ccw_people is for tests).
    Calls `progress` after each file. Raises InputError if seed or scale is out of range.
    """
    if not 0 < scale <= 1:
        raise InputError("scale is out of range", where="--scale", fix="give a number above 0 and at most 1")
    if seed < 0:
        raise InputError("seed is negative", where="--seed", fix="give 0 or a whole number above it")
    drawn = {"seed": str(seed), "scale": repr(float(scale)), "generator": _VERSION}
    about = {"stamp": STAMP, "note": NOTE, **drawn}
    private_folder(folder)
    writer = Writer(folder, about, progress)
    writer.note("SYNTHETIC.txt", "".join(f"{key}: {value}\n" for key, value in about.items()) + _REAL_FILES)
    built = world.build(seed, scale, ccw_people)
    writer.table("truth/people.parquet", "truth", truth.people(built))
    for name, records in (("ccw", ccw.records), ("fsc", fsc.records), ("awr", awr.records)):
        columns, who = records(built)
        writer.table(f"{name}.parquet", name, columns)
        writer.table(f"truth/{name}.parquet", "truth", who)
    orders, who = gvro.records(built)
    writer.database("gvro.sqlite", "gvro", "gvro", orders, key="order_id")
    writer.table("truth/gvro.parquet", "truth", who)
    for year in YEARS:
        columns, who = dros.records(built, year)
        writer.table(f"dros/dros_{year}.parquet", "dros", columns)
        writer.table(f"truth/dros_{year}.parquet", "truth", who)
    writer.text("roster.csv", "roster", reference.content("ca_roster_recently_added_2025_2026.csv"))
    writer.text(custody.NAME, "deaths_in_custody", custody.packed(), rows=custody.ROWS)
    return writer.written


_REAL_FILES = (
    "\nReal, public, with no names: roster.csv (handgun models), deaths_in_custody.csv.gz (2005-2018).\n"
    "Use the deaths for counts only; never join them with names, news or places finer than a county.\n"
)
