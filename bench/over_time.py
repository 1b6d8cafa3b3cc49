"""A table that is published three times, protected each time against whoever kept the earlier releases.

    python -m bench.over_time [frozen cumulative revised]

Carry licences, county < region < state x year x race. frozen: each release has one closed year more.
cumulative: half a year of records more, in three releases of the last two years. revised: each release has
corrected another fiftieth of all records; what differs by a small count is hidden until it grows. Each case
has a process of its own; seconds are those of the processor.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.protection_cases import MONTHS, Records, ccw_records, original_of, table, ways
from clerestory.api.over_time import protect_with_past
from clerestory.attack.decide import Verdict, decide
from clerestory.confidential.original import OriginalCells
from clerestory.policy import CALHHS_DDG_2_0
from clerestory.project import DifferenceDecision
from clerestory.release.history import Past
from clerestory.release.structure import Rule, Structure
from clerestory.tables import Axis, Changes, TableDesign

CASES = ("frozen", "cumulative", "revised")
ENDS = {
    "frozen": ("2020-01", "2021-01", "2022-01"),
    "cumulative": ("2020-07", "2021-01", "2021-07"),
    "revised": ("2022-01",) * 3,
}
"""The first month that a release does not have."""
RULE = Rule(CALHHS_DDG_2_0.audit_level, CALHHS_DDG_2_0.interval_width, CALHHS_DDG_2_0.minimum_count)
_CORRECTED = 0.02


def releases(name: str) -> list[OriginalCells]:
    """The true cells of each release."""
    whole = ccw_records()
    rng = np.random.default_rng(1)
    found = []
    for number, end in enumerate(ENDS[name]):
        if name == "revised" and number:
            whole = _corrected(whole, rng)
        months = [place for place, month in enumerate(MONTHS) if month < end]
        keep = whole.codes["month"] < len(months)
        records = Records(
            {**whole.categories, "month": tuple(MONTHS[place] for place in months)},
            {axis: codes[keep] for axis, codes in whole.codes.items()},
        )
        found.append(original_of("ccw", records, [_design(records, Changes(name))]))
    return found


def _design(records: Records, changes: Changes) -> TableDesign:
    way = ways(records)
    axis = Axis("month", records.categories["month"])
    year = replace(way.year, members=way.year.members[:, : len(axis.categories)])
    held = year.members.any(axis=1)
    year = replace(
        year,
        nodes=tuple(n for n, own in zip(year.nodes, held, strict=True) if own),
        members=year.members[held],
    )
    return replace(table("ccw", [way.county, year, way.race]), changes=changes)


def _corrected(records: Records, rng: np.random.Generator) -> Records:
    """The county of some records becomes another one."""
    county = records.codes["county"].copy()
    chosen = np.flatnonzero(rng.random(len(county)) < _CORRECTED)
    county[chosen] = county[rng.choice(len(county), len(chosen))]
    return replace(records, codes={**records.codes, "county": county})


def one(name: str) -> None:
    """Prints a row for each release."""
    pasts: list[Past] = []
    for number, original in enumerate(releases(name)):
        release = f"r-{number:012x}"
        decisions = [_batch(past.release) for past in pasts]
        start = time.process_time()
        made = protect_with_past(original, CALHHS_DDG_2_0, RULE, pasts, decisions, seed=1)
        seconds = time.process_time() - start
        done = made.protection
        hidden, cells = int(done.public.hidden.sum()), len(original.space)
        together = done.over_time
        linked = "-" if together is None else f"{together.cells:,}"
        start = time.process_time()
        alone = decide(done.public, width=RULE.interval_width, minimum=RULE.minimum_count)
        assert (alone.verdicts == Verdict.WIDE).all()
        deciding = time.process_time() - start
        print(
            f"| {name} {number + 1} | {cells:,} | {linked} | {int(done.primary.sum()):,} | "
            f"{100 * hidden / cells:.0f} % | {seconds:.1f} s | {deciding:.1f} s | {_memory()} |",
            flush=True,
        )
        structure = Structure(original.space, RULE, made.history)
        pasts.append(Past(release, f"{number:064x}", structure, done.public))


def _batch(release: str) -> DifferenceDecision:
    return DifferenceDecision(table="ccw", since=release, do="batch", reason="bench", person="bench")


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20):.1f} GB"


def main(words: Sequence[str]) -> None:
    """Prints the table."""
    if words[:1] == ["--row"]:
        one(words[1])
        return
    print(
        "| release | cells | of all releases | small | hidden | protect | decide it alone | peak memory |\n"
        "|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in words or CASES:
        command = [sys.executable, "-m", "bench.over_time", "--row", name]
        if subprocess.run(command, check=False).returncode:
            print(f"| {name} | failed |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
