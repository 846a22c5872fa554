"""Tables of other libraries. Each is imported when it is asked for, and named when it is missing."""

from __future__ import annotations

import datetime
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def need(module: str, extra: str) -> ModuleType:
    """Import a library, or say how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        message = f"This needs {module}, which is not installed: pip install 'headwater[{extra}]'."
        raise ModuleNotFoundError(message, name=module) from error


def to_arrow(source: Any) -> Any:
    """A ``pyarrow.Table`` of anything with an Arrow capsule."""
    return need("pyarrow", "pyarrow").table(source)


def to_reader(source: Any) -> Any:
    """A ``pyarrow.RecordBatchReader`` of anything with an Arrow capsule."""
    return need("pyarrow", "pyarrow").RecordBatchReader.from_stream(source)


def to_pandas(source: Any, dtype_backend: str | None) -> Any:
    """A ``pandas.DataFrame`` of anything with an Arrow capsule."""
    pandas = need("pandas", "pandas")
    need("pyarrow", "pandas")
    table = to_arrow(source)
    if dtype_backend is None:
        return table.to_pandas()
    if dtype_backend == "pyarrow":
        return table.to_pandas(types_mapper=pandas.ArrowDtype)
    if dtype_backend == "numpy_nullable":
        return table.to_pandas().convert_dtypes(dtype_backend="numpy_nullable")
    message = f'dtype_backend is None, "pyarrow" or "numpy_nullable", not {dtype_backend!r}.'
    raise ValueError(message)


def json_default(value: object) -> object:
    """Write what JSON has no type for: times as ISO 8601, numbers of NumPy as numbers."""
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    item = getattr(value, "item", None)
    if callable(item) and type(value).__module__.startswith("numpy"):
        return item()
    message = f"a value of type {type(value).__name__} has no form in JSON: convert it first, or name a value column"
    raise TypeError(message)
