"""Protection, proof and check at the sizes of real dashboards, each case in a process of its own.

    python -m bench.scale [custody ccw linked magnitude cube] [--no-proof]

Seconds of protection include two decisions of every hidden cell against the reader who knows the policy: one
by the suppressor, one by the audit. The proof starts from the public values alone. Level 3 is reported beside
it: the same release against the reader who thinks of the finest cells behind the margins.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

from bench.peers import policy_of
from bench.protection_cases import original
from clerestory.attack.finest import behind
from clerestory.attack.relations import Relations, relations
from clerestory.confidential.protect.publish import protect
from clerestory.errors import ClerestoryError
from clerestory.release.proof import witness
from clerestory.release.proof.prove import prove_source
from clerestory.release.proof.verify_proof import check_level, check_source
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells

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
        return f"{row} - | - | - | - | {_memory()} |"
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
    third = _level_3(done.public, replace(rule, level=3), rules)
    return (
        f"{row} {proving:.1f} s | {len(content) / 1e3:,.0f} kB | {checking:.1f} s | {third} | {_memory()} |"
    )


def _level_3(public: PublicCells, rule: Rule, rules: Relations) -> str:
    """What becomes of the same release at level 3: the finest cells, seconds and size of the proof."""
    found = behind(public, rules)
    if found.same:
        return "is level 2: margins glue"
    if not found.attempted:
        return found.missing
    finest = sum(part.finest for part in found.parts)
    start = time.perf_counter()
    try:
        proof = prove_source(public, rule, found.rules)
    except ClerestoryError as reason:
        return f"{finest:,} finest cells: {reason.what.splitlines()[0].rstrip(':')}"
    seconds = time.perf_counter() - start
    content = proof.to_bytes()
    check_level(public, rule, proof, rules)
    return f"{finest:,} finest cells: proven, {seconds:.1f} s, {len(content) / 1e3:,.0f} kB"


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
        "| level 3 | peak memory |\n|---|---|---|---|---|---|---|---|---|---|---|---|",
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
