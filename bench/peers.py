"""Protection beside its peers, on the same tables and in the same run.

    python -m bench.peers [--case custody ...] [--limit 60] [--peers tau-ARGUS-MOD tau-ARGUS-OPT]

For each case: the time to protect (ours includes deciding that every hidden cell is 9 wide for the attacker
who knows the policy), the secondary suppressions, and what of all that is hidden falls to the attacker: small
counts that he narrows below the width, or tells exactly, from additive relations alone (level 1) and with
what the policy says (level 2). Of the magnitude table: sensitive sums that he knows more closely than the p%
rule allows, above or below. Every run and every attack has a process of its own, ended at the limit.
Peers are those of PyPI; GaussSuppression and sdcTable are in R and are not run here.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import tau_argus
from bench.protection_cases import CASES, RECORDS_OF, ROOT, magnitude, original
from clerestory.attack.decide import Verdict, decide
from clerestory.attack.relations import relations
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.confidential.protect.rules import primary_suppressions
from clerestory.confidential.protection_levels import protection_levels
from clerestory.policy import CALHHS_DDG_2_0, Policy
from clerestory.tables import PublicCells

POLICY = CALHHS_DDG_2_0
OURS = "Clerestory"
P_PERCENT = 10
HOLDINGS = f"P(0,0)|P(0,0)|P({P_PERCENT},1)"
"""The rule in tau-ARGUS: the first two are about records, the third about holdings."""
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """What one method did to one case; None where it did not finish."""

    seconds: float
    memory: float
    hidden: BoolArray | None


MAGNITUDES = Policy("bench", "p% rule alone", minimum_count=1, interval_width=9, p_percent=P_PERCENT)


def policy_of(name: str) -> Policy:
    """What protects a case."""
    return MAGNITUDES if name == "magnitude" else POLICY


# --- one run, in a process of its own -----------------------------------------------------------------------


def small_cells(name: str, cells: OriginalCells) -> BoolArray:
    """(cells,) what must be hidden for its own sake."""
    if name == "magnitude":
        return magnitude().p_percent(P_PERCENT)
    return np.asarray(primary_suppressions(cells, POLICY).hidden)


def _ours(name: str) -> tuple[BoolArray, float]:
    cells = original(name)
    start = time.perf_counter()
    hidden = protect(cells, policy_of(name), seed=1).public.hidden
    return hidden, time.perf_counter() - start


def _small_alone(name: str) -> tuple[BoolArray, float]:
    start = time.perf_counter()
    return small_cells(name, original(name)), time.perf_counter() - start


def _tau_argus(suppress: str) -> Callable[[str], tuple[BoolArray, float]]:
    def run(name: str) -> tuple[BoolArray, float]:
        cells, records = original(name), RECORDS_OF[name]()
        rule = HOLDINGS if name == "magnitude" else f"FREQ({POLICY.minimum_count},20)"
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            hidden = tau_argus.hide(
                cells.space,
                records,
                Path(folder),
                suppress=suppress,
                rule=rule,
                holding=name == "magnitude",
            )
            return hidden, time.perf_counter() - start

    return run


METHODS: Mapping[str, Callable[[str], tuple[BoolArray, float]]] = {
    OURS: _ours,
    "small counts alone": _small_alone,
    "tau-ARGUS MOD": _tau_argus("MOD"),
    "tau-ARGUS OPT": _tau_argus("OPT"),
}


def _attacked(name: str, hidden: BoolArray, level: int) -> dict[str, int]:
    """How many small counts, and other hidden cells, the attacker narrows or tells exactly."""
    cells = original(name)
    public = PublicCells(cells.space, np.where(hidden, 0, cells.values), hidden, zeros_shown=level == 2)
    policy = policy_of(name)
    ends = None
    if policy.p_percent:  # what counts are the bounds of the p% rule, above and below, not a width
        rules = relations(cells.space)
        ends = protection_levels(cells, primary_suppressions(cells, policy), rules).ends(cells.values)
    found = decide(
        public,
        width=0 if policy.p_percent else policy.interval_width,
        minimum=policy.minimum_count,
        start=cells.values,
        levels=ends,
        seed=1,
    )
    inside = found.variables < len(cells.space)
    variables = found.variables[inside]
    small = small_cells(name, cells)[variables]
    broken = found.verdicts[inside] == Verdict.BROKEN
    exact = (found.outer_low == found.outer_high)[inside]
    return {
        "narrow": int((broken & small).sum()),
        "exact": int((exact & small).sum()),
        "others": int((broken & ~small).sum()),
        "undecided": int((found.verdicts[inside] == Verdict.UNDECIDED).sum()),
        "implied": int((found.verdicts[~inside] == Verdict.BROKEN).sum()),
    }


def _child(words: argparse.Namespace) -> None:
    import highspy  # noqa: F401  imported beforehand: only work is timed

    if words.attack:
        with np.load(words.file) as kept:
            print(json.dumps(_attacked(words.case[0], kept["hidden"], words.attack)))
        return
    hidden, seconds = METHODS[words.run](words.case[0])
    np.savez_compressed(words.file, hidden=hidden)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "memory": memory}))


# --- the table ----------------------------------------------------------------------------------------------


def _apart(limit: float, *words: str) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "bench.peers", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=limit + 60, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def measured(name: str, method: str, limit: float, file: Path) -> Outcome:
    """One method on one case; not finished if it takes longer than the limit."""
    said = _apart(limit, "--case", name, "--run", method, "--file", str(file))
    if said is None or said["seconds"] > limit:
        return Outcome(limit, 0.0, None)
    with np.load(file) as kept:
        return Outcome(said["seconds"], said["memory"], kept["hidden"])


def _fallen(said: dict[str, Any] | None) -> str:
    if said is None:
        return "not decided"
    text = f"{said['narrow']:,} narrow, {said['exact']:,} exact"
    return text + (f", {said['undecided']:,} undecided" if said["undecided"] else "")


def report(name: str, methods: list[str], limit: float) -> None:
    """Prints the table of one case."""
    cells = original(name)
    small = small_cells(name, cells)
    print(
        f"### {name}: {len(cells.space):,} cells, {int(small.sum()):,} to hide\n\n"
        "| method | seconds | GB | secondary | value of these | level 1, of the small | level 2, of them "
        "| level 2, of the others |\n|---|---|---|---|---|---|---|---|"
    )
    for method in methods:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "hidden.npz"
            got = measured(name, method, limit, file)
            if got.hidden is None:
                print(f"| {method} | not in {limit:.0f} s | | | | | | |", flush=True)
                continue
            levels = [
                _apart(10 * limit, "--case", name, "--attack", level, "--file", str(file)) for level in "12"
            ]
        more = got.hidden & ~small
        others = "not decided" if levels[1] is None else f"{levels[1]['others']:,} narrow"
        print(
            f"| {method} | {got.seconds:.1f} | {got.memory:.1f} | {int(more.sum()):,} "
            f"| {int(cells.values[more].sum()):,} | {_fallen(levels[0])} | {_fallen(levels[1])} | {others} |",
            flush=True,
        )
    print(flush=True)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", nargs="+", choices=list(CASES), default=["custody"])
    parser.add_argument("--peers", nargs="*", default=["tau-ARGUS MOD"], choices=list(METHODS))
    parser.add_argument("--limit", type=float, default=60, help="seconds for each run")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--attack", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.run or asked.attack:
        _child(asked)
        return
    for name in asked.case:
        report(name, [OURS, *(peer for peer in asked.peers if peer != OURS)], asked.limit)


if __name__ == "__main__":
    main()
