"""JSON Schemas of the project files, for editors; docs/schemas holds them as written here.

An editor that knows Taplo (Even Better TOML) checks a file that begins with a line such as

    #:schema ../../docs/schemas/source.schema.json

and one with the YAML language server checks front matter and chart blocks that are pasted into a .yaml file.
The schemas describe shape; `clerestory check` also checks files against each other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from clerestory.project.models import (
    NAME,
    ChartFile,
    DecisionsFile,
    ListFile,
    PageFile,
    ProjectFile,
    SourceFile,
    TableFile,
)
from clerestory.project.trust_file import TrustFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, tuple[type[BaseModel], str]] = {
    "project": (ProjectFile, "clerestory.toml"),
    "source": (SourceFile, "sources/NAME.toml"),
    "tables": (TableFile, "tables/*.toml"),
    "decisions": (DecisionsFile, "decisions/over-time.toml"),
    "page": (PageFile, "front matter of dashboards/**/*.md"),
    "chart": (ChartFile, "fenced chart block"),
    "list": (ListFile, "fenced list block"),
    "trust": (TrustFile, "trust.toml"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """A JSON Schema of each kind of file, by file name."""
    return {f"{kind}.schema.json": _schema(kind, model, title) for kind, (model, title) in _FILES.items()}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Writes the schemas to a folder, always the same bytes; returns the files, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, schema in sorted(schemas().items()):
        file = folder / name
        file.write_bytes((json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())
        files.append(file)
    return tuple(files)


def _schema(kind: str, model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    if kind == "tables":
        definitions["TableFile"] = schema
        schema = {
            "type": "object",
            "description": "Tables by name.",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"$ref": "#/$defs/TableFile"},
        }
    if kind == "chart":
        # In the block the Vega-Lite keys stand beside ours; the model collects them.
        del schema["properties"]["spec"]
        schema["required"].remove("spec")
        schema["additionalProperties"] = True
    return {"$schema": _DIALECT, **schema, "title": title, "$defs": definitions}
