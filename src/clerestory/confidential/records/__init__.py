"""The only module that opens a source: read-only, and no column but those that were asked for."""

from clerestory.confidential.records.opening import column_names, open_location, open_source
from clerestory.confidential.records.records import Records

__all__ = ["Records", "column_names", "open_location", "open_source"]
