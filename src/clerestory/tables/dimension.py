"""Dimensions: how a table divides its population: a tree of nodes over the finest categories of an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOTAL = "all"
"""Code of the root node of every dimension: everyone the table counts."""
MISSING = "missing"
"""Code of the category of records that hold no value."""

Text = Mapping[str, str]
"""One text in each language, by language code; "en" is always there."""


def text(en: str, **other: str) -> Text:
    """A text in English and, where given, in other languages."""
    return {"en": en, **other}


def said(words: Text, language: str) -> str:
    """The text in a language, or in English where it was not translated."""
    return words.get(language) or words["en"]


@dataclass(frozen=True)
class Axis:
    """One key variable of a source at the finest level that any table of the source tells apart.

    The finest cells of a source are the cross-classification of its axes. Two dimensions made from the
    same field (year and month of one date, two bandings of one age) share an axis: the common refinement.
    """

    name: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """A category of a dimension at some level: the total, a region, a county, a year.

    code: unique in its dimension, as written in downloads and addresses; parent: index of the node above,
    -1 for the root; level: the level's name ("all" for the root); label: what a reader sees.
    """

    code: str
    label: Text
    level: str
    parent: int


@dataclass(frozen=True, eq=False)
class Dimension:
    """A tree of nodes over one axis. nodes[0] is the total; a parent stands before its children.

    levels: names from coarse to fine, without the total, such as ("region", "county").
    members: (nodes, axis categories) bool; the children of a node are disjoint and make it up, and the
    root holds what the table's own restriction on this axis lets through (all of it where there is none).
    """

    name: str
    title: Text
    axis: str
    levels: tuple[str, ...]
    nodes: tuple[Node, ...]
    members: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.nodes[0].parent != -1 or self.members.shape[0] != len(self.nodes):
            raise ValueError(f"dimension {self.name}: the first node is the root and every node has members")

    def index(self, code: str) -> int:
        """Position of the node with this code. Raises KeyError."""
        for position, node in enumerate(self.nodes):
            if node.code == code:
                return position
        raise KeyError(code)

    def at(self, level: str) -> tuple[int, ...]:
        """Positions of the nodes at a level, in order."""
        return tuple(i for i, node in enumerate(self.nodes) if node.level == level)

    def leaves(self) -> tuple[int, ...]:
        """Positions of the nodes that have no children, in order."""
        parents = {node.parent for node in self.nodes}
        return tuple(i for i in range(len(self.nodes)) if i not in parents)

    def children(self, position: int) -> tuple[int, ...]:
        """Positions of a node's children, in order."""
        return tuple(i for i, node in enumerate(self.nodes) if node.parent == position)
