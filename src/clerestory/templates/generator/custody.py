"""The one real dataset: deaths in custody 2005 to 2018, public and nameless, as the state published it."""

from __future__ import annotations

from clerestory.templates.generator import reference

NAME = "deaths_in_custody.csv.gz"
"""What the file is called among the records."""
ROWS = 9_911


def packed() -> bytes:
    """The CSV, gzipped: UTF-8 without a byte-order mark, a heading and ROWS rows of 18 columns."""
    return reference.packed("deaths_in_custody_2005_2018.csv.gz")
