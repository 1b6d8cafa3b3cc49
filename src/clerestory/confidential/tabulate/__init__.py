"""Records to the true cells of a source's linked tables: counted once, at the finest level, and rolled up."""

from clerestory.confidential.tabulate.listing import public_rows
from clerestory.confidential.tabulate.source import tabulate

__all__ = ["public_rows", "tabulate"]
