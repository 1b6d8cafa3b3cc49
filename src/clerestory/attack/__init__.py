"""What an outsider can work out from public cells: relations, feasibility intervals, witnesses."""

from clerestory.attack.decide import Verdict, Verdicts, decide, feasibility_interval
from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.shown import open_units, small_shown

__all__ = [
    "Kind",
    "Relations",
    "Verdict",
    "Verdicts",
    "decide",
    "feasibility_interval",
    "open_units",
    "relations",
    "small_shown",
]
