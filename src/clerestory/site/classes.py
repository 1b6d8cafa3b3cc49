"""Classes of numbers by shade: where they begin, and how they are coloured. From shown numbers alone."""

from __future__ import annotations

import math

CLASSES = ("#dcebf2", "#a9cfe0", "#6caac8", "#2f7ba6", "#0f4c75")
"""Light to dark, one hue: readable in grey and by every kind of colour vision."""
ZERO = "#ffffff"
NO_NUMBER = "#d9d5cc"


def breaks(values: list[int], classes: int = len(CLASSES)) -> list[int]:
    """Lower bounds of the classes above the first, from the shown numbers alone: rounded quantiles.

    Counts of places are skewed, so equal numbers of places in a class tell more than equal widths.
    """
    positive = sorted(value for value in values if value > 0)
    if len(positive) < 2:
        return []
    bounds: list[int] = []
    for k in range(1, classes):
        bound = _rounded(positive[min(len(positive) - 1, len(positive) * k // classes)])
        if bound > (bounds[-1] if bounds else positive[0]) and bound <= positive[-1]:
            bounds.append(bound)
    return bounds


def _rounded(value: int) -> int:
    """A value with one or two leading digits, so that the legend reads easily."""
    if value < 20:
        return value
    unit = int(10 ** (int(math.log10(value)) - 1)) * 5
    return max(unit, round(value / unit) * unit)
