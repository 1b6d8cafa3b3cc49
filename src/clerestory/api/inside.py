"""What a build keeps inside, for its owner alone: reports with true values, and why cells are hidden."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clerestory.api.kept import FOLDER, write_private
from clerestory.confidential.reasons import FORMAT, kept_policy
from clerestory.confidential.scoring import TableScore, said_scores
from clerestory.confidential.utility import SourceUtility
from clerestory.policy import Policy


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
