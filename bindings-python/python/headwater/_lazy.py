"""A scan as a lazy frame of Polars: pushes columns, filters and row limits of a query down to the log's indexes.

Filters arrive as Polars expressions. Terms joined by "and" that compare ``offset``, ``partition`` or ``timestamp``
with constants become bounds; other terms are ignored. Polars applies its own filter afterwards, so bounds must be
correct but need not be complete. A row limit applies before the filter: Polars passes both only if the query limits
rows first and filters them afterwards.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

from headwater._frames import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from headwater._headwater import Scan

_MIRRORED = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq", "Eq": "Eq"}
_EXACT = 2**53
"""All types of Polars compare exactly up to this integer; greater constants are ignored."""
_PARTITIONS = 2**31
_LIMITS_REPLACED = (1, 39)
"""The first version of Polars that replaces a row limit of a Python source.

The unions of 1.39 to 1.42 panic at a slice past the end.
"""


@dataclass
class Bounds:
    """The bounds of a filter on the position of records; ends are exclusive and ``None`` is unbounded.

    >>> import polars as pl
    >>> bounds((pl.col("offset") >= 5) & (pl.col("partition") == 1)).offsets
    (5, None)
    """

    offsets: tuple[int | None, int | None] = (None, None)
    timestamps: tuple[int | None, int | None] = (None, None)
    partitions: list[int] | None = None

    def narrow(self, column: str, start: int | None, end: int | None) -> None:
        """Restrict a column to the half-open range from ``start`` to ``end``."""
        if column == "partition":
            if start is not None and end is not None and end - start <= 1:
                self.choose(list(range(start, end)))
            return
        name = "offsets" if column == "offset" else "timestamps"
        low, high = getattr(self, name)
        low = start if low is None else low if start is None else max(low, start)
        high = end if high is None else high if end is None else min(high, end)
        setattr(self, name, (low, high))

    def choose(self, partitions: list[int]) -> None:
        """Restrict the partition to these."""
        known = self.partitions
        possible = {partition for partition in partitions if 0 <= partition < _PARTITIONS}
        self.partitions = sorted(possible if known is None else possible.intersection(known))


def bounds(predicate: pl.Expr) -> Bounds:
    """Derive bounds from a filter."""
    panic = need("polars", "polars").exceptions.PanicException
    found = Bounds()
    try:
        _visit(json.loads(predicate.meta.serialize(format="json")), found)
    except (Exception, panic):  # noqa: BLE001 - ignore an unknown kind of expression
        return Bounds()
    return found


def _visit(node: Any, found: Bounds) -> None:
    if not isinstance(node, dict):
        return
    binary, function = node.get("BinaryExpr"), node.get("Function")
    if isinstance(binary, dict):
        operator, left, right = binary.get("op"), binary.get("left"), binary.get("right")
        if operator in ("And", "LogicalAnd"):
            _visit(left, found)
            _visit(right, found)
        elif operator in _MIRRORED:
            if (column := _column(left)) is not None:
                _compare(found, column, operator, _constant(right, column))
            elif (column := _column(right)) is not None:
                _compare(found, column, _MIRRORED[operator], _constant(left, column))
    elif isinstance(function, dict):
        _function(function, found)


def _function(function: dict[str, Any], found: Bounds) -> None:
    kind = function.get("function")
    boolean = kind.get("Boolean") if isinstance(kind, dict) else None
    inputs = function.get("input") or []
    column = _column(inputs[0]) if inputs else None
    if column is None or not isinstance(boolean, dict):
        return
    if "IsIn" in boolean and column == "partition" and len(inputs) == 2:
        chosen = _constants(inputs[1])
        if chosen is not None:
            found.choose(chosen)
    elif "IsBetween" in boolean and len(inputs) == 3:
        closed = boolean["IsBetween"].get("closed")
        low = "GtEq" if closed in ("Both", "Left") else "Gt"
        high = "LtEq" if closed in ("Both", "Right") else "Lt"
        _compare(found, column, low, _constant(inputs[1], column))
        _compare(found, column, high, _constant(inputs[2], column))


def _compare(found: Bounds, column: str, operator: str, value: tuple[int, bool] | None) -> None:
    """Add ``column operator value``; the flag means that the constant lies between ``value`` and the next integer.

    Polars may truncate such a constant to ``value`` before it compares.
    """
    if value is None:
        return
    number, between = value
    start = number + 1 if operator == "Gt" else number
    end = number if operator == "Lt" and not between else number + 1
    if operator in ("Gt", "GtEq"):
        found.narrow(column, start, None)
    elif operator in ("Lt", "LtEq"):
        found.narrow(column, None, end)
    else:
        found.narrow(column, start, end)


def _column(node: Any) -> str | None:
    name = node.get("Column") if isinstance(node, dict) else None
    return name if name in ("offset", "partition", "timestamp") else None


def _value(node: Any) -> pl.Series | None:
    """Return the value of an expression without columns."""
    polars = need("polars", "polars")
    try:
        expression = polars.Expr.deserialize(io.BytesIO(json.dumps(node).encode()), format="json")
        if expression.meta.root_names():
            return None
        value: pl.Series = polars.select(expression).to_series()
    except (Exception, polars.exceptions.PanicException):  # noqa: BLE001 - ignore an expression that fails
        return None
    return value


def _constant(node: Any, column: str) -> tuple[int, bool] | None:
    """Return a constant as an integer, rounded down, and whether it was rounded; times from 1970 on as milliseconds."""
    polars = need("polars", "polars")
    series = _value(node)
    if series is None or len(series) != 1 or series[0] is None:
        return None
    if column == "timestamp":
        if not isinstance(series.dtype, polars.Datetime) or series.dtype.time_zone is None:
            return None
        per = {"ms": 1, "us": 1_000, "ns": 1_000_000}[series.dtype.time_unit]
        physical = int(series.to_physical()[0])
        return (physical // per, physical % per != 0) if physical >= 0 else None
    if not series.dtype.is_integer() or abs(int(series[0])) > _EXACT:
        return None
    return int(series[0]), False


def _constants(node: Any) -> list[int] | None:
    series = _value(node)
    if series is None:
        return None
    if series.dtype.is_nested() and len(series) == 1:
        series = series.explode()
    if not series.dtype.is_integer():
        return None
    return [int(value) for value in series if value is not None]


def lazy_frame(scan: Scan, empty: Any) -> pl.LazyFrame:
    """Return the scan, whose types are fixed, as a ``polars.LazyFrame``. ``empty`` is a table of these types."""
    schema = need("polars", "polars").DataFrame(empty).schema
    from polars.io.plugins import register_io_source

    def source(columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch_size: int | None) -> Iterator[pl.DataFrame]:
        del batch_size  # the scan chooses the size of its batches
        for batch in _narrowed(scan, columns, predicate, rows):
            frame = batch.to_polars()
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame if columns is None else _chosen(frame, columns)

    # The oldest versions have no parameter for a name.
    named: dict[str, Any] = {"explain_name": "HEADWATER"} if "explain_name" in signature(register_io_source).parameters else {}
    return _keep_row_limits(register_io_source(source, schema=schema, **named))


def _keep_row_limits(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return a frame with the same rows whose plan can limit them more than once.

    From 1.39 on, Polars' optimizer pushes a row limit into a Python source, and a later limit replaces it even if it is
    greater: ``head(1).with_row_index().head(20).select("offset")`` has 20 rows. A union combines its limits correctly,
    and passes them, filters and columns to its inputs. The second input is empty. Unions that are not parallel ignore
    negative offsets.
    """
    polars = need("polars", "polars")
    if tuple(int(part) for part in polars.__version__.split(".")[:2]) < _LIMITS_REPLACED:
        return frame
    union: pl.LazyFrame = polars.concat([frame, polars.LazyFrame(schema=frame.collect_schema())], parallel=True)
    return union


def _narrowed(scan: Scan, columns: list[str] | None, predicate: pl.Expr | None, rows: int | None) -> Scan:
    """Narrow the scan to the needs of the query."""
    if predicate is None:
        return scan._narrow(columns=columns, limit=rows)
    needed = None if columns is None else list(dict.fromkeys([*columns, *predicate.meta.root_names()]))
    if rows is not None:
        # The limit applies before the filter.
        return scan._narrow(columns=needed, limit=rows)
    found = bounds(predicate)
    return scan._narrow(columns=needed, partitions=found.partitions, offsets=found.offsets, timestamps=found.timestamps)


def _chosen(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Return these columns; a frame without columns keeps its height."""
    return frame.select(columns) if columns else frame.drop(frame.columns)
