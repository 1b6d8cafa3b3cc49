"""What a build keeps inside, for its owner alone: reports with true values, and why cells are hidden."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clerestory.confidential.reasons import FORMAT, kept_policy
from clerestory.confidential.scoring import TableScore, said_scores
from clerestory.confidential.utility import SourceUtility
from clerestory.errors import InputError
from clerestory.policy import Policy

FOLDER = "confidential"


@dataclass(frozen=True)
class Inside:
    """What is known inside of one release, by source. reasons: by source and table, see kept_reasons."""

    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    utility: dict[str, SourceUtility] = field(default_factory=dict)
    scores: dict[str, TableScore] = field(default_factory=dict)
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """True totals by source and table, see counts_of: what the next release is compared with."""
    fields: list[dict[str, Any]] = field(default_factory=list)
    """Every field with its role and uses, see fields_used."""
    words: list[str] = field(default_factory=list)
    """The words around each number that was typed in prose, in the order of the report."""
    titles: dict[str, str] = field(default_factory=dict)
    """Of sources, by name."""

    def said(self, *, values: bool) -> dict[str, Any]:
        """Scores by table and utility by source, as they stand in the build report."""
        return {
            "scoring": said_scores(self.scores),
            "utility": {name: one.said(values=values) for name, one in sorted(self.utility.items())},
        }


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, that nobody but its owner may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Writes a file that nobody but its owner may read, whole or not at all."""
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def keep(root: Path, release: str, report: Mapping[str, Any], inside: Inside, policy: Policy) -> None:
    """Writes confidential/reports/RELEASE.json, with true values, and confidential/reasons/RELEASE.json."""
    whole = {
        **report,
        **inside.said(values=True),
        "counts": inside.counts,
        "fields": inside.fields,
        "typed_words": inside.words,
        "titles": inside.titles,
    }
    write_private(root / FOLDER / "reports" / f"{release}.json", json.dumps(whole, indent=2) + "\n")
    reasons = {
        "format": FORMAT,
        "release": release,
        "policy": kept_policy(policy),
        "sources": inside.reasons,
    }
    text = json.dumps(reasons, separators=(",", ":"), sort_keys=True)
    write_private(root / FOLDER / "reasons" / f"{release}.json", text + "\n")


def read_kept(root: Path, release: str, what: str) -> dict[str, Any]:
    """What a build kept of a release; what: "reports" or "reasons". Raises InputError if it is not there."""
    path = root / FOLDER / what / f"{release}.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    if not isinstance(said, dict) or (what == "reasons" and said.get("format") != FORMAT):
        raise InputError(
            f"the {what} of this release are not here",
            where=str(path),
            fix="name the project that built it, on the machine that did; or build again: clerestory build",
        )
    return said
