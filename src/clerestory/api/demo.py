"""The demonstration: the openjustice template with synthetic records, built, approved and live."""

from __future__ import annotations

import json
from pathlib import Path

from clerestory.api.build import BuildReport, build
from clerestory.api.demo_gate import make_trust, through_the_gate
from clerestory.api.new import new_project
from clerestory.api.progress import Progress, Quiet, Stopwatch
from clerestory.errors import InputError
from clerestory.templates.generator import DEFAULT_SCALE, DEFAULT_SEED, WrittenFile, write_records

_MARKER = ".synthetic"
"""Stands in the records folder that the demonstration made: seed and scale, once they are whole."""


def demo(
    folder: Path,
    *,
    scale: float = DEFAULT_SCALE,
    seed: int = DEFAULT_SEED,
    records_only: bool = False,
    workers: int = 2,
    progress: Progress | None = None,
) -> BuildReport | None:
    """Writes the demonstration project and its records into `folder`, builds it and lets it go live.

    A folder that this made before is used again; its records are written anew when seed or scale differ.
    records_only: write the records and stop; returns None. Raises InputError if `folder` is something else.
    """
    if not 0 < scale <= 1:
        raise InputError("--scale is a share of the true size: above 0, at most 1", fix="try --scale 0.05")
    watch = Stopwatch(progress or Quiet())
    marker = folder / "records" / _MARKER
    if not (folder / "clerestory.toml").is_file():
        with watch.step("make the project"):
            new_project(folder, "openjustice")
            marker.touch(mode=0o600)
            watch.say(str(folder))
    elif not marker.is_file():
        raise InputError(
            "there is a project here that this command did not make; its records are not touched",
            where=str(folder),
            fix="name another folder for the demonstration",
        )
    wanted = json.dumps({"seed": seed, "scale": scale})
    if marker.read_text(encoding="utf-8") != wanted:
        marker.write_text("", encoding="utf-8")
        with watch.step("write synthetic records"):
            rows = 0

            def written(file: WrittenFile) -> None:
                nonlocal rows
                rows += file.rows
                watch.progress.at(f"{file.dataset}: {file.rows:,} rows")

            write_records(folder / "records", seed=seed, scale=scale, progress=written)
            watch.say(f"{rows:,} rows")
        marker.write_text(wanted, encoding="utf-8")
    if records_only:
        return None
    with watch.step("agree on a root of trust"):
        make_trust(folder)
        watch.say("four invented people with throw-away keys")
    report = build(folder, workers=workers, progress=progress)
    with watch.step("submit, review, approve, publish"):
        done = through_the_gate(folder, report.release.name)
        watch.say(f"built by {done.builders[0]}, approved by {done.reviewers[0]}; live")
    return report
