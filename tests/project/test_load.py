from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.errors import InputError, Problems
from clerestory.project import Project, load
from tests.project.conftest import Broken
from tests.project.good import FILES, edited, line_of, write_project

SETTINGS = "clerestory.toml"


def test_a_good_project_is_loaded_whole(good: Project) -> None:
    assert list(good.sources) == ["models", "permits"]
    assert list(good.tables) == ["permits", "fees"]
    assert [page.path for page in good.pages] == ["", "permits"]
    assert good.policy.minimum_count == 11
    assert good.warnings == ()


def test_a_folder_without_settings_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no clerestory\.toml"):
        load(tmp_path)


def test_all_problems_of_all_files_come_at_once(broken: Broken) -> None:
    changed = {
        **edited(SETTINGS, "email =", "emial ="),
        **edited("sources/models.toml", '"operational" }\nmodel', '"operatonal" }\nmodel'),
        **edited("tables/permits.toml", 'sum    = "fee"', 'sum    = "feee"'),
        **edited("dashboards/index.md", 'county="alder"', 'conty="alder"'),
    }
    assert {one.where.partition(":")[0] for one in broken(changed)} == set(changed)


def test_what_could_not_be_read_is_not_missed_elsewhere(broken: Broken) -> None:
    found = broken(edited("sources/permits.toml", 'role = "unused"', 'role = "unusd"'))
    assert [one.what for one in found] == ["unknown role 'unusd'"]
    found = broken({**FILES, **edited(SETTINGS, "[site]", "[site")})
    assert [one.where for one in found] == ["clerestory.toml:5"]
    found = broken({**FILES, **edited("tables/permits.toml", "[fees]", "[fees")})
    assert [one.where for one in found] == [f"tables/permits.toml:{line_of('tables/permits.toml', '[fees]')}"]
    found = broken({**FILES, **edited("lookups/places.csv", "cedar,", ",")})
    assert [one.where for one in found] == ["lookups/places.csv:4"]
    found = broken({**FILES, **edited("dashboards/permits.md", "mark: line", "mark: [line")})
    assert [one.where.partition(":")[0] for one in found] == ["dashboards/permits.md"]


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "fix"),
    [
        ("[site]", "[siet]", "siet", "unknown key 'siet'", "did you mean 'site'?"),
        ('name  = "Office of Records"', "", "publisher.name", "the key 'name' is missing", "add name"),
        (
            "[site]",
            '[policy]\nprofile = "calhhs"\n[site]',
            "policy.profile",
            "unknown policy profile",
            "did you mean 'calhhs-ddg-2.0'?",
        ),
        (
            "[site]",
            "[policy]\nminimum_count = 5\n[site]",
            "policy.minimum_count",
            "looser than",
            "only tighten",
        ),
        (
            "[site]",
            "[policy]\nminimum_cuont = 15\n[site]",
            "policy.minimum_cuont",
            "unknown key",
            "did you mean 'minimum_count'?",
        ),
        ("[site]", '[site]\nlanguages = ["es"]', "site.languages", "English first", '["en", "es"]'),
        ("[site]", '[site]\nlanguages = ["en", "fr"]', "site.languages[1]", "'fr'", "en, es"),
        (
            "[site]",
            '[site]\nnavigation = ["permit"]',
            "site.navigation[0]",
            "'permit' that does not exist",
            "did you mean 'permits'?",
        ),
        (
            "total  =",
            'titles = { town = "Town" }\ntotal  =',
            "hierarchies.places.titles.town",
            "no level 'town'",
            "",
        ),
        (
            "hierarchies.places]",
            "hierarchies.Places]",
            "hierarchies.Places",
            "'Places' is not a name",
            "small letter",
        ),
        ('["county", "region"]', '["county", "county"]', "hierarchies.places.levels", "stands twice", ""),
    ],
)
def test_a_fault_in_the_settings_has_its_line_and_key(
    broken: Broken, old: str, new: str, where: str, what: str, fix: str
) -> None:
    found = [one for one in broken(edited(SETTINGS, old, new)) if what in one.what]
    assert [one.where.partition(", ")[2] for one in found] == [where]
    assert found[0].where.startswith("clerestory.toml:")
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b'title = "x"\nlocation = "\xff.csv"\n', 2, "not UTF-8 text"),
        (b'title = "x"\n\x00', 2, "holds a zero byte"),
        (b'title = "x"\ntitle = "y"\n', 2, "not valid TOML"),
        (b"PAR1\x15\x04\x15", 1, "not valid TOML"),
        (b'title = "x', 1, "not valid TOML"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_named(
    tmp_path: Path, content: bytes, line: int, what: str
) -> None:
    write_project(tmp_path)
    (tmp_path / "sources" / "models.toml").write_bytes(content)
    with pytest.raises(Problems) as caught:
        load(tmp_path)
    found = caught.value.problems[0]
    assert found.where == f"sources/models.toml:{line}"
    assert what in found.what


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "sources" / "other.toml").mkdir()
    with pytest.raises(Problems) as caught:
        load(tmp_path)
    assert caught.value.problems[0].where == "sources/other.toml"


def test_windows_text_is_read_alike(tmp_path: Path) -> None:
    write_project(tmp_path)
    plain = load(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode())
    assert load(tmp_path) == plain


def test_the_menu_orders_the_pages(tmp_path: Path) -> None:
    project = load(
        write_project(tmp_path, edited(SETTINGS, "[site]", '[site]\nnavigation = ["permits", ""]'))
    )
    assert [page.path for page in project.pages] == ["permits", ""]


def test_a_stricter_policy_is_taken(tmp_path: Path) -> None:
    project = load(
        write_project(tmp_path, edited(SETTINGS, "[site]", "[policy]\nminimum_count = 20\n[site]"))
    )
    assert project.policy.minimum_count == 20


def test_no_source_is_opened(tmp_path: Path) -> None:
    """The project's records do not even exist."""
    assert not (write_project(tmp_path) / "records").exists()
    assert load(tmp_path)
