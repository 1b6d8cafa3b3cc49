"""What a project says of the rules that protect its tables, and what is wrong with it, located."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from clerestory.policy import Dominance, PriorPosterior
from clerestory.policy.scoring import Variable
from clerestory.project import Project, load
from tests.project.conftest import Broken
from tests.project.good import FILES, edited, write_project

TABLES = "tables/permits.toml"
SETTINGS = "clerestory.toml"
SOURCE = "sources/permits.toml"
PEOPLE = "lookups/people.csv"
COUNTED = "county,population\nalder,41144\nbirch,19000\ncedar,1643837\n"
PERMITS = 'title  = "Applications"'


def permits(*lines: str) -> dict[str, str | None]:
    return edited(TABLES, PERMITS, "\n".join((PERMITS, *lines)))


def policy(*lines: str) -> dict[str, str | None]:
    return {SETTINGS: FILES[SETTINGS] + "\n[policy]\n" + "\n".join(lines) + "\n"}


def loaded(folder: Path, *changes: Mapping[str, str | None]) -> Project:
    return load(write_project(folder, {name: text for change in changes for name, text in change.items()}))


def test_a_project_that_asks_for_nothing_has_no_further_rules(good: Project) -> None:
    table = good.tables["permits"]
    assert (table.attributes, table.zeros_shown, table.population) == ({}, True, None)
    assert not good.policy.asks_contributions


def test_sensitive_fields_are_attributes_where_the_policy_asks(tmp_path: Path) -> None:
    found = loaded(tmp_path, policy("attribute_minimum = 4"))
    assert found.tables["permits"].attributes == {"decision": 4}
    assert not found.tables["permits"].zeros_shown
    assert found.tables["fees"].attributes == {} and found.tables["fees"].zeros_shown


def test_a_table_names_its_attributes_and_may_keep_its_zeros(tmp_path: Path) -> None:
    said = permits('attributes = [{ dimension = "decision" }, { dimension = "gender", minimum = 2 }]')
    found = loaded(tmp_path / "hidden", said).tables["permits"]
    assert found.attributes == {"decision": 3, "gender": 2} and not found.zeros_shown
    said = permits('attributes = [{ dimension = "decision" }]', 'zeros = "shown"')
    assert loaded(tmp_path / "shown", said).tables["permits"].zeros_shown


def test_the_policy_takes_every_rule(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        policy(
            'profile = "ons"',
            "dominance = { contributors = 2, share = 85 }",
            "p_percent = 12.5",
            "prior_posterior = { p = 10, q = 50 }",
            "minimum_contributors = 4",
        ),
    ).policy
    assert (found.dominance, found.prior_posterior) == (Dominance(2, 85), PriorPosterior(10, 50))
    assert (found.p_percent, found.minimum_contributors, found.minimum_count) == (12.5, 4, 10)


def test_populations_are_read_by_the_finest_published_code(tmp_path: Path) -> None:
    said = permits(f'population = {{ file = "{PEOPLE}" }}')
    found = loaded(tmp_path, said, {PEOPLE: COUNTED}).tables["permits"].population
    assert found is not None
    assert found.dimensions == ("county",)
    assert found.counts == {("alder",): 41_144, ("birch",): 19_000, ("cedar",): 1_643_837}


def test_populations_of_counties_add_up_to_the_regions_that_a_table_publishes(tmp_path: Path) -> None:
    said = edited(TABLES, 'sum    = "fee"', f'sum = "fee"\npopulation = {{ file = "{PEOPLE}" }}')
    found = loaded(tmp_path, said, {PEOPLE: COUNTED}).tables["fees"].population
    assert found is not None
    assert found.counts == {("north",): 60_144, ("south",): 1_643_837}


def test_a_dimension_says_what_it_is_to_the_scoring_criteria(tmp_path: Path) -> None:
    said = permits('scoring = { gender = { as = "sex" }, county = { as = "residence", population = 1235 } }')
    found = loaded(tmp_path, said).tables["permits"].said.scoring
    assert found["gender"].as_ is Variable.SEX and found["county"].population == 1235


@pytest.mark.parametrize(
    ("line", "key", "what", "fix"),
    [
        (
            'attributes = [{ dimension = "decison" }]',
            "attributes[0].dimension",
            "no dimension 'decison'",
            "did you mean 'decision'?",
        ),
        ('zeros = "sometimes"', "zeros", "unknown zeros 'sometimes'", "shown, hidden"),
        ("unstable_below = 10", "unstable_below", "looser than the policy's 20", "raise the number"),
        ("relative_error = 25", "relative_error", "less than 1", ""),
        ('scoring = { gendr = { as = "sex" } }', "scoring.gendr", "no dimension 'gendr'", "did you mean"),
        ('scoring = { gender = { as = "sexx" } }', "scoring.gender.as", "unknown as 'sexx'", "did you mean"),
        (
            'scoring = { gender = { as = "sex", detail = "few" } }',
            "scoring.gender.detail",
            "sex has no detail",
            "remove",
        ),
        (
            'population = { file = "lookups/peple.csv" }',
            "population.file",
            "there is no file 'lookups/peple.csv'",
            "did you mean 'lookups/people.csv'?",
        ),
        (
            'population = { file = "records/people.csv" }',
            "population.file",
            "cannot stand in records/",
            "lookups/",
        ),
    ],
)
def test_what_a_table_says_is_located(broken: Broken, line: str, key: str, what: str, fix: str) -> None:
    (problem,) = broken({**permits(line), PEOPLE: COUNTED})
    assert what in problem.what and fix in problem.fix
    assert problem.where.startswith(f"{TABLES}:") and problem.where.endswith(f", permits.{key}")


@pytest.mark.parametrize(
    ("lines", "key", "what"),
    [
        (
            ['profile = "ons"', "minimum_contributors = 2"],
            "minimum_contributors",
            "looser than the profile's 3",
        ),
        (['profile = "ons"', "p_percent = 5.0"], "p_percent", "p_percent = 5 is looser"),
        (['scoring = "3.0"'], "scoring", "no edition '3.0'"),
        (['profile = "cdc-wander"'], "profile", "unknown policy profile"),
        (["dominance = { contributors = 2, share = 100 }"], "dominance.share", "less than 100"),
    ],
)
def test_what_the_policy_says_is_located(broken: Broken, lines: list[str], key: str, what: str) -> None:
    (problem,) = broken(policy(*lines))
    assert what in problem.what
    assert problem.where.startswith(f"{SETTINGS}:") and problem.where.endswith(f", policy.{key}")


def test_a_table_may_not_loosen_the_attributes_of_the_policy(broken: Broken) -> None:
    said = permits('attributes = [{ dimension = "decision", minimum = 2 }]')
    (problem,) = broken({**said, **policy("attribute_minimum = 3")})
    assert "looser than the policy's 3" in problem.what


def test_populations_need_a_minimum_in_the_policy(broken: Broken) -> None:
    said = permits(f'population = {{ file = "{PEOPLE}" }}')
    (problem,) = broken({**said, **policy('profile = "cms"'), PEOPLE: COUNTED})
    assert "no minimum population" in problem.what and "minimum_population" in problem.fix


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("county,population\nalder,41144\nbirch,19000\n", 1, "no row for county 'cedar'"),
        (COUNTED + "dogwood,5\n", 5, "no county 'dogwood'"),
        (COUNTED + "alder,5\n", 5, "alder stands twice"),
        (COUNTED.replace("41144", '"41,144"'), 2, "no whole number"),
        (COUNTED.replace("county,", "place,"), 1, "no column is called as a dimension"),
        (COUNTED.replace("population", "people"), 1, "there is no column 'population'"),
        ("year,population\n2012,5\n", 1, "populations by period"),
    ],
)
def test_what_a_reference_file_lacks_is_located(broken: Broken, text: str, line: int, what: str) -> None:
    said = permits(f'population = {{ file = "{PEOPLE}" }}')
    problems = broken({**said, PEOPLE: text})
    assert any(what in problem.what and problem.where == f"{PEOPLE}:{line}" for problem in problems)


def test_flags_of_rates_are_for_counts(broken: Broken) -> None:
    (problem,) = broken(edited(TABLES, 'sum    = "fee"', 'sum = "fee"\nrates = true'))
    assert "tables that count events" in problem.what and problem.where.endswith(", fees.rates")


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ('holding = ["count"]', "no field 'count'"),
        ('holding = ["notes"]', "cannot tell contributors apart"),
        ('holding = ["fee"]', "cannot tell contributors apart"),
        ('holding = ["county", "county"]', "stands twice"),
    ],
)
def test_a_holding_is_made_of_fields_that_are_read(broken: Broken, said: str, what: str) -> None:
    (problem,) = broken(edited(SOURCE, 'person   = ["state_id"]', f'person = ["state_id"]\n{said}'))
    assert what in problem.what and problem.where.startswith(f"{SOURCE}:")


def test_a_public_source_has_no_contributors(broken: Broken) -> None:
    (problem,) = broken(
        edited("sources/models.toml", "public   = true", 'public = true\nholding = ["maker"]')
    )
    assert "nobody to protect" in problem.what
