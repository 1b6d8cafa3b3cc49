"""Shapes of places, projected ahead of time: SVG paths by place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from clerestory.tables import Dimension

_FILES = {"california-counties": "california_counties.json"}


@dataclass(frozen=True)
class Shape:
    """One place: an SVG path and where its symbol stands."""

    name: str
    path: str
    label: tuple[int, int]


@dataclass(frozen=True)
class Shapes:
    """A set of places on one drawing of this width and height."""

    width: int
    height: int
    by_id: Mapping[str, Shape]


@lru_cache
def shapes(name: str) -> Shapes:
    """The shapes with this name. Raises KeyError if there are none."""
    said = json.loads(files(__package__).joinpath(_FILES[name]).read_text(encoding="utf-8"))
    return Shapes(
        said["width"],
        said["height"],
        {key: Shape(s["name"], s["d"], (s["label"][0], s["label"][1])) for key, s in said["shapes"].items()},
    )


def _plain(name: str) -> str:
    return name.lower().removesuffix(" county").replace("_", " ").replace("-", " ").strip()


@lru_cache(maxsize=64)
def shape_ids(name: str, dimension: Dimension) -> Mapping[int, str]:
    """Node position -> shape of the finest nodes that have one, by code (FIPS), or by name.

    Empty unless at least half of the shapes have a node, so that a chance likeness is no map.
    """
    known = shapes(name).by_id
    by_name = {_plain(shape.name): key for key, shape in known.items()}
    found: dict[int, str] = {}
    for node in dimension.at(dimension.levels[-1]) if dimension.levels else ():
        code, label = dimension.nodes[node].code, dimension.nodes[node].label["en"]
        key = code if code in known else f"06{code}" if f"06{code}" in known else by_name.get(_plain(label))
        key = key or by_name.get(_plain(code))
        if key:
            found[node] = key
    return found if 2 * len(found) >= len(known) else {}
