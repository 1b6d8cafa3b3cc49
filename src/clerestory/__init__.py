"""Publish dashboards and open data from confidential records; nobody in them can be seen or worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clerestory.api.standalone import audit, protect

__version__ = "0.1.0"
__all__ = ["__version__", "audit", "protect"]


def __getattr__(name: str) -> Any:
    """The Python API, imported when it is first asked for: the public server imports none of it."""
    if name not in ("audit", "protect"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from clerestory.api import standalone

    return getattr(standalone, name)
