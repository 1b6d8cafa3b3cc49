"""Rounded tables made and audited at scale: `python -m bench.rounding [race age]`.

Carry licences, county < region < state x year x race (race) or x ten bands of age (age). The audit proves for
every count that may be small that two whole tables take it apart by the policy's width. Seconds are those of
the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from bench.protection_cases import ccw_records, ccw_year_race, original_of, table, ways
from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rounding import audit_rounded, rounded
from clerestory.errors import ClerestoryError
from clerestory.methods import Rounding, RoundingKind
from clerestory.policy import CALHHS_DDG_2_0

METHODS = (
    Rounding(RoundingKind.CONTROLLED, 10, reach=2),
    Rounding(RoundingKind.RANDOM, 40),
    Rounding(RoundingKind.CONVENTIONAL, 60),
)


def by_age() -> OriginalCells:
    """8,107 cells."""
    records = ccw_records()
    way = ways(records)
    bands = way.age((21, 25, 30, 35, 40, 45, 50, 60, 70))
    return original_of("ccw", records, [table("ccw", [way.county, way.year, bands])])


CASES = {"race": ccw_year_race, "age": by_age}


def main(words: Sequence[str]) -> None:
    """Prints the table."""
    print("| case | cells | method | make | mean change | audit |\n|---|---|---|---|---|---|", flush=True)
    for name in words or CASES:
        original = CASES[name]()
        rules = relations(original.space)
        for method in METHODS:
            start = time.process_time()
            values, reach = rounded(original, method, rules, secret=b"bench" * 8)
            making = time.process_time() - start
            change = float(np.abs(values - original.values).mean())
            known = Rounding(method.kind, method.base, reach)
            start = time.process_time()
            try:
                audit_rounded(original.space, values, known, CALHHS_DDG_2_0, rules=rules)
                said = "passed"
            except ClerestoryError as refused:
                said = type(refused).__name__.lower()
            print(
                f"| {name} | {len(values):,} | {method.kind.value}, base {method.base}, reach {reach} | "
                f"{making:.1f} s | {change:.2f} | {said}, {time.process_time() - start:.1f} s |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
