"""What a project folder says: sources, field roles, tables, pages; opens no source."""

from clerestory.project.codes import (
    DeclaredDimension,
    band_codes,
    declare,
    period_code,
    period_codes,
    period_number,
)
from clerestory.project.load import SETTINGS, load
from clerestory.project.location import Kind, Location, location_of, source_kind
from clerestory.project.models import (
    ChartData,
    ChartFile,
    DimensionFile,
    FieldFile,
    ListFile,
    MarkFile,
    ProjectFile,
    Role,
    SourceFile,
    TableFile,
)
from clerestory.project.project import (
    Chart,
    Hierarchy,
    Page,
    Part,
    Project,
    Prose,
    Rows,
    Source,
    Table,
    ValueReference,
)
from clerestory.project.reference import typed_numbers
from clerestory.project.where import Condition, Value

__all__ = [
    "SETTINGS",
    "Chart",
    "ChartData",
    "ChartFile",
    "Condition",
    "DeclaredDimension",
    "DimensionFile",
    "FieldFile",
    "Hierarchy",
    "Kind",
    "ListFile",
    "Location",
    "MarkFile",
    "Page",
    "Part",
    "Project",
    "ProjectFile",
    "Prose",
    "Role",
    "Rows",
    "Source",
    "SourceFile",
    "Table",
    "TableFile",
    "Value",
    "ValueReference",
    "band_codes",
    "declare",
    "load",
    "location_of",
    "period_code",
    "period_codes",
    "period_number",
    "source_kind",
    "typed_numbers",
]
