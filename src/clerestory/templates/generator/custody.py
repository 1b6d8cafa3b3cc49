"""The one real dataset: deaths in custody 2005 to 2018, public and nameless, as the state published it."""

from __future__ import annotations

from pathlib import Path

from clerestory.templates.generator import reference

_FILE = "deaths_in_custody_2005_2018.csv.gz"


def content() -> bytes:
    """The CSV in UTF-8 without a byte-order mark: 9,911 rows of 18 columns."""
    return reference.content(_FILE)


def write_custody(path: Path) -> int:
    """Write the file at `path`, readable by its owner alone; returns the number of rows."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content())
    path.chmod(0o600)
    return content().count(b"\n") - 1
