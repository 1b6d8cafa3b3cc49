"""A second person's recount: the same bytes from the same sources, and what is other if they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from clerestory.api.gate import signed
from clerestory.api.review import review
from clerestory.release.ledger import Kind
from tests.flow.gate import go_live
from tests.flow.small_project import edit, let_change, run, write_project, write_visits
from tests.flow.test_methods import PROMISES, project_with
from tests.release.signing import signer


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, the second protected together with the first."""
    root = write_project(tmp_path_factory.mktemp("recount") / "project")
    let_change(root, "cumulative")
    assert run("build", root, "--date", "2024-01-01").code == 0
    go_live(root)
    write_visits(root / "records" / "visits.csv", rows=1200)
    assert run("build", root, "--date", "2024-02-01").code == 0
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "project", symlinks=True))


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_same_sources_give_the_same_bytes_and_nothing_is_left(root: Path) -> None:
    before = everything(root)
    done = run("rebuild-and-compare", "--project", root, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["same"] and done.json["differences"] == []
    assert done.json["manifest"].startswith(done.json["release"].removeprefix("r-"))
    assert everything(root) == before


def test_an_earlier_release_is_recounted_with_the_releases_before_it(root: Path) -> None:
    first = (root / "releases" / "current").resolve().name
    write_visits(root / "records" / "visits.csv", rows=900)
    done = run("rebuild-and-compare", first, cwd=root)
    assert done.code == 0 and "The same, every byte" in done.out, done.err


def test_other_records_are_found_and_named_without_a_value(root: Path) -> None:
    write_visits(root / "records" / "visits.csv", rows=1300)
    before = everything(root)
    done = run("rebuild-and-compare", "--project", root, "--format", "json")
    assert done.code == 1 and not done.json["same"]
    (table,) = [line for line in done.json["differences"] if line.startswith("Table visits")]
    assert "with another number" in table and "=" not in table
    assert any("files with other bytes" in line for line in done.json["differences"])
    assert everything(root) == before


def test_another_text_is_found(root: Path) -> None:
    edit(root, "dashboards/visits.md", "Invented visits.", "Imagined visits.")
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 1 and "site/visits/index.html" in done.out and "Table" not in done.out


def test_a_project_that_cannot_be_built_any_more_is_refused_and_cleaned_up(root: Path) -> None:
    edit(root, "tables/visits.toml", 'changes = "cumulative"', 'changes = "frozen"')
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 1
    assert not list((root / "confidential").glob("recount-*"))


def test_a_ledger_without_the_line_it_was_built_after_is_refused(root: Path) -> None:
    ledger = root / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:1]))
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 1 and "does not have the line" in done.err
    assert not list((root / "confidential").glob("recount-*"))


def test_a_recount_is_signed_by_who_counted_and_only_if_it_is_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = Ed25519PrivateKey.from_private_bytes(b"cleo".ljust(32, b"."))
    key = tmp_path / "cleo.pem"
    key.write_bytes(
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a long passphrase"))
    )
    key.chmod(0o600)
    monkeypatch.setenv("CLERESTORY_PASSPHRASE", "a long passphrase")
    release = (root / "releases" / "staged").resolve()
    signed(root, Kind.BUILT, release.name, signer("ana"))
    done = run("rebuild-and-compare", "--project", root, "--as", "cleo", "--key", key)
    assert done.code == 0 and "signed by cleo" in done.out, done.err
    assert len(list((release / "signatures").glob("recounted-*"))) == 1
    edit(root, "dashboards/visits.md", "Invented visits.", "Imagined visits.")
    before = (root / "ledger.jsonl").read_bytes()
    assert run("rebuild-and-compare", "--project", root, "--as", "cleo", "--key", key).code == 1
    assert (root / "ledger.jsonl").read_bytes() == before


def test_without_the_seed_nothing_is_compared(root: Path) -> None:
    (root / "confidential" / "seed").unlink()
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 2 and "seed is not here" in done.err


def test_records_outside_the_project_are_found(tmp_path: Path) -> None:
    root = write_project(tmp_path / "office" / "project")
    (tmp_path / "shared").mkdir()
    (root / "records" / "visits.csv").rename(tmp_path / "shared" / "visits.csv")
    edit(root, "sources/visits.toml", "records/visits.csv", "../../shared/vis*.csv")
    assert run("build", root, "--date", "2024-01-01").code == 0
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 0, done.err
    assert not list((root / "confidential").glob("recount-*"))


@pytest.mark.parametrize("method", ["controlled", "additive", "gaussian"])
def test_numbers_that_are_made_once_are_recounted_and_reviewed(tmp_path: Path, method: str) -> None:
    root = project_with(tmp_path / "project", method)
    assert run("build", root, "--date", "2024-01-01").code == 0
    before = everything(root)
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 0, done.out + done.err
    assert everything(root) == before, "no budget is spent"
    written = review(root)
    text = written.file.read_text(encoding="utf-8")
    assert PROMISES[method][0] in text
    assert "no proof speaks of it" in text
    assert "They keep what their method says" in text
