"""The root of trust by command, as processes: keys, the form, signatures, acceptance, rotation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.flow.small_project import Ran, run

PEOPLE = {
    "ana": ["analyst"],
    "ben": ["reviewer"],
    "dora": ["publisher"],
    "emil": ["incident-officer"],
    "fay": ["reviewer"],
}
YEAR = (datetime.now(UTC) + timedelta(days=365)).date()


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERESTORY_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("CLERESTORY_PASSPHRASE", "only for this test")


def _ok(*arguments: str | Path) -> Ran:
    done = run(*arguments)
    assert done.code == 0, done.out + done.err
    return done


def _form(folder: Path, keys: dict[str, str], more: str = "") -> None:
    people = "".join(
        f'[people.{name}]\nname = "{name.title()}"\nroles = {PEOPLE[name]}\nkeys = ["{key}"]\n'
        for name, key in keys.items()
    ).replace("'", '"')
    head = f'expires = {YEAR}\nthreshold = 2\ntrustees = ["dora", "emil", "fay"]\n'
    (folder / "trust.toml").write_text(head + people + more, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    _ok("new", tmp_path / "site")
    keys = {name: str(_ok("keys", "new", name, "--format", "json").json["public"]) for name in PEOPLE}
    _form(tmp_path / "site", keys, "[gate]\nreviewers = 2\n[floor]\nminimum_count = 11\n")
    return tmp_path / "site"


def _agree(project: Path, *names: str) -> str:
    for name in names:
        _ok("trust", "sign", project, "--as", name)
    return str(_ok("trust", "accept", project, "--format", "json").json["digest"])


def test_from_keys_to_a_verified_root_and_its_next_versions(project: Path, tmp_path: Path) -> None:
    proposed = _ok("trust", "propose", project)
    assert "ana (Ana) is added: analyst" in proposed.out
    assert run("check", project).code == 1  # what was begun must be finished
    refused = run("trust", "accept", project)
    assert refused.code == 1 and "it lacks 2 of 2 signatures of its own trustees" in refused.err

    first = _agree(project, "dora", "emil")
    assert first in _ok("trust", "verify", project, "--root", first).out
    _ok("check", project)
    assert run("trust", "verify", project, "--root", "0" * 64).code == 1
    assert run("trust", "verify", project, "--at-least", "2").code == 1

    _ok("keys", "rotate", "dora", project, "--reason", "once a year")
    _ok("trust", "sign", project, "--as", "dora", "--key", tmp_path / "keys" / "dora.next.pem")
    second = _agree(project, "dora", "emil")
    (tmp_path / "keys" / "dora.next.pem").replace(tmp_path / "keys" / "dora.pem")

    revoked = _ok("keys", "revoke", "ben", project, "--reason", "laptop stolen", "--format", "json").json
    assert "1 with a key have the role reviewer, and 2 are needed" in revoked["cautions"]
    _agree(project, "dora", "fay")
    shown = _ok("trust", "show", project, "--format", "json").json
    assert shown["version"] == 3
    assert sorted(one["person"] for one in shown["revoked"].values()) == ["ben", "dora"]
    for digest in (first, second):
        _ok("trust", "verify", project, "--root", digest)

    form = _ok("trust", "show", project, "--form").out
    (project / "trust.toml").write_text(form, encoding="utf-8")
    again = run("trust", "propose", project)
    assert again.code == 2 and "nothing would change" in again.err


def test_a_project_below_the_floor_is_refused(project: Path) -> None:
    form = (project / "trust.toml").read_text(encoding="utf-8")
    (project / "trust.toml").write_text(
        form.replace("minimum_count = 11", "minimum_count = 12"), encoding="utf-8"
    )
    _ok("trust", "propose", project)
    _agree(project, "dora", "fay")

    for command in ("check", "build"):
        done = run(command, project)
        assert done.code == 2
        assert "minimum_count is 11, below the floor of the root of trust: 12" in done.err
    assert not (project / "releases" / "current").exists()


def test_people_sign_with_their_own_keys_only(project: Path, tmp_path: Path) -> None:
    _ok("trust", "propose", project)

    for arguments in (
        ("--as", "ana"),
        ("--as", "emil", "--key", str(tmp_path / "keys" / "dora.pem")),
        ("--as", "nobody"),
        ("--as", "../dora"),
        ("--as", "dora", "--key", "awskms:nowhere"),
    ):
        done = run("trust", "sign", project, *arguments)
        assert done.code == 2, arguments
        assert "Traceback" not in done.err
    assert _ok("trust", "propose", project, "--again", "--format", "json").json["signed"] == []


def test_a_wrong_passphrase_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ok("trust", "propose", project)
    monkeypatch.setenv("CLERESTORY_PASSPHRASE", "not this one, no")

    done = run("trust", "sign", project, "--as", "dora")

    assert done.code == 2 and "the passphrase does not open this key" in done.err


def test_nobody_to_ask_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLERESTORY_PASSPHRASE")

    done = run("keys", "new", "gus")

    assert done.code == 2 and "there is nobody to ask for the passphrase" in done.err


def test_a_form_to_fill_in(tmp_path: Path) -> None:
    _ok("new", tmp_path / "site")
    _ok("trust", "init", tmp_path / "site")

    assert run("trust", "init", tmp_path / "site").code == 2
    done = run("trust", "propose", tmp_path / "site")
    assert done.code == 2 and "trustees" in done.err


def test_the_passphrase_of_a_new_key_is_typed_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from clerestory.cli import identity
    from clerestory.errors import InputError

    typed = iter(["a long sentence", "a long sentence", "a long sentence", "a longer sentence"])
    monkeypatch.delenv("CLERESTORY_PASSPHRASE")
    monkeypatch.setattr(identity.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(identity.getpass, "getpass", lambda _: next(typed))

    assert identity.passphrase("A new passphrase", "x.pem", twice=True) == b"a long sentence"
    with pytest.raises(InputError, match="not the same"):
        identity.passphrase("A new passphrase", "x.pem", twice=True)


def test_keys_lie_where_they_are_said_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from clerestory.cli.identity import key_file

    assert key_file("ana") == tmp_path / "keys" / "ana.pem"
    monkeypatch.delenv("CLERESTORY_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert key_file("ana") == tmp_path / "config" / "clerestory" / "keys" / "ana.pem"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_file("ana") == tmp_path / ".config" / "clerestory" / "keys" / "ana.pem"
