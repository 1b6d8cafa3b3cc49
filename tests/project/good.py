"""A small project without a fault, for tests to start from and to break."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FILES = {
    "clerestory.toml": """\
[publisher]
name  = "Office of Records"
email = "records@example.org"

[site]
title       = "Open records"
description = "Permits by county and year."

[hierarchies.places]
file   = "lookups/places.csv"
levels = ["county", "region"]
total  = "The state"
""",
    "lookups/places.csv": """\
county,county.en,county.es,region,region.en
alder,Alder County,Condado de Alder,north,The North
birch,Birch County,Condado de Birch,north,The North
cedar,Cedar County,Condado de Cedar,south,The South
""",
    "sources/permits.toml": """\
title    = "Permits"
location = "records/permits.csv"
unit     = "application"
person   = ["state_id"]

[fields]
state_id      = { role = "identifier", kind = "state-id" }
date_of_birth = { role = "quasi-identifier", kind = "birth-date" }
county        = { role = "quasi-identifier", kind = "county" }
gender        = { role = "quasi-identifier" }
decision      = { role = "sensitive", categories = { granted = "Granted", denied = "Denied" } }
applied       = { role = "operational" }
fee           = { role = "measure", unit = "USD", bounds = [0, 200] }
notes         = { role = "unused" }
""",
    "sources/models.toml": """\
title    = "Models"
location = "records/models.csv"
unit     = "model"
public   = true

[fields]
maker = { role = "operational" }
model = { role = "operational" }
""",
    "tables/permits.toml": """\
[permits]
source = "permits"
title  = "Applications"
count  = "application"
where  = "year >= 2012"

[permits.dimensions]
county   = { hierarchy = "places" }
year     = { from = "applied", by = "year", first = "2012", last = "2021" }
age      = { from = "date_of_birth", at = "applied", bands = [21, 25, 65] }
gender   = {}
decision = {}

[permits.publish]
margins = [["county", "year", "decision"], ["county", "gender"], ["county", "age"]]

[fees]
source = "permits"
title  = "Fees paid"
sum    = "fee"

[fees.dimensions]
county = { hierarchy = "places", finest = "region" }

[fees.publish]
margins = [["county"]]
""",
    "dashboards/index.md": """\
---
title: Open records
summary: What this site shows.
---

# Welcome

There were {{ value("permits") }} applications, and
{{ value("permits", county="alder", year="2021") }} in Alder County in the last year.
""",
    "dashboards/permits.md": """\
---
title: Permits
---

Choose a county.

```controls
[county]
```

```chart
id: by-year
title: Applications by year
data:
  table: permits
mark: line
encoding:
  x: {field: year, type: ordinal}
  y: {field: value, type: quantitative}
```

Between two charts.

```chart
id: by-county
title: {en: Granted by county, es: Concedidos por condado}
data:
  table: permits
  levels: {county: county}
  at: {decision: granted}
  order: value
mark: bar
encoding:
  y: {field: county, type: nominal}
  x: {field: value, type: quantitative}
```

```list
id: models
title: Models
source: models
fields: [maker, model]
```
""",
}


def write_project(folder: Path, changed: Mapping[str, str | None] | None = None) -> Path:
    """Writes the project and returns its folder.

    changed: other contents by file name, or None to leave a file out: {"tables/permits.toml": "…"}.
    """
    for name, content in {**FILES, **(changed or {})}.items():
        if content is not None:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    return folder


def edited(name: str, old: str, new: str) -> dict[str, str | None]:
    """A change for write_project: one passage of one file replaced. The passage must be there, once."""
    if FILES[name].count(old) != 1:
        raise ValueError(f"{old!r} stands {FILES[name].count(old)} times in {name}")
    return {name: FILES[name].replace(old, new)}


def line_of(name: str, passage: str, changed: Mapping[str, str | None] | None = None) -> int:
    """The line, from 1, on which a passage of a file begins."""
    text = {**FILES, **(changed or {})}[name] or ""
    return text[: text.index(passage)].count("\n") + 1
