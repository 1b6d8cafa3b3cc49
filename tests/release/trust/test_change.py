from __future__ import annotations

from pathlib import Path

from clerestory.release.trust import Role, load_trust
from tests.release.signing import NOW, agree, content, signer


def test_what_trustees_agreed_on_is_what_is_read(tmp_path: Path) -> None:
    first = agree(tmp_path / "trust", content())
    assert load_trust(tmp_path / "trust", now=NOW, pinned=first.digest) == first
    assert first.problem(signer("ana").public_key.keyid, Role.ANALYST, NOW) == ""

    second = agree(tmp_path / "trust", content(threshold=3), "dora", "emil", "fay")

    assert (second.version, second.previous) == (2, first.digest)
    assert load_trust(tmp_path / "trust", now=NOW, pinned=first.digest) == second
