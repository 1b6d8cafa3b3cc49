"""What the width costs: secondary cells at interval widths 1, 5 and 9.

python -m bench.width [custody ccw-year-race ...]
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from bench.protection_cases import original
from clerestory.confidential.protect.publish import protect
from clerestory.policy import CALHHS_DDG_2_0

WIDTHS = (1, 5, 9)


def main(words: list[str] | None = None) -> None:
    print("| table | cells | small | width | secondary cells | of all hidden | seconds |")
    print("|---|---|---|---|---|---|---|")
    for name in words or sys.argv[1:] or ["custody", "ccw-year-race"]:
        table = original(name)
        for width in WIDTHS:
            start = time.perf_counter()
            made = protect(table, replace(CALHHS_DDG_2_0, interval_width=width), seed=1)
            took = time.perf_counter() - start
            small, more = int(made.primary.sum()), int(made.secondary.sum())
            share = 100 * more / max(small + more, 1)
            cells = len(table.space)
            print(
                f"| {name} | {cells:,} | {small:,} | {width} | {more:,} | {share:.0f} % | {took:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
