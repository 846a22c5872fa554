"""Random queries for both frames and lazy frames."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXTREMES = [-(2**63), -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1]
TIMES = [datetime(1, 1, 1, tzinfo=UTC), EPOCH, datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
PLACES = ["partition", "offset", "offset", "timestamp", "timestamp"]
TEXTS = ["", "x", "k3", "long enough to lie outside a view"]


@dataclass
class Query:
    """Steps in order, with descriptions."""

    steps: list[tuple[str, Callable[[Any], Any]]]
    is_ordered: bool = True

    def of(self, frame: Any) -> Any:
        """Apply the steps to a frame or a lazy frame."""
        for _, step in self.steps:
            frame = step(frame)
        return frame

    def __str__(self) -> str:
        return "".join(f".{name}" for name, _ in self.steps)


def query(chance: random.Random, schema: pl.Schema) -> Query:
    """Return a query over a table of that schema."""
    names = list(schema)
    if chance.random() < 0.15:
        return Query(_slices(chance, names))
    steps = [_step(chance, schema, names) for _ in range(chance.randint(0, 3))]
    last = _last(chance, schema, names)
    if last is not None:
        steps.append(last)
    return Query(steps, is_ordered=last is None or not last[0].startswith(("group_by", "join", "unique")))


def _step(chance: random.Random, schema: pl.Schema, names: list[str]) -> tuple[str, Callable[[Any], Any]]:
    kind = chance.choice(["filter", "filter", "filter", "head", "slice", "tail", "select", "index", "with"])
    count, offset = chance.choice([0, 1, 7, 50, 1_000]), chance.randint(-60, 60)
    if kind == "filter" and (usable := [name for name in names if name in schema]):
        condition = predicate(chance, {name: schema[name] for name in usable})
        return f"filter({condition})", lambda frame: frame.filter(condition)
    if kind == "head":
        return f"head({count})", lambda frame: frame.head(count)
    if kind == "slice":
        return f"slice({offset}, {count})", lambda frame: frame.slice(offset, count)
    if kind == "tail":
        return f"tail({count})", lambda frame: frame.tail(count)
    if kind == "select" and names:
        names[:] = chance.sample(names, chance.randint(1, len(names)))
        chosen = list(names)
        return f"select({chosen})", lambda frame: frame.select(chosen)
    fresh = f"n{len(names)}_{chance.randint(0, 999)}"
    names.append(fresh)
    if kind == "with":
        return f"with_columns({fresh}=1)", lambda frame: frame.with_columns(pl.lit(1).alias(fresh))
    return f"with_row_index({fresh!r})", lambda frame: frame.with_row_index(fresh)


def _slices(chance: random.Random, names: list[str]) -> list[tuple[str, Callable[[Any], Any]]]:
    """Return two row limits around a column that is dropped at the end, sometimes with filters between them."""

    def limit() -> tuple[str, Callable[[Any], Any]]:
        count, offset = chance.choice([0, 1, 7, 50, 1_000]), chance.choice([0, 0, 1, 20, -7])
        return f"slice({offset}, {count})", lambda frame: frame.slice(offset, count)

    def maybe_filter() -> list[tuple[str, Callable[[Any], Any]]]:
        bound = chance.randint(0, 60)
        return chance.choice([[], [], [(f"filter(offset >= {bound})", lambda frame: frame.filter(pl.col("offset") >= bound))]])

    index: tuple[str, Callable[[Any], Any]] = ("with_row_index()", lambda frame: frame.with_row_index("dropped"))
    total = pl.col("offset").cum_sum().alias("dropped")
    column: tuple[str, Callable[[Any], Any]] = ("with_columns(cum_sum)", lambda frame: frame.with_columns(total))
    kept = chance.choice([["offset"], chance.sample(names, chance.randint(1, len(names)))])
    select: tuple[str, Callable[[Any], Any]] = (f"select({kept})", lambda frame: frame.select(kept))
    return [*maybe_filter(), limit(), *maybe_filter(), chance.choice([index, column]), *maybe_filter(), limit(), select]


def _last(chance: random.Random, schema: pl.Schema, names: list[str]) -> tuple[str, Callable[[Any], Any]] | None:
    kind = chance.choice(["none", "none", "len", "range", "count", "group_by", "join", "unique", "minmax", "literal"])
    plain = [name for name in names if name not in schema or schema[name] in (pl.Int32, pl.Int64, pl.String)]
    if kind == "len":
        return "select(len)", lambda frame: frame.select(pl.len())
    if kind == "range":
        return "select(int_range(len))", lambda frame: frame.select(pl.int_range(pl.len()))
    if kind == "literal":
        return "with_columns(one).select(one)", lambda frame: frame.with_columns(pl.lit(1).alias("one")).select("one")
    if not plain or kind == "none":
        return None
    name = chance.choice(plain)
    if kind == "count":
        return f"select({name}.count)", lambda frame: frame.select(pl.col(name).count())
    if kind == "minmax":
        return f"select({name}.min, max)", lambda frame: frame.select(pl.col(name).min().alias("min"), pl.col(name).max().alias("max"))
    if kind == "unique":
        return f"unique({name})", lambda frame: frame.select(name).unique()
    if kind == "group_by":
        return f"group_by({name}).len()", lambda frame: frame.group_by(name).agg(pl.len())
    return f"join({name})", lambda frame: frame.join(frame.select(name).unique(), on=name, how="semi")


def predicate(chance: random.Random, schema: dict[str, Any], depth: int = 0) -> pl.Expr:
    """Return a condition on columns of that schema."""
    if depth < 3 and chance.random() < 0.5:
        one, other = predicate(chance, schema, depth + 1), predicate(chance, schema, depth + 1)
        conditions: list[Callable[[], pl.Expr]] = [
            lambda: one & other,
            lambda: one & other,
            lambda: one | other,
            lambda: ~one,
            lambda: one ^ other,
            lambda: one.fill_null(value=False),
            lambda: one.is_null(),
            lambda: pl.when(one).then(other).otherwise(other.is_not_null()),
        ]
        return chance.choice(conditions)()
    name = chance.choice([*schema, *(place for place in PLACES if place in schema)])
    column, dtype = pl.col(name), schema[name]
    if chance.random() < 0.1:
        return chance.choice([column.is_null(), column.is_not_null()])
    if name == "partition" or dtype in (pl.UInt32, pl.Int8):
        return _number(chance, column, [0, 1, 2, 7, -1, 2**31])
    if dtype.is_integer():
        near = chance.choice([chance.randint(-5, 300), chance.choice(EXTREMES)])
        return _number(chance, column, [near, chance.randint(0, 300), chance.randint(0, 300)])
    if dtype.is_float():
        return _number(chance, column, [0.5, 3.0, -1.25])
    if dtype.is_temporal():
        return _time(chance, column)
    if dtype == pl.String:
        return _text(chance, column, TEXTS)
    if dtype == pl.Binary:
        return _text(chance, column, [text.encode() for text in TEXTS])
    if isinstance(dtype, pl.Struct) and dtype.fields:
        chosen = chance.choice(dtype.fields)
        inner = column.struct.field(chosen.name)
        return chance.choice([inner.is_null(), inner.is_not_null(), inner.cast(pl.String, strict=False) == "3"])
    return column.is_not_null()


def _number(chance: random.Random, column: pl.Expr, values: list[Any]) -> pl.Expr:
    one, other = chance.choice(values), chance.choice(values)
    conditions: list[Callable[[], pl.Expr]] = [
        lambda: column == one,
        lambda: column != one,
        lambda: column < one,
        lambda: column <= one,
        lambda: pl.lit(one) < column,
        lambda: column >= one,
        lambda: column.is_in([one, other]),
        lambda: column.is_in([one, None]),
        lambda: ~column.is_in([one, other]),
        lambda: column.is_between(one, other, closed=chance.choice(["both", "left", "right", "none"])),
        lambda: column.cast(pl.Int8, strict=False) > 5,
        lambda: column % 3 == 0,
        lambda: column + 1 > chance.randint(0, 100),
        lambda: column > chance.randint(0, 100) + 0.5,
        lambda: column.fill_null(0) >= chance.randint(-1, 100),
        lambda: pl.when(column > 5).then(column < 40).otherwise(statement=None),
        lambda: column > pl.lit(chance.randint(0, 100)).cast(pl.UInt64),
    ]
    return chance.choice(conditions)()


def _time(chance: random.Random, column: pl.Expr) -> pl.Expr:
    def moment() -> datetime:
        near = EPOCH + timedelta(milliseconds=chance.randint(0, 7_000), microseconds=chance.choice([0, 0, 1, 999]))
        return chance.choice([near, near, near, *TIMES])

    one, other = moment(), moment()
    conditions: list[Callable[[], pl.Expr]] = [
        lambda: column == one,
        lambda: column < one,
        lambda: column <= one,
        lambda: column > one,
        lambda: pl.lit(one) <= column,
        lambda: column.is_between(one, other),
        lambda: column.is_in([one, other]),
        lambda: column.dt.second() > 2,
        lambda: column - timedelta(seconds=1) > one,
        lambda: column.dt.convert_time_zone("Europe/Berlin").dt.hour() == 1,
        lambda: column.fill_null(other) > one,
    ]
    return chance.choice(conditions)()


def _text(chance: random.Random, column: pl.Expr, values: list[Any]) -> pl.Expr:
    one, other = chance.choice(values), chance.choice(values)
    conditions: list[Callable[[], pl.Expr]] = [
        lambda: column == one,
        lambda: column != one,
        lambda: column > one,
        lambda: column.is_in([one, other]),
        lambda: column.fill_null(pl.lit(one)) == one,
        lambda: column.fill_null(pl.lit(one)).is_in([one, other]),
    ]
    return chance.choice(conditions)()
