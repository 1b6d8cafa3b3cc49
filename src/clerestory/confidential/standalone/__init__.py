"""Tables without a project: records, counts or amounts of a frame or file; tables that somebody protected."""

from clerestory.confidential.standalone.attacking import Criterion, attack
from clerestory.confidential.standalone.cellvalues import STATUS_COLUMNS, Knowledge
from clerestory.confidential.standalone.contributions import Contributions, contributions
from clerestory.confidential.standalone.counting import count_cells
from clerestory.confidential.standalone.findings import KINDS, Attack, Finding
from clerestory.confidential.standalone.foreign import Layout, read_cross, read_tau_argus
from clerestory.confidential.standalone.given import Absent, GivenTable, TableRead, given_table
from clerestory.confidential.standalone.hiding import HiddenSums, hide_sums
from clerestory.confidential.standalone.hierarchy import Tree, read_tree
from clerestory.confidential.standalone.reading import Columns, read_file, read_frame
from clerestory.confidential.standalone.sensitivity import SumRules, protection_levels

__all__ = [
    "KINDS",
    "STATUS_COLUMNS",
    "Absent",
    "Attack",
    "Columns",
    "Contributions",
    "Criterion",
    "Finding",
    "GivenTable",
    "HiddenSums",
    "Knowledge",
    "Layout",
    "SumRules",
    "TableRead",
    "Tree",
    "attack",
    "contributions",
    "count_cells",
    "given_table",
    "hide_sums",
    "protection_levels",
    "read_cross",
    "read_file",
    "read_frame",
    "read_tau_argus",
    "read_tree",
]
