"""Cell-key perturbation of a million cells, with the ONS package in the same run: `python -m bench.cell_key`.

Both start from the same records with the same keys and use the same perturbation table; where both count the
same cells their numbers are compared. The whole way (a Parquet file, record keys by keyed hash, all margins
of a cube counted and perturbed) is measured as well.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from cell_key_perturbation.create_perturbed_table import create_perturbed_table

from clerestory.confidential.protect.perturbation import entropy_table, perturbed
from clerestory.confidential.tabulate import tabulate
from clerestory.methods import CellKey, CellKeyMode
from clerestory.project import load

METHOD = CellKey(CellKeyMode.CONSISTENT, largest=9, variance=4.0)
SIZES = ((10, 50, 50), (100, 100, 100))
RECORDS = 2_000_000
_SIDE = 99
"""Categories of each of three dimensions: with totals, a cube of a million cells."""


def records(shape: tuple[int, ...]) -> pd.DataFrame:
    """Made-up records, most of them in few categories, with keys."""
    rng = np.random.default_rng(20220627)
    columns: dict[str, Any] = {
        f"v{place}": (size * rng.random(RECORDS) ** 1.5).astype(np.int64) for place, size in enumerate(shape)
    }
    columns["record_key"] = rng.integers(0, METHOD.keys, RECORDS)
    return pd.DataFrame(columns)


def ours(data: pd.DataFrame, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Counts every cell of the finest cross-classification, zeros too, and perturbs it."""
    places = np.ravel_multi_index(tuple(data[f"v{place}"] for place in range(len(shape))), shape)
    size = int(np.prod(shape))
    counts = np.bincount(places, minlength=size)
    keys = np.bincount(places, weights=data["record_key"], minlength=size).astype(np.int64)
    return perturbed(counts, keys, entropy_table(METHOD))


def theirs(data: pd.DataFrame, shape: tuple[int, ...], table: pd.DataFrame) -> np.ndarray[Any, Any]:
    """The same by the ONS package, without its threshold."""
    names = [f"v{place}" for place in range(len(shape))]
    with contextlib.redirect_stdout(io.StringIO()):
        found = create_perturbed_table(data, table, [], names, "record_key", threshold=0)
    full = np.zeros(shape, dtype=np.int64)
    full[tuple(found[name] for name in names)] = found["count"].to_numpy(dtype=np.int64)
    return full.ravel()


def timed(what: Callable[[], Any]) -> tuple[Any, float]:
    """What something returns, and how many seconds it took."""
    start = time.perf_counter()
    found = what()
    return found, time.perf_counter() - start


def _project(root: Path) -> Path:
    codes = ", ".join(f"C{n:02} = 'c'" for n in range(_SIDE))
    fields = "\n".join(f'{d} = {{ role = "quasi-identifier", categories = {{ {codes} }} }}' for d in "abc")
    for name, text in {
        "clerestory.toml": '[publisher]\nname = "b"\nemail = "b@example.org"\n[site]\ntitle = "b"\n'
        'description = "b"\n',
        "sources/cube.toml": 'title = "c"\nlocation = "records/cube.parquet"\nunit = "record"\n'
        f'person = ["id"]\n[method]\nname = "cell-key"\n[fields]\nid = {{ role = "identifier" }}\n{fields}\n',
        "tables/cube.toml": '[cube]\nsource = "cube"\ntitle = "c"\ncount = "record"\n[cube.dimensions]\n'
        'a = {}\nb = {}\nc = {}\n[cube.publish]\nmargins = [["a", "b", "c"]]\n',
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "records").mkdir()
    made = records((_SIDE, _SIDE, _SIDE))
    names = np.array([f"C{n:02}" for n in range(_SIDE)])
    columns = {d: pa.array(names[made[f"v{place}"]]) for place, d in enumerate("abc")}
    pq.write_table(pa.table({"id": pa.array(np.arange(RECORDS)), **columns}), root / "records/cube.parquet")
    return root


def whole_way() -> tuple[int, float, float]:
    """Cells, seconds to count records and keys of a cube with all its margins, and to perturb it."""
    with tempfile.TemporaryDirectory() as folder:
        project = load(_project(Path(folder)))
        project = replace(project, policy=replace(project.policy, maximum_cells=2_000_000))
        original, counting = timed(lambda: tabulate(project, "cube", secret=b"bench" * 8))
    assert original.keys is not None
    keys = original.keys
    _, perturbing = timed(lambda: perturbed(original.values, keys, entropy_table(METHOD)))
    return len(original.space), counting, perturbing


def main() -> None:
    """Prints the table."""
    changes = entropy_table(METHOD).changes
    grid = np.indices(changes.shape).reshape(2, -1)
    table = pd.DataFrame({"pcv": grid[0], "ckey": grid[1], "pvalue": changes.ravel()})
    table = table[table["pcv"] > 0]
    print("| work | Clerestory | ONS cell-key-perturbation | same numbers |")
    print("|---|---|---|---|")
    for shape in SIZES:
        data = records(shape)
        mine, own = timed(lambda data=data, shape=shape: ours(data, shape))
        other, peer = timed(lambda data=data, shape=shape: theirs(data, shape, table))
        same = "yes" if np.array_equal(mine, other) else "NO"
        work = f"{len(mine):,} cells, {RECORDS:,} records"
        print(f"| {work} | {own:.2f} s | {peer:.2f} s | {same} |", flush=True)
    cells, counting, perturbing = whole_way()
    print(
        f"| {cells:,} linked cells, {RECORDS:,} records in a Parquet file | {counting + perturbing:.1f} s "
        f"({counting:.1f} s of it counting and hashing) | - | - |"
    )


if __name__ == "__main__":
    main()
