"""The words around a number that somebody typed, for the reviewer."""

from __future__ import annotations

from pathlib import Path

from clerestory.project import words_around

PAGE = """---
title: Visits
summary: Since 2019, 43 towns.
---

In 2021 there were {{ value("visits", year="2021") }} visits.

```chart
id: by-year
title: The first 12 years
```
"""


def test_a_number_is_found_at_its_line_or_later_in_its_block(tmp_path: Path) -> None:
    (tmp_path / "visits.md").write_text(PAGE, encoding="utf-8")
    typed = [("visits.md", 1, "43"), ("visits.md", 6, "2021"), ("visits.md", 8, "12")]
    assert words_around(tmp_path, typed) == [
        "summary: Since 2019, 43 towns.",
        'In 2021 there were {{ value("visits", year="2021") }} visits.',
        "title: The first 12 years",
    ]


def test_part_of_a_longer_number_is_not_the_number(tmp_path: Path) -> None:
    (tmp_path / "visits.md").write_text("There were 1430.\nOf 43.\n", encoding="utf-8")
    assert words_around(tmp_path, [("visits.md", 1, "43")]) == ["Of 43."]


def test_what_is_nowhere_gets_the_line_itself(tmp_path: Path) -> None:
    (tmp_path / "visits.md").write_text("Some words.\n", encoding="utf-8")
    assert words_around(tmp_path, [("visits.md", 1, "43"), ("visits.md", 9, "43")]) == ["Some words.", ""]
