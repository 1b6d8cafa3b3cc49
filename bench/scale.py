"""Protection, proof and check at the sizes of real dashboards, each case in a process of its own.

    python -m bench.scale [custody ccw linked magnitude cube] [--no-proof]

Seconds of protection include two decisions of every hidden cell against the reader who knows the policy: one
by the suppressor, one by the audit. The proof starts from the public values alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from bench.peers import policy_of
from bench.protection_cases import original
from clerestory.attack.relations import relations
from clerestory.confidential.protect.publish import protect
from clerestory.release import witness
from clerestory.release.prove import prove_source
from clerestory.release.structure import Rule
from clerestory.release.verify_proof import check_source

CASES = ("custody", "ccw", "linked", "magnitude", "cube")
_PEAK = 1 << 20


def one(name: str, *, proof: bool) -> str:
    """A row of the table."""
    cells = original(name)
    policy = policy_of(name)
    start, processor = time.perf_counter(), time.process_time()
    done = protect(cells, policy, seed=1)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    hidden = done.public.hidden
    value = cells.values[hidden & ~done.primary].sum() / max(int(cells.values.sum()), 1)
    row = (
        f"| {name} | {len(hidden):,} | {int(done.primary.sum()):,} | {int(done.secondary.sum()):,} | "
        f"{100 * value:.1f} % | {seconds:.1f} s | {processor:.1f} s |"
    )
    if not proof:
        return f"{row} - | - | - | {_memory()} |"
    rule = Rule(policy.audit_level, policy.interval_width, policy.minimum_count)
    rules = relations(done.public.space)
    start = time.perf_counter()
    content = prove_source(done.public, rule, rules).to_bytes()
    proving = time.perf_counter() - start
    start = time.perf_counter()
    rules = relations(done.public.space)
    checked = check_source(done.public, rule, witness.parse(content, where=name), rules)
    checking = time.perf_counter() - start
    assert checked.hidden == int(np.sum(hidden))
    return f"{row} {proving:.1f} s | {len(content) / 1e3:,.0f} kB | {checking:.1f} s | {_memory()} |"


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PEAK:.1f} GB"


def main(words: list[str]) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale")
    parser.add_argument("cases", nargs="*", default=["custody", "ccw", "linked", "magnitude"])
    parser.add_argument("--no-proof", action="store_true")
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.row:
        print(one(asked.cases[0], proof=not asked.no_proof))
        return
    print(
        "| case | cells | small | secondary | share of value | protect | processor | prove | proof | check "
        "| peak memory |\n|---|---|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in asked.cases:
        if name not in CASES:
            raise SystemExit(f"no case {name!r}; there are {', '.join(CASES)}")
        more = ["--no-proof"] if asked.no_proof else []
        done = subprocess.run(
            [sys.executable, "-m", "bench.scale", "--row", name, *more],
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout.strip() or f"| {name} | ended with {done.returncode} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
