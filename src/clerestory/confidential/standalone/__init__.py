"""One table without a project: a frame or a file of records or counts, or a table that somebody protected."""

from clerestory.confidential.standalone.counting import count_cells
from clerestory.confidential.standalone.findings import Attack, Finding, attack
from clerestory.confidential.standalone.given import Absent, GivenTable, given_table
from clerestory.confidential.standalone.reading import Columns, read_file, read_frame
from clerestory.confidential.standalone.shape import Tree, read_tree

__all__ = [
    "Absent",
    "Attack",
    "Columns",
    "Finding",
    "GivenTable",
    "Tree",
    "attack",
    "count_cells",
    "given_table",
    "read_file",
    "read_frame",
    "read_tree",
]
