"""The shared language: dimensions, linked tables, public cells. Values and arithmetic, no I/O."""

from clerestory.tables.dimension import MISSING, TOTAL, Axis, Dimension, Node, Text, said, text
from clerestory.tables.listing import PublicList
from clerestory.tables.public import (
    Cell,
    PublicCells,
    PublicTable,
    Published,
    Status,
    Withheld,
    column_name,
    marked,
)
from clerestory.tables.space import (
    RECORDS,
    Attribute,
    Block,
    CellSpace,
    Layout,
    Spread,
    TableDesign,
    Unit,
    cell_count,
    link_tables,
    margin_closure,
)

__all__ = [
    "MISSING",
    "RECORDS",
    "TOTAL",
    "Attribute",
    "Axis",
    "Block",
    "Cell",
    "CellSpace",
    "Dimension",
    "Layout",
    "Node",
    "PublicCells",
    "PublicList",
    "PublicTable",
    "Published",
    "Spread",
    "Status",
    "TableDesign",
    "Text",
    "Unit",
    "Withheld",
    "cell_count",
    "column_name",
    "link_tables",
    "margin_closure",
    "marked",
    "said",
    "text",
]
