"""A source keeps its method: the manifests of what was public say by which it was protected."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest

from clerestory.errors import Refused
from clerestory.methods import SUPPRESSION, Rounding, RoundingKind
from clerestory.release.bundle import commit, stage
from clerestory.release.changed import no_other_method
from clerestory.release.ledger import FIRST, Event, Kind
from clerestory.release.manifest import NAME, TableFacts

ROUNDING = Rounding(RoundingKind.RANDOM, 20)


def test_another_method_is_refused_and_a_missing_release_too(tmp_path: Path) -> None:
    facts = {"t": TableFacts("visits", 1, 0, 0, 9, 11, method="rounding")}
    files = [("site/index.txt", b"a", "file")]
    release = commit(stage(tmp_path, files, title="A", date=date(2026, 1, 2), tables=facts))
    manifest = hashlib.sha256((release.folder / NAME).read_bytes()).hexdigest()
    public = [Event(0, FIRST, Kind.PUBLISHED, "", str(release.id), manifest)]

    no_other_method(public, tmp_path, "visits", ROUNDING)
    no_other_method(public, tmp_path, "others", SUPPRESSION)
    with pytest.raises(Refused, match="protects this source by rounding"):
        no_other_method(public, tmp_path, "visits", SUPPRESSION)
    shutil.rmtree(release.folder)
    with pytest.raises(Refused, match="missing or another one"):
        no_other_method(public, tmp_path, "visits", ROUNDING)
