"""Addresses of the site: pages, languages, and a page of its own for each value a reader may choose."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import relpath

from clerestory.tables import Dimension

MOST_CHOICES = 700
"""Pre-rendered choices of one page. Past it each control is chosen alone, with the others at their total."""


def slug(words: str) -> str:
    """Words as a part of an address: lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "x"


def slugs(dimension: Dimension) -> tuple[str, ...]:
    """One distinct slug a node, from its English label; with its code where two labels would clash."""
    plain = [slug(node.label["en"]) for node in dimension.nodes]
    taken: dict[str, int] = {}
    for name in plain:
        taken[name] = taken.get(name, 0) + 1
    return tuple(
        name if taken[name] == 1 else f"{name}-{slug(node.code)}"
        for name, node in zip(plain, dimension.nodes, strict=True)
    )


@dataclass(frozen=True)
class Choice:
    """What a reader chose: control -> code, only those that are not at their total. path: "" for none."""

    codes: Mapping[str, str]
    path: str


@dataclass(frozen=True, eq=False)
class Control:
    """One control of a page: a dimension, its slugs, and its nodes in the order of the menu."""

    dimension: Dimension
    slugs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The dimension's name."""
        return self.dimension.name

    def groups(self) -> list[tuple[str, list[int]]]:
        """Levels from coarse to fine with the node positions of each; the total is not among them."""
        return [(level, list(self.dimension.at(level))) for level in self.dimension.levels]

    def order(self) -> list[int]:
        """Every node position: the total, then level by level."""
        return [0, *(node for _, nodes in self.groups() for node in nodes)]


@dataclass(frozen=True, eq=False)
class Choices:
    """Everything that may be chosen on a page; the first choice is nothing at all."""

    controls: tuple[Control, ...]
    all: tuple[Choice, ...]
    _paths: Mapping[tuple[int, ...], str]

    @classmethod
    def of(cls, dimensions: Sequence[Dimension]) -> Choices:
        """The choices of these controls: every combination, or one control at a time if that is too many."""
        controls = tuple(Control(dimension, slugs(dimension)) for dimension in dimensions)
        whole = 1
        for control in controls:
            whole *= len(control.order())
        if whole <= MOST_CHOICES:
            combinations = list(itertools.product(*(control.order() for control in controls)))
        else:
            combinations = [tuple(0 for _ in controls)]
            for place, control in enumerate(controls):
                combinations += [
                    tuple(node if other == place else 0 for other in range(len(controls)))
                    for node in control.order()[1:]
                ]
        found: list[Choice] = []
        paths: dict[tuple[int, ...], str] = {}
        for nodes in combinations:
            path = "/".join(
                f"{slug(c.name)}/{c.slugs[node]}" for c, node in zip(controls, nodes, strict=True) if node
            )
            paths[nodes] = path
            codes = {
                c.name: c.dimension.nodes[node].code for c, node in zip(controls, nodes, strict=True) if node
            }
            found.append(Choice(codes, path))
        return cls(controls, tuple(found), paths)

    def path_with(self, choice: Choice, control: Control, node: int) -> str:
        """Where one control's value leads from a choice; the other controls stay if that page exists."""
        place = self.controls.index(control)
        nodes = [
            c.dimension.index(choice.codes[c.name]) if c.name in choice.codes else 0 for c in self.controls
        ]
        nodes[place] = node
        if tuple(nodes) in self._paths:
            return self._paths[tuple(nodes)]
        return self._paths[tuple(node if other == place else 0 for other in range(len(self.controls)))]


def folder(*parts: str) -> str:
    """A page's folder from the site's root: "", or a path that ends in a slash."""
    whole = "/".join(part for part in parts if part)
    return f"{whole}/" if whole else ""


def link(here: str, there: str) -> str:
    """A relative address from a page's folder to a folder (ends in /) or file, both from the site's root."""
    if here == there:
        return "./"
    path = relpath(f"/{there}", f"/{here}")
    return f"{path}/" if not there or there.endswith("/") else path
