"""`clerestory verify` of a release of 1,000 files and 200 MB beside `sha256sum` over the same files."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from clerestory.release.bundle import commit, stage
from clerestory.release.proof.prove import prove

FILES, BYTES = 1_000, 200_000
RUNS = 5


def _timed(words: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    """Prints the table: the best of a few runs each, one after the other in turn."""
    dice = random.Random(1)
    with tempfile.TemporaryDirectory(dir=".") as scratch:
        files = ((f"site/p{n}/data.bin", dice.randbytes(BYTES), "file") for n in range(FILES))
        staged = stage(
            Path(scratch).resolve() / "releases", files, title="bench", date=date(2026, 1, 1), tables={}
        )
        release = commit(staged)
        prove(release.folder)
        names = [str(p.relative_to(release.folder)) for p in release.folder.rglob("*") if p.is_file()]
        verify = [sys.executable, "-m", "clerestory", "verify", str(release.folder)]
        times: dict[str, list[float]] = {"sha256sum": [], "verify": []}
        for _ in range(RUNS):
            times["sha256sum"].append(_timed(["sha256sum", *names], release.folder))
            times["verify"].append(_timed(verify, release.folder))
    peer, own = min(times["sha256sum"]), min(times["verify"])
    print(f"| {FILES:,} files, {FILES * BYTES / 1e6:,.0f} MB | s | MB/s |")
    print("|---|---|---|")
    print(f"| sha256sum | {peer:.2f} | {FILES * BYTES / 1e6 / peer:,.0f} |")
    print(f"| clerestory verify, whole command | {own:.2f} | {FILES * BYTES / 1e6 / own:,.0f} |")
    print(f"\nRatio of speeds: {peer / own:.2f} (goal 0.5).")


if __name__ == "__main__":
    main()
