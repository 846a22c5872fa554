"""Converts from and to tables of other libraries. Each library is imported on demand."""

from __future__ import annotations

import datetime
import importlib
import json
import numbers
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def need(module: str, extra: str) -> ModuleType:
    """Import a library, or raise an error with the command to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        message = f"This needs {module}, which is not installed: pip install 'headwater[{extra}]'."
        raise ModuleNotFoundError(message, name=module) from error


def to_arrow(source: Any) -> Any:
    """Convert an object with an Arrow capsule to a ``pyarrow.Table``."""
    return need("pyarrow", "pyarrow").table(source)


def to_reader(source: Any) -> Any:
    """Convert an object with an Arrow capsule to a ``pyarrow.RecordBatchReader``."""
    return need("pyarrow", "pyarrow").RecordBatchReader.from_stream(source)


def to_pandas(source: Any, dtype_backend: str | None) -> Any:
    """Convert an object with an Arrow capsule to a ``pandas.DataFrame``."""
    pandas = need("pandas", "pandas")
    need("pyarrow", "pandas")
    table = to_arrow(source)
    if dtype_backend is None:
        return table.to_pandas()
    if dtype_backend == "pyarrow":
        return table.to_pandas(types_mapper=pandas.ArrowDtype)
    if dtype_backend == "numpy_nullable":
        return _to_nullable(table)
    message = f'dtype_backend must be None, "pyarrow" or "numpy_nullable", not {dtype_backend!r}.'
    raise ValueError(message)


def _to_nullable(table: Any) -> Any:
    """Map each Arrow type to pandas' nullable type. No number is converted to a float."""
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
            # In NumPy arrays, lists of integers and nulls would become floats.
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
    """Return a table whose Arrow capsule is lossless, or refuse values that Arrow cannot represent."""
    module = type(table).__module__.partition(".")[0]
    if module == "polars" and type(table).__name__ == "DataFrame":
        return _polars_to_send(table)
    if module == "pandas" and type(table).__name__ == "DataFrame":
        return _pandas_to_send(table)
    return table


def _polars_to_send(frame: Any) -> Any:
    """Refuse columns that exist only in Polars, and convert types that Polars exports in its own format."""
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
    """Convert a frame to Arrow. Values that Arrow would change are refused, with their row and column."""
    pandas, pyarrow = need("pandas", "pandas"), need("pyarrow", "pandas")
    index = frame.index
    levels = [(name, index.get_level_values(number).to_series()) for number, name in enumerate(index.names) if name is not None]
    columns = [*frame.items(), *levels]
    for name, column in columns:
        dtype = column.dtype
        if isinstance(dtype, pandas.CategoricalDtype):
            dtype = dtype.categories.dtype
        if dtype.kind == "O" and type(dtype).__module__.startswith("numpy"):
            _check_objects(name, column)
    # By default pyarrow keeps a range only as metadata.
    preserve_index = True if isinstance(index, pandas.RangeIndex) and index.name is not None else None
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=preserve_index)
    except _CONVERSION_ERRORS:
        for name, column in columns:
            found = _first_bad_row(column, pyarrow)
            if found is not None:
                row, reason = found
                message = (
                    f"row {row} of column {name!r} has a value of type {type(column.iloc[row]).__name__} that cannot be sent: {reason}"
                )
                raise TypeError(message) from None
        raise


_CONVERSION_ERRORS = (TypeError, ValueError, OverflowError, NotImplementedError)


def _first_bad_row(column: Any, pyarrow: Any) -> tuple[int, Exception] | None:
    """Return the first row that pyarrow cannot convert, with the error, by binary search."""
    reason: Exception | None = None
    good, bad = 0, len(column) + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            pyarrow.array(column.iloc[:middle], from_pandas=True)
            good = middle
        except _CONVERSION_ERRORS as error:
            bad, reason = middle, error
    return None if reason is None else (good, reason)


_PLAIN = {str: "text", bytes: "bytes", int: "numbers", bool: "booleans"}


def _check_objects(name: Any, column: Any) -> None:
    """Refuse objects that pyarrow would change: mixed types that it unifies, and digits or time zones that it drops."""
    kinds: dict[tuple[Any, ...], str] = {}
    for row, value in enumerate(column):
        if kinds and _PLAIN.get(type(value)) == kinds.get((), ""):
            continue
        try:
            _check_object(value, (), kinds)
        except TypeError as error:
            message = f"row {row} of column {name!r} has {error}"
            raise TypeError(message) from None


