"""Tables of other libraries. Each is imported when it is asked for, and named when it is missing."""

from __future__ import annotations

import datetime
import importlib
import json
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
        return _to_nullable(table)
    message = f'dtype_backend is None, "pyarrow" or "numpy_nullable", not {dtype_backend!r}.'
    raise ValueError(message)


def _to_nullable(table: Any) -> Any:
    """Give each type of Arrow pandas' nullable type for it. No number goes through a float."""
    pandas, pyarrow = need("pandas", "pandas"), need("pyarrow", "pandas")
    nullable = {
        pyarrow.bool_(): pandas.BooleanDtype(),
        pyarrow.float32(): pandas.Float32Dtype(),
        pyarrow.float64(): pandas.Float64Dtype(),
        pyarrow.string(): pandas.StringDtype(),
        pyarrow.large_string(): pandas.StringDtype(),
    }
    for bits in (8, 16, 32, 64):
        nullable[getattr(pyarrow, f"int{bits}")()] = getattr(pandas, f"Int{bits}Dtype")()
        nullable[getattr(pyarrow, f"uint{bits}")()] = getattr(pandas, f"UInt{bits}Dtype")()
    frame = table.to_pandas(types_mapper=nullable.get)
    for position, field in enumerate(table.schema):
        if _has_lists_of_numbers(field.type, pyarrow.types):
            # As arrays of NumPy, lists of integers and nulls would be floats.
            frame.isetitem(position, pandas.Series(table.column(position).to_pylist(), dtype=object))
    return frame


def _has_lists_of_numbers(data_type: Any, types: Any) -> bool:
    if types.is_struct(data_type):
        return any(_has_lists_of_numbers(data_type.field(index).type, types) for index in range(data_type.num_fields))
    if types.is_list(data_type) or types.is_large_list(data_type) or types.is_fixed_size_list(data_type):
        item = data_type.value_type
        return types.is_integer(item) or _has_lists_of_numbers(item, types)
    return False


def to_send(table: Any) -> Any:
    """Return a table whose Arrow capsule has all that the table has, or refuse what it cannot have."""
    module = type(table).__module__.partition(".")[0]
    if module == "polars" and type(table).__name__ == "DataFrame":
        return _polars_to_send(table)
    if module == "pandas" and type(table).__name__ == "DataFrame":
        return _pandas_to_send(table)
    return table


def _polars_to_send(frame: Any) -> Any:
    """Refuse columns that have no form outside Polars. Types that Polars exports in a way that others cannot read become others."""
    polars = need("polars", "polars")
    schema = {name: _exported_type(name, dtype, polars) for name, dtype in frame.schema.items()}
    return frame if schema == dict(frame.schema) else frame.cast(schema)


def _exported_type(name: str, dtype: Any, polars: Any) -> Any:
    if dtype == polars.Null:
        return polars.Boolean()
    if isinstance(dtype, polars.List):
        return polars.List(_exported_type(name, dtype.inner, polars))
    if isinstance(dtype, polars.Array):
        return polars.Array(_exported_type(name, dtype.inner, polars), dtype.size)
    if isinstance(dtype, polars.Struct):
        return polars.Struct(
            [polars.Field(field.name, _exported_type(f"{name}.{field.name}", field.dtype, polars)) for field in dtype.fields]
        )
    advice = {"Object": "it holds objects of Python", "Int128": "cast it to Decimal or String", "UInt128": "cast it to Decimal or String"}
    if (unsendable := advice.get(str(dtype))) is not None:
        message = f"column {name!r} of the frame has type {dtype}, which cannot be sent: {unsendable}"
        raise TypeError(message)
    return dtype


def _pandas_to_send(frame: Any) -> Any:
    """Convert a frame as its own Arrow capsule does, and name the row of a column that cannot be."""
    pyarrow = need("pyarrow", "pandas")
    try:
        return pyarrow.Table.from_pandas(frame)
    except (TypeError, ValueError):
        for name, column in frame.items():
            row = _first_bad_row(column, pyarrow)
            if row is not None:
                message = (
                    f"row {row} of column {name!r} has a value of type {type(column.iloc[row]).__name__}, which does not go with "
                    "those before it: convert the column to one type"
                )
                raise TypeError(message) from None
        raise


def _first_bad_row(column: Any, pyarrow: Any) -> int | None:
    """The first row with which pyarrow cannot convert the column: found by halves, because more rows never help."""

    def converts(rows: int) -> bool:
        try:
            pyarrow.array(column.iloc[:rows], from_pandas=True)
        except (TypeError, ValueError):
            return False
        return True

    good, bad = 0, len(column) + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if converts(middle) else (good, middle)
    return good if good < len(column) else None


def row_to_json(row: dict[Any, Any]) -> str:
    """Write a row as JSON, and name the item that has no form in it."""
    try:
        return _encode(row)
    except (TypeError, ValueError):
        for name, value in row.items():
            try:
                _encode(value)
            except (TypeError, ValueError) as error:
                message = f"item {name!r}: {error}"
                raise type(error)(message) from None
        raise


def _json_default(value: object) -> object:
    """Write what JSON has no type for: times and durations as ISO 8601, missing values as null, NumPy's values as Python's."""
    name, module = type(value).__name__, type(value).__module__.partition(".")[0]
    if module == "pandas" and name in ("NaTType", "NAType"):
        return None
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if module == "numpy":
        return _numpy_value(value, name)
    message = f"a value of type {name} has no form in JSON: convert it first, or name a value column"
    raise TypeError(message)


def _numpy_value(value: Any, name: str) -> object:
    if name in ("datetime64", "timedelta64"):
        if str(value) == "NaT":
            return None
        if name == "datetime64":
            return str(value)
        item = value.item()
        if isinstance(item, datetime.timedelta):
            return item
        message = f"a {value.dtype} has no form in JSON: convert it to timedelta64[us]"
        raise TypeError(message)
    return value.tolist()


def _duration(value: datetime.timedelta) -> str:
    """ISO 8601, in seconds."""
    sign, value = ("-", -value) if value < datetime.timedelta(0) else ("", value)
    seconds, microseconds = value.days * 86_400 + value.seconds, value.microseconds
    fraction = f".{microseconds:06}" if microseconds else ""
    return f"{sign}PT{seconds}{fraction}S"


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_json_default).encode
