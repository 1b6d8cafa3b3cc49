"""Arrow tables in the kind of frame that a caller works with."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pyarrow as pa


def native(table: pa.Table, kind: str) -> Any:
    """The table as a pandas or Polars frame, or as it is. kind: "pandas", "polars" or "arrow"."""
    if kind == "pandas":
        import pandas as pd  # whoever passed a pandas frame has it

        whole = {pa.int64(): pd.Int64Dtype()}
        return table.to_pandas(types_mapper=whole.get)
    if kind == "polars":
        return nw.from_arrow(table, backend="polars").to_native()
    return table
