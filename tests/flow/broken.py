"""Ways to break a finished release, as somebody would who covers the tracks: every digest fits again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clerestory.release.manifest import Entry, id_of, parse

Lines = list[dict[str, str]]


def copy_of(release: Path, to: Path) -> Path:
    """A copy under the release's own name."""
    to.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copytree(release, to / release.name))


def edit_table(release: Path, table: str, change: Callable[[Lines], None]) -> None:
    """Changes the rows of a table's CSV."""
    path = release / "site" / "data" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        lines, head = list(reader), list(reader.fieldnames or ())
    change(lines)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, head, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    path.write_text(text.getvalue(), encoding="utf-8")


def rows_of(release: Path, table: str) -> Lines:
    """The rows of a table's CSV."""
    with (release / "site" / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def put(lines: Lines, codes: Mapping[str, str], value: int | None) -> None:
    """Shows or hides one cell."""
    (line,) = [one for one in lines if all(one[name] == code for name, code in codes.items())]
    line["value"], line["status"] = ("", "hidden") if value is None else (str(value), "")


def signed_again(release: Path) -> Path:
    """The release with a manifest that fits its files, under the name that follows; without its proof.

    The manifest also says how many cells of each table are hidden now.
    """
    shutil.rmtree(release / "proof", ignore_errors=True)
    manifest = parse((release / "manifest.json").read_bytes(), where="test")
    files = []
    for entry in manifest.files:
        content = (release / entry.path).read_bytes()
        files.append(Entry(entry.path, hashlib.sha256(content).hexdigest(), len(content), entry.what))
    tables = {
        name: replace(facts, hidden=sum(row["status"] == "hidden" for row in rows_of(release, name)))
        for name, facts in manifest.tables.items()
    }
    content = replace(manifest, files=tuple(files), tables=tables).to_bytes()
    (release / "manifest.json").write_bytes(content)
    return release.rename(release.parent / id_of(content))


def carry_proof(whole: Path, broken: Path) -> None:
    """Puts the proof of the whole release beside the broken one, said to be about it."""
    shutil.copytree(whole / "proof", broken / "proof")
    listed = broken / "proof" / "proof.json"
    listed.write_text(listed.read_text().replace(whole.name, broken.name), encoding="utf-8")


def edit_proof(release: Path, source: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes a source's proof, and its digest in the list of proofs."""
    path = release / "proof" / f"{source}.json"
    before = path.read_bytes()
    said = json.loads(before)
    change(said)
    lines = ",\n".join(_dumped(step) for step in said["steps"])
    bounds = ",\n".join(_dumped(bound) for bound in said["bounds"])
    head = _dumped({key: said[key] for key in ("format", "source", "variables")})
    content = (
        f'{head[:-1]},\n"columns":{_dumped(said["columns"])},\n"base":{_dumped(said["base"])},\n'
        f'"steps":[{_inside(lines)}],\n"bounds":[{_inside(bounds)}]}}\n'
    ).encode()
    path.write_bytes(content)
    listed = release / "proof" / "proof.json"
    text = listed.read_text().replace(hashlib.sha256(before).hexdigest(), hashlib.sha256(content).hexdigest())
    listed.write_text(text.replace(f'"size":{len(before)}', f'"size":{len(content)}'), encoding="utf-8")


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _inside(lines: str) -> str:
    return f"\n{lines}\n" if lines else ""
