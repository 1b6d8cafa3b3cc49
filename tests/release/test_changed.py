"""A source keeps its method: the ledger says by which it was protected, whatever became of the folders."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from clerestory.errors import Refused
from clerestory.methods import SUPPRESSION, Rounding, RoundingKind
from clerestory.release import ledger
from clerestory.release.bundle import commit, stage
from clerestory.release.changed import no_other_method
from clerestory.release.lock import lock
from clerestory.release.manifest import TableFacts
from clerestory.release.verify import Release

ROUNDING = Rounding(RoundingKind.RANDOM, 20)


def rounded_release(root: Path) -> Release:
    facts = {"t": TableFacts("visits", 1, 0, 0, 9, 11, method="rounding")}
    files = [("site/index.txt", b"a", "file")]
    return commit(stage(root / "releases", files, title="A", date=date(2026, 1, 2), tables=facts))


def test_another_method_is_refused_even_if_the_release_is_gone(tmp_path: Path) -> None:
    with lock(tmp_path / "confidential") as held:
        release = rounded_release(tmp_path)
        entry = ledger.record(tmp_path, release, held=held)
    assert entry.methods == {"visits": "rounding"}
    shutil.rmtree(release.folder)

    found = ledger.entries(tmp_path)
    no_other_method(found, tmp_path / "releases", "visits", ROUNDING)
    no_other_method(found, tmp_path / "releases", "others", SUPPRESSION)
    with pytest.raises(Refused, match="protects this source by rounding"):
        no_other_method(found, tmp_path / "releases", "visits", SUPPRESSION)


def test_an_entry_that_names_no_methods_is_looked_up_in_its_release(tmp_path: Path) -> None:
    with lock(tmp_path / "confidential") as held:
        release = rounded_release(tmp_path)
        entry = ledger.record(tmp_path, release, held=held)
    old = ledger.Entry(0, ledger.FIRST, entry.kind, entry.release, entry.manifest, entry.date)
    (tmp_path / ledger.NAME).write_bytes(old.to_bytes())
    found = ledger.entries(tmp_path)
    assert found == (old,) and b"methods" not in old.to_bytes()

    with pytest.raises(Refused, match="rounding"):
        no_other_method(found, tmp_path / "releases", "visits", SUPPRESSION)
    shutil.rmtree(release.folder)
    with pytest.raises(Refused, match="not known by which method"):
        no_other_method(found, tmp_path / "releases", "visits", SUPPRESSION)
