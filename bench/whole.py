"""The whole way, timed: the demonstration at its default scale and at true size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any


def _resident(process: int) -> int:
    """Bytes in memory of a process and its children, now; shared pages are counted once (PSS)."""
    total = 0
    waiting = [process]
    while waiting:
        one = waiting.pop()
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            waiting += [int(child) for child in children]
        except OSError:
            continue
    return total


def measured(*arguments: str) -> tuple[dict[str, Any], float, int]:
    """What a command said, its seconds, and its greatest memory with its children, sampled each 50 ms."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "clerestory", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ,
    )
    greatest = 0

    def watch() -> None:
        nonlocal greatest
        while process.poll() is None:
            greatest = max(greatest, _resident(process.pid))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    said, _ = process.communicate()
    watcher.join()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"clerestory {' '.join(arguments)} ended with {process.returncode}")
    return (json.loads(said) if said.startswith("{") else {}), seconds, greatest


def main() -> None:
    """Prints the table."""
    print(
        "| project | records | read, count | protect, audit | draw | account | build in all | peak memory |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for scale in ("0.05", "1"):
            project = str(Path(folder) / f"scale-{scale}")
            _, making, _ = measured("demo", project, "--scale", scale, "--records-only")
            said, whole, memory = measured("build", project, "--format", "json")
            steps = said["seconds"]
            reading = sum(s for name, s in steps.items() if name.startswith("read"))
            protecting = sum(s for name, s in steps.items() if name.startswith("protect"))
            print(
                f"| demonstration, --scale {scale} | {making:.0f} s | {reading:.1f} s | {protecting:.1f} s "
                f"| {steps['draw the site']:.0f} s | {steps['account for every number']:.0f} s "
                f"| **{whole:.0f} s** | {memory / 1e9:.1f} GB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
