from __future__ import annotations

from pathlib import Path

from clerestory.project.models import LANGUAGES, TableFile
from clerestory.project.schemas import schemas, write_schemas

DOCS = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_schemas_in_docs_are_current(tmp_path: Path) -> None:
    """If not: python -c 'from clerestory.project.schemas import …; write_schemas(Path("docs/schemas"))'."""
    written = {file.name: file.read_bytes() for file in write_schemas(tmp_path)}
    assert {file.name: file.read_bytes() for file in DOCS.iterdir()} == written


def test_the_schemas_say_what_each_key_means() -> None:
    table = schemas()["tables.schema.json"]["$defs"]["TableFile"]["properties"]
    assert set(table) == set(TableFile.model_fields)
    assert "distinct persons" in table["count"]["description"]
    dimension = schemas()["tables.schema.json"]["$defs"]["DimensionFile"]["properties"]
    assert "from" in dimension
    assert dimension["by"]["anyOf"][0]["enum"] == ["year", "quarter", "month", "month-of-year"]


def test_a_text_is_a_string_or_one_a_language() -> None:
    title = schemas()["source.schema.json"]["properties"]["title"]
    assert [one["type"] for one in title["anyOf"]] == ["string", "object"]
    assert list(title["anyOf"][1]["properties"]) == list(LANGUAGES)


def test_a_chart_block_is_open_to_vega_lite() -> None:
    chart = schemas()["chart.schema.json"]
    assert "spec" not in chart["properties"]
    assert chart["additionalProperties"] is True