def _check_object(value: Any, path: tuple[Any, ...], kinds: dict[tuple[Any, ...], str]) -> None:
    """Compare the kind of a value with the kind at the same position in earlier rows."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_object(item, (*path, key), kinds)
        return
    if isinstance(value, (list, tuple, set, frozenset)) or (type(value).__name__ == "ndarray" and value.dtype.kind == "O" and value.ndim):
        for item in value:
            _check_object(item, (*path, None), kinds)
        return
    kind = _kind(value)
    if kind is not None and kinds.setdefault(path, kind) != kind:
        message = f"a value of type {type(value).__name__} ({kind}) after {kinds[path]}: convert the column to one type"
        raise TypeError(message)


def _kind(value: Any) -> str | None:
    """Return the kind of a value: Arrow can store values of one kind together. None: missing, or left to pyarrow."""
    name = type(value).__name__
    if name in ("NaTType", "NAType", "NoneType") or (isinstance(value, numbers.Number) and value != value):
        return None
    if getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0):
        message = f"a {name} with nanoseconds, which an object column cannot hold: convert the column to datetime64[ns] or timedelta64[ns]"
        raise TypeError(message)
    if isinstance(value, datetime.datetime):
        return "datetimes without a zone" if value.tzinfo is None else "datetimes with a zone"
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        message = "a time with a time zone, which Arrow cannot represent: convert it to text"
        raise TypeError(message)
    named = {"datetime64": "datetimes of NumPy", "timedelta64": "durations of NumPy", "bool": "booleans", "bool_": "booleans"}
    if name in named:
        return named[name]
    kinds = (
        (str, "text"),
        ((bytes, bytearray, memoryview), "bytes"),
        (datetime.date, "dates"),
        (datetime.time, "times"),
        (datetime.timedelta, "durations"),
        (numbers.Number, "numbers"),
    )
    return next((kind for types, kind in kinds if isinstance(value, types)), None)


def row_to_json(row: dict[Any, Any]) -> str:
    """Write a row as JSON. The error of a value that JSON cannot express has its item."""
    try:
        return _to_json(row)
    except (TypeError, ValueError, RecursionError):
        for name, value in row.items():
            try:
                _to_json(value)
                _to_json(name)
            except (TypeError, ValueError, RecursionError) as error:
                message = f"item {name!r}: {error}"
                raise type(error)(message) from None
        raise


def _to_json(value: object) -> str:
    text: str = _encode(value)
    _check_names(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            message = f"its text cannot be encoded in UTF-8: {error.reason}"
            raise ValueError(message) from None
    return text


def _check_names(value: object) -> None:
    """Refuse an object that would have a repeated name in JSON, which writes the key 1 as "1"."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            names = [key if isinstance(key, str) else _encode(key) for key in value]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                message = f"two items would have the name {twice!r} in JSON: rename one of them"
                raise ValueError(message)
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        if isinstance(item, (dict, list, tuple)):
            _check_names(item)


def _json_default(value: object) -> object:
    """Convert values without a JSON type: times and durations to ISO 8601, missing to null, NumPy's to Python's."""
    name, module = type(value).__name__, type(value).__module__.partition(".")[0]
    if module == "pandas" and name in ("NaTType", "NAType"):
        return None
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if module == "numpy":
        return _numpy_value(value, name)
    message = f"a value of type {name} cannot be expressed in JSON: convert it first, or choose a value column"
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
        message = f"a {value.dtype} cannot be expressed in JSON: convert it to timedelta64[us]"
        raise TypeError(message)
    item = value.tolist()
    if type(item) is type(value):
        message = f"a value of NumPy's type {name} cannot be expressed in JSON: convert it first"
        raise TypeError(message)
    return item


def _duration(value: datetime.timedelta) -> str:
    """Format a duration as ISO 8601, in seconds."""
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    total = microseconds * 1_000 + getattr(value, "nanoseconds", 0)  # those of pandas
    seconds, nanoseconds = divmod(abs(total), 1_000_000_000)
    digits = f"{nanoseconds:09}" if nanoseconds % 1_000 else f"{nanoseconds // 1_000:06}"
    fraction = f".{digits}" if nanoseconds else ""
    return f"{'-' if total < 0 else ''}PT{seconds}{fraction}S"


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_json_default).encode
