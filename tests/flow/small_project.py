"""A small whole project with records, and the command line as a real process."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = """
[publisher]
name = "Test Statistics Office"
email = "statistics@example.org"

[site]
title = "Test Statistics"
description = "Invented visits of invented people."
languages = ["en", "es"]

[hierarchies.places]
file = "lookups/places.csv"
levels = ["town", "district"]
total = { en = "Everywhere", es = "Todo" }
"""

SOURCE = """
title = "Visits"
location = "records/visits.csv"
unit = { en = "visit", es = "visita" }
person = ["card"]

[fields]
card = { role = "identifier", kind = "state-id" }
surname = { role = "identifier", kind = "surname" }
town = { role = "quasi-identifier" }
visited = { role = "operational" }
sex = { role = "quasi-identifier", categories = { F = "Female", M = "Male" } }
age = { role = "quasi-identifier" }
fee = { role = "measure", unit = "USD", bounds = [0, 9] }
notes = { role = "unused" }
"""

TABLES = """
[visits]
source = "visits"
title = { en = "Visits", es = "Visitas" }
count = "visit"

[visits.dimensions]
town = { hierarchy = "places" }
year = { from = "visited", by = "year", first = "2019", last = "2022" }
sex = {}
age = { bands = [20, 40, 60] }

[visits.publish]
margins = [["town", "year"], ["town", "sex"], ["year", "age"]]
"""

PAGE = """---
title: Visits
summary: Invented visits.
---

There were {{ value("visits", year="2021") }} visits in 2021.

```controls
- town
```

```chart
id: by-year
title: {en: Visits by year, es: Visitas por año}
data: {table: visits}
mark: bar
encoding:
  x: {field: year, type: ordinal}
  y: {field: value, type: quantitative}
```

```chart
id: by-sex
title: Visits by sex
data: {table: visits}
mark: bar
encoding:
  y: {field: sex, type: nominal}
  x: {field: value, type: quantitative}
```
"""

TOWNS = {"Ash": "North", "Beech": "North", "Cedar": "North", "Date": "South", "Elm": "South", "Fir": "South"}


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


def run(*arguments: str | Path, cwd: Path | None = None, seconds: float = 300) -> Ran:
    """`clerestory …` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "clerestory", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200"},
        timeout=seconds,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


PEOPLE = 676


def write_visits(path: Path, *, rows: int, seed: int = 5, last_year: int = 2022) -> None:
    """Invented visits; surnames are made so that a grep for them is exact. More rows stand after fewer."""
    random_ = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["card", "surname", "town", "visited", "sex", "age", "fee", "notes"])
        for number in range(rows):
            person = random_.randrange(PEOPLE)
            town = random_.choices(list(TOWNS), weights=[50, 20, 4, 30, 8, 1])[0]
            writer.writerow(
                [
                    f"Z{person:08d}",
                    f"Surname{person}",
                    town,
                    f"{random_.randrange(2019, last_year + 1)}-{random_.randrange(1, 13):02d}-11",
                    random_.choices(["F", "M", ""], weights=[40, 55, 1])[0],
                    random_.randrange(5, 90),
                    random_.randrange(0, 10),
                    f"note {number}",
                ]
            )


def edit(root: Path, file: str, before: str, after: str) -> None:
    """Changes one thing in a file of a project."""
    text = (root / file).read_text(encoding="utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), encoding="utf-8")


def let_change(root: Path, how: str) -> None:
    """Declares how the table changes from one release to the next."""
    edit(root, "tables/visits.toml", 'count = "visit"', f'count = "visit"\nchanges = "{how}"')


def write_project(root: Path, *, rows: int = 900) -> Path:
    """The whole small project, with records."""
    for name, text in {
        "clerestory.toml": SETTINGS,
        "sources/visits.toml": SOURCE,
        "tables/visits.toml": TABLES,
        "dashboards/visits.md": PAGE,
        "lookups/places.csv": "town,district\n" + "".join(f"{t},{d}\n" for t, d in TOWNS.items()),
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "records").mkdir(mode=0o700)
    write_visits(root / "records" / "visits.csv", rows=rows)
    return root
