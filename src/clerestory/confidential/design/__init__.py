"""From project files, and the categories that the records have, to linked tables. Opens nothing."""

from clerestory.confidential.design.linking import Counts, SourceDesign, link, rows_that
from clerestory.confidential.design.plan import Plan, plan_source
from clerestory.confidential.design.populations import populations_of
from clerestory.confidential.design.variables import MISSING_CLASS, Cut, Kind, Variable

__all__ = [
    "MISSING_CLASS",
    "Counts",
    "Cut",
    "Kind",
    "Plan",
    "SourceDesign",
    "Variable",
    "link",
    "plan_source",
    "populations_of",
    "rows_that",
]
