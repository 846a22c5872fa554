"""Exact tables: each type of each library is read back unchanged, or refused with column and row."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import headwater as hw
from tests.python.names import name

if TYPE_CHECKING:
    from tests.python.target import Target

UTC = dt.timezone.utc
DAY = dt.date(2013, 1, 31)
NOON = dt.datetime(2013, 1, 31, 12, 30, 0, 250_000)


@pytest.fixture
def topic(client: hw.Client) -> hw.Topic:
    return client.create_topic(name("t"))


def send(client: hw.Client, rows: Any, **columns: Any) -> hw.BatchResult:
    with client.producer() as producer:
        return producer.send_batch(name("t"), rows, **columns)


def values(topic: hw.Topic) -> list[bytes | None]:
    return [message.value for message in topic.head(100)]


def keys(topic: hw.Topic) -> list[bytes | None]:
    return [message.key for message in topic.head(100)]


ARROW: list[tuple[pa.DataType, list[Any], list[bytes | None]]] = [
    (pa.null(), [None, None], [None, None]),
    (pa.bool_(), [True, None], [b"true", None]),
    (pa.int8(), [-128, None], [b"-128", None]),
    (pa.int64(), [2**63 - 1, None], [b"9223372036854775807", None]),
    (pa.uint64(), [2**64 - 1, None], [b"18446744073709551615", None]),
    (pa.float16(), [0.5, None], [b"0.5", None]),
    (pa.float32(), [0.5, None], [b"0.5", None]),
    (pa.float64(), [1e300, None], [b"1.0e300", None]),
    (
        pa.decimal128(38, 3),
        [Decimal("-12345678901234567890123456789012345.678"), None],
        [b"-12345678901234567890123456789012345.678", None],
    ),
    (pa.decimal256(40, 0), [Decimal(10) ** 39, None], [b"1" + 39 * b"0", None]),
    (pa.string(), ['a"b', None], [b'a"b', None]),
    (pa.large_string(), ["é", None], ["é".encode(), None]),
    (pa.string_view(), ["a string that is too long for a view", None], [b"a string that is too long for a view", None]),
    (pa.binary(), [b"\x00\xff", None], [b"\x00\xff", None]),
    (pa.binary_view(), [b"\x00\xff", None], [b"\x00\xff", None]),
    (pa.binary(2), [b"\x00\xff", None], [b"\x00\xff", None]),
    (pa.date32(), [DAY, None], [b"2013-01-31", None]),
    (pa.date64(), [DAY, None], [b"2013-01-31", None]),
    (pa.time32("s"), [dt.time(23, 59, 59), None], [b"23:59:59", None]),
    (pa.time64("us"), [dt.time(0, 0, 0, 1), None], [b"00:00:00.000001", None]),
    (pa.timestamp("us"), [NOON, None], [b"2013-01-31T12:30:00.250", None]),
    (pa.timestamp("ms", "Europe/Berlin"), [NOON.replace(tzinfo=UTC), None], [b"2013-01-31T12:30:00.250Z", None]),
    (pa.duration("ms"), [dt.timedelta(milliseconds=-1500), None], [b"-PT1.500S", None]),
    (pa.list_(pa.int64()), [[2**60, None], None], [b"[1152921504606846976,null]", None]),
    (pa.list_(pa.null()), [[], None], [b"[]", None]),
    (pa.large_list(pa.string()), [["a"], None], [b'["a"]', None]),
    (pa.list_(pa.int8(), 2), [[1, 2], None], [b"[1,2]", None]),
    (pa.struct({"a": pa.int64(), "b": pa.null()}), [{"a": 1, "b": None}, None], [b'{"a":1,"b":null}', None]),
    (pa.map_(pa.string(), pa.int64()), [[("k", 1)], None], [b'{"k":1}', None]),
    (pa.dictionary(pa.int8(), pa.string()), ["x", None], [b"x", None]),
    (pa.dictionary(pa.int8(), pa.int64()), [7, None], [b"7", None]),
]


@pytest.mark.parametrize(("data_type", "items", "texts"), ARROW, ids=lambda value: str(value) if isinstance(value, pa.DataType) else "")
def test_every_arrow_type_is_read_back_with_its_own_schema(
    client: hw.Client, topic: hw.Topic, data_type: pa.DataType, items: list[Any], texts: list[bytes | None]
) -> None:
    table = pa.table({"c": pa.array(items, data_type)})
    send(client, table)
    scan = topic.scan(value="json", schema=table.schema, unnest=True)
    read = scan.to_arrow()["c"].combine_chunks()
    assert read.type == data_type
    assert read.to_pylist() == table["c"].to_pylist()
    send(client, table, key="c")
    assert keys(topic)[2:] == texts


POLARS: list[tuple[Any, list[Any]]] = [
    (pl.Null, [None, None]),
    (pl.Boolean, [True, None]),
    (pl.Int8, [-128, None]),
    (pl.Int64, [-(2**63), None]),
    (pl.UInt64, [2**64 - 1, None]),
    (pl.Float32, [0.1, None]),
    (pl.Float64, [0.1, None]),
    (pl.Decimal(20, 3), [Decimal("12345678901234567.891"), None]),
    (pl.String, ["é", None]),
    (pl.Binary, [b"\x00\xff", None]),
    (pl.Date, [dt.date(9999, 12, 31), None]),
    (pl.Time, [dt.time(23, 59, 59, 999_999), None]),
    (pl.Datetime("us"), [dt.datetime(1, 1, 1), None]),
    (pl.Datetime("ms", "UTC"), [NOON.replace(tzinfo=UTC), None]),
    (pl.Datetime("us", "America/New_York"), [NOON.replace(tzinfo=UTC), None]),
    (pl.Duration("us"), [dt.timedelta(days=-5, microseconds=1), None]),
    (pl.Categorical, ["a", None]),
    (pl.Enum(["a", "b"]), ["b", None]),
    (pl.List(pl.Null), [[], None]),
    (pl.List(pl.Int64), [[2**60, None], None]),
    (pl.Array(pl.Int64, 2), [[1, 2], None]),
    (pl.Struct({"a": pl.Null, "b": pl.Date}), [{"a": None, "b": DAY}, None]),
]


@pytest.mark.parametrize(("dtype", "items"), POLARS, ids=lambda value: "" if isinstance(value, list) else str(value))
def test_every_polars_type_comes_back_in_every_output(client: hw.Client, topic: hw.Topic, dtype: Any, items: list[Any]) -> None:
    series = pl.Series("c", items, dtype=dtype)
    send(client, series.to_frame())
    schema = {"c": dtype} if dtype != pl.Categorical and not isinstance(dtype, pl.Enum) else {"c": "string"}
    scan = topic.scan(value="json", schema=schema, unnest=True)
    expected = series.to_list()
    assert scan.to_polars()["c"].to_list() == expected
    assert [message.value["c"] for message in topic.head(value="json", schema=schema)] == expected
    arrow = scan.to_arrow()["c"].to_pylist()
    assert [None if item is None else item for item in arrow] == expected


def test_a_null_key_and_empty_lists_are_sent(client: hw.Client, topic: hw.Topic) -> None:
    frame = pl.DataFrame({"k": [None, None], "a": [[], [None]], "b": [{"x": None}, None], "c": [[[]], []]})
    send(client, frame, key="k")
    assert keys(topic) == [None, None]
    assert values(topic) == [b'{"a":[],"b":{"x":null},"c":[[]]}', b'{"a":[null],"b":null,"c":[]}']


BAD: list[tuple[str, Any, str]] = [
    ("nan", pl.Series([1.0, float("nan")]), "finite"),
    ("infinity", pa.array([1.0, float("inf")], pa.float32()), "finite"),
    ("date", pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32()), "date"),
    ("timestamp", pl.Series([0, 2**63 - 1]).cast(pl.Datetime("us", "UTC")), "years 1 to 9999"),
    ("naive timestamp", pl.Series([0, -(2**62)]).cast(pl.Datetime("us")), "years 1 to 9999"),
    ("duration", pa.array([0, 2**63 - 1], pa.int64()).cast(pa.duration("s")), "days"),
]


@pytest.mark.parametrize(("column", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
@pytest.mark.parametrize("role", [None, "key", "value"])
def test_a_value_without_a_text_is_refused_with_column_and_row(
    client: hw.Client, topic: hw.Topic, column: Any, reason: str, role: str | None
) -> None:
    table = pa.table({"c": column.to_arrow() if isinstance(column, pl.Series) else column})
    with pytest.raises(hw.InvalidArgumentError, match=r'row 1 of column "c".*' + reason):
        send(client, table, **({role: "c"} if role else {}))
    assert values(topic) == []


def test_polars_objects_and_wide_integers_are_refused_by_name(client: hw.Client, topic: hw.Topic) -> None:
    with pytest.raises(TypeError, match="column 'o' of the frame has type Object"):
        send(client, pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}))
    with pytest.raises(TypeError, match=r"column 's\.i' of the frame has type Int128"):
        send(client, pl.DataFrame({"s": [{"i": 1}]}, schema={"s": pl.Struct({"i": pl.Int128})}))
    assert values(topic) == []


def test_repeated_names_are_refused(client: hw.Client, topic: hw.Topic) -> None:
    twice = pa.table([pa.array([1]), pa.array([2]), pa.array(["v"])], names=["a", "a", "v"])
    with pytest.raises(hw.InvalidArgumentError, match='two columns "a"'):
        send(client, twice)
    with pytest.raises(hw.InvalidArgumentError, match='two columns "a"'):
        send(client, twice, key="a", value="v")
    nested = pa.table({"s": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])})
    with pytest.raises(hw.InvalidArgumentError, match=r'"s\.a".*rename'):
        send(client, nested)
    with pytest.raises(ValueError, match="Duplicate column names"):
        send(client, pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert values(topic) == []
    send(client, twice, value="v")
    assert values(topic) == [b"v"]


def test_an_index_without_a_name_is_not_a_column(client: hw.Client, topic: hw.Topic) -> None:
    frame = pd.DataFrame({"a": [2, 3, 1]}).sort_values("a")
    assert "__index_level_0__" in pa.Table.from_pandas(frame).column_names
    send(client, frame)
    send(client, pd.concat([frame, frame]))
    send(client, pa.Table.from_pandas(frame))
    assert values(topic) == [b'{"a":1}', b'{"a":2}', b'{"a":3}'] * 4
    send(client, frame.set_index(pd.Index(["x", "y", "z"], name="k")), key="k")
    assert keys(topic)[-3:] == [b"x", b"y", b"z"]
    send(client, frame, key="__index_level_0__")
    assert keys(topic)[-3:] == [b"2", b"0", b"1"]


PANDAS: list[tuple[str, Any, list[bytes]]] = [
    ("object", pd.Series([pd.NaT, None, "a"], dtype=object), [b"null", b"null", b'"a"']),
    ("missing times", pd.Series([pd.NaT, pd.Timestamp(NOON)]), [b"null", b'"2013-01-31T12:30:00.250"']),
    ("zoned", pd.Series([pd.Timestamp(NOON, tz="UTC")]), [b'"2013-01-31T12:30:00.250Z"']),
    ("timedelta", pd.Series([pd.Timedelta(seconds=1)]), [b'"PT1S"']),
    ("missing floats", pd.Series([1.5, np.nan]), [b"1.5", b"null"]),
    ("nullable", pd.Series([2**63 - 1, pd.NA], dtype="Int64"), [b"9223372036854775807", b"null"]),
    ("unsigned", pd.Series([2**64 - 1], dtype="UInt64"), [b"18446744073709551615"]),
    ("boolean", pd.Series([True, pd.NA], dtype="boolean"), [b"true", b"null"]),
    ("string", pd.Series(["a", pd.NA], dtype="string"), [b'"a"', b"null"]),
    ("category", pd.Series(["a", None], dtype="category"), [b'"a"', b"null"]),
    ("arrow", pd.Series([DAY, None], dtype=pd.ArrowDtype(pa.date32())), [b'"2013-01-31"', b"null"]),
    ("dates", pd.Series([DAY], dtype=object), [b'"2013-01-31"']),
    ("decimals", pd.Series([Decimal("1.50")], dtype=object), [b"1.50"]),
    ("bytes", pd.Series([b"\xff"], dtype=object), [b'"ff"']),
    ("lists", pd.Series([[1, None], []], dtype=object), [b"[1,null]", b"[]"]),
]


@pytest.mark.parametrize(("series", "texts"), [case[1:] for case in PANDAS], ids=[case[0] for case in PANDAS])
def test_every_pandas_type_is_exact(client: hw.Client, topic: hw.Topic, series: Any, texts: list[bytes]) -> None:
    send(client, pd.DataFrame({"c": series}))
    assert values(topic) == [b'{"c":' + text + b"}" for text in texts]


def test_values_that_pandas_cannot_convert_are_errors_with_column_and_row(client: hw.Client, topic: hw.Topic) -> None:
    with pytest.raises(TypeError, match="row 2 of column 'b' has a value of type int"):
        send(client, pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, 5]}))
    for series in (pd.Series(pd.period_range("2013", periods=1, freq="D")), pd.Series(pd.interval_range(0, 1))):
        with pytest.raises(hw.InvalidArgumentError, match='column "c"'):
            send(client, pd.DataFrame({"c": series}))
    assert values(topic) == []


INEXACT: list[tuple[str, list[Any], int]] = [
    ("date and datetime", [DAY, NOON], 1),
    ("datetime and date", [NOON, DAY], 1),
    ("in lists", [[DAY], [DAY, NOON]], 1),
    ("in objects", [{"a": DAY}, {"a": NOON}], 1),
    ("zones", [NOON, NOON.replace(tzinfo=UTC)], 1),
    ("zoned time", [None, dt.time(1, tzinfo=UTC)], 1),
    ("nanoseconds", [pd.Timestamp(1)], 0),
    ("duration of nanoseconds", [pd.Timedelta(0), pd.Timedelta(1, "ns")], 1),
    ("bytes and text", [b"x", "y"], 1),
    ("text and bytes", ["x", None, b"y"], 2),
    ("number and boolean", [1.5, True], 1),
    ("wide integer", [1, 2**70], 1),
    ("complex", [1j], 0),
    ("long double", [np.longdouble(1)], 0),
    ("units", [np.datetime64("2013-01-01", "s"), np.datetime64("2013-01-01T01", "ns")], 1),
    ("surrogate", ["x", "\ud800"], 1),
]


@pytest.mark.parametrize(("items", "row"), [case[1:] for case in INEXACT], ids=[case[0] for case in INEXACT])
@pytest.mark.parametrize("role", [None, "key"])
def test_objects_that_arrow_would_change_are_refused_with_row_and_column(
    client: hw.Client, topic: hw.Topic, items: list[Any], row: int, role: str | None
) -> None:
    with pytest.raises(TypeError, match=f"row {row} of column 'c' has"):
        send(client, pd.DataFrame({"c": pd.Series(items, dtype=object)}), **({role: "c"} if role else {}))
    assert values(topic) == []


def test_objects_that_arrow_holds_unchanged_are_sent(client: hw.Client, topic: hw.Topic) -> None:
    columns: list[list[Any]] = [
        [np.array([1, 2]), [3]],
        [np.array(["a", None], dtype=object), None],
        [np.nan, "a"],
        [Decimal(1), 1],
        [{"a": 1}, {"b": [DAY]}],
    ]
    frame = pd.DataFrame({f"c{number}": pd.Series(items, dtype=object) for number, items in enumerate(columns)})
    send(client, frame)
    send(client, pa.Table.from_pandas(frame))
    sent = values(topic)
    assert len(sent) == 4
    assert sent[:2] == sent[2:]


def test_a_named_index_is_a_column_whatever_its_type(client: hw.Client, topic: hw.Topic) -> None:
    send(client, pd.DataFrame({"a": [5, 6]}, index=pd.RangeIndex(2, name="i")))
    send(client, pd.DataFrame({"a": [5, 6]}, index=pd.Index([0, 1], name="i")))
    assert values(topic) == [b'{"a":5,"i":0}', b'{"a":6,"i":1}'] * 2
    with pytest.raises(TypeError, match="row 1 of column 'i' has"):
        send(client, pd.DataFrame({"a": [5, 6]}, index=pd.Index([DAY, NOON], name="i", dtype=object)))


def test_rows_that_json_would_change_are_refused_with_row_and_item(client: hw.Client, topic: hw.Topic) -> None:
    send(client, [{"a": pd.Timedelta(1, "ns"), "b": -pd.Timedelta(1, "ns"), "c": pd.Timedelta(0)}])
    assert values(topic) == [b'{"a":"PT0.000000001S","b":"-PT0.000000001S","c":"PT0S"}']
    for bad, reason in (
        ({"x": "\ud800"}, "item 'x': its text cannot be encoded in UTF-8"),
        ({"x": np.longdouble(1)}, "item 'x': .*longdouble"),
        ({"x": np.array([1], np.longdouble)}, "item 'x': .*longdouble"),
        ({1: 1, "1": 2}, "two items would have the name '1'"),
        ({"x": [{True: 1, "true": 2}]}, "item 'x': two items would have the name 'true'"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"Row 1: {reason}"):
            send(client, [{"x": 1}, bad])


def test_rows_of_python_are_exact_or_refused_with_row_and_item(client: hw.Client, topic: hw.Topic) -> None:
    row = {
        "nat": pd.NaT,
        "na": pd.NA,
        "when": np.datetime64("2013-01-31T12:30:00.123456789"),
        "missing": np.datetime64("NaT"),
        "took": dt.timedelta(milliseconds=-1500),
        "array": np.array([1, 2]),
        "one": np.array([1]),
        "big": np.uint64(2**64 - 1),
    }
    send(client, [row])
    assert values(topic) == [
        b'{"nat":null,"na":null,"when":"2013-01-31T12:30:00.123456789","missing":null,"took":"-PT1.500000S",'
        b'"array":[1,2],"one":[1],"big":18446744073709551615}'
    ]
    for bad in (float("nan"), object(), Decimal(1), b"bytes"):
        with pytest.raises((TypeError, ValueError), match="Row 1: item 'x': "):
            send(client, [{"x": 1}, {"x": bad}])
    with pytest.raises(hw.InvalidArgumentError, match="Row 1: The timestamp is negative"):
        send(client, [{"t": 1}, {"t": -1}], timestamp="t")
    assert len(topic) == 1, "a list is checked before anything of it is sent"


def test_timestamps_are_floored_to_milliseconds_everywhere(client: hw.Client, topic: hw.Topic) -> None:
    when = dt.datetime(2013, 1, 31, 12, 0, 0, 1_999, tzinfo=UTC)
    floor = int(when.timestamp()) * 1000 + 1
    with client.producer() as producer:
        producer.send(name("t"), b"", timestamp=when).result()
    send(client, [{"t": when}], timestamp="t")
    send(client, pl.DataFrame({"t": [when]}), timestamp="t")
    send(client, pa.table({"t": pa.array([when], pa.timestamp("ns", "UTC"))}), timestamp="t")
    assert [message.timestamp_ms for message in topic.head()] == [floor] * 4


@pytest.mark.parametrize("negative", [-1, -5, -(2**63)])
def test_a_negative_timestamp_is_an_invalid_argument(client: hw.Client, topic: hw.Topic, negative: int) -> None:
    tables = [
        pa.table({"t": pa.array([5, negative])}),
        pa.table({"t": pa.array([5, negative]).cast(pa.timestamp("us"))}),
        pa.table({"t": pa.array([5, negative]).cast(pa.timestamp("s"))}),
    ]
    for table in tables:
        with pytest.raises(hw.InvalidArgumentError, match="timestamp of row 1 is negative"):
            send(client, table, timestamp="t")
    with client.producer() as producer:
        for timestamp in (negative, dt.datetime(1969, 1, 1, tzinfo=UTC)):
            with pytest.raises(hw.InvalidArgumentError, match="negative"):
                producer.send(name("t"), b"", timestamp=timestamp)
    assert values(topic) == []


class Index:
    """An object like an integer, such as NumPy's numbers."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


@pytest.mark.parametrize("integer", [np.int64, np.uint8, np.int16, Index])
def test_objects_like_integers_are_accepted(flights: hw.Topic, client: hw.Client, integer: Any) -> None:
    assert flights.scan(start=integer(8)).count() == 2
    assert flights.scan(start={0: integer(9)}, partitions=[integer(0)]).count() == 1
    assert flights.offsets(integer(3)) == {0: 3}
    with client.producer(linger_ms=integer(1)) as producer:
        metadata = producer.send(name("flights"), b"", partition=integer(0), timestamp=integer(7)).result()
        assert (metadata.offset, metadata.timestamp_ms) == (10, 7)
        assert producer.send_batch(name("flights"), [b""], partition=integer(0)).records == 1
    consumer = client.consumer(name("flights"))
    consumer.seek({(name("flights"), integer(0)): integer(4)})
    batch = consumer.poll(max_records=integer(1))
    assert batch.next_offsets == {(name("flights"), 0): 5}
    consumer.seek(integer(2))
    assert next(iter(consumer.poll())).offset == 2
    consumer.close()
    wrong: Any
    for wrong in (True, np.bool_(True), 1.5, np.float64(1.5), "x"):
        with pytest.raises((TypeError, ValueError)):
            flights.offsets({0: wrong})


def rows_without_a_key(at: int, count: int) -> pa.Table:
    keys = [f"k{n}" if n != at else None for n in range(count)]
    return pa.table({"k": keys, "v": [f"value {n}" for n in range(count)]})


def test_a_refused_row_is_an_error_with_the_number_of_written_rows(client: hw.Client) -> None:
    topic = client.create_topic(name("t"), cleanup_policy="compact")
    table = rows_without_a_key(40_000, 50_000)
    with client.producer(batch_size=10_000) as producer, pytest.raises(hw.InvalidArgumentError) as caught:
        producer.send_batch(name("t"), table, key="k", value="v")
    message = str(caught.value)
    written = sum(topic.offsets("latest").values())
    assert "Row 40000 of the table" in message
    assert "key" in message
    if written:
        assert f"{written} rows of the table are written: {written} to partition 0." in message
    else:
        assert "No rows of the table are written." in message
    assert (caught.value.topic, caught.value.partition) == (name("t"), 0)


def test_rows_are_counted_over_all_tables_and_partitions(client: hw.Client) -> None:
    client.create_topic(name("t"), partitions=3, cleanup_policy="compact")
    # More than one table, and more than one piece of each table.
    parts = [rows_without_a_key(-1, 300_000), rows_without_a_key(299_999, 300_000)]
    table = pa.concat_tables(parts)
    with client.producer() as producer, pytest.raises(hw.InvalidArgumentError, match="Row 599999 of the table") as caught:
        producer.send_batch(name("t"), table, key="k", value="v")
    written = {number: count for number, count in client[name("t")].offsets("latest").items() if count}
    parts_written = ", ".join(f"{count} to partition {number}" for number, count in sorted(written.items()))
    assert f"{sum(written.values())} rows of the table are written: {parts_written}." in str(caught.value)


def test_checks_come_before_any_write(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    good = pa.table({"v": pa.array([1.0] * 300_000)})
    bad = pa.table({"v": pa.array([1.0] * 10 + [float("nan")])})
    with pytest.raises(hw.InvalidArgumentError, match='row 300010 of column "v"'):
        send(client, pa.concat_tables([good, bad]))
    large = pa.table({"v": ["x", "y" * 2_000_000]})
    with pytest.raises(hw.RecordTooLargeError, match="row 300001 needs"):
        send(client, pa.concat_tables([pa.table({"v": ["x"] * 300_000}), large]))
    assert len(topic) == 0


def test_asyncio_checks_and_counts_in_the_same_way(target: Target) -> None:
    async def main() -> tuple[str, int]:
        async with target.aio() as client, client.producer() as producer:
            topic = await client.create_topic(name("t"), cleanup_policy="compact")
            try:
                await producer.send_batch(name("t"), rows_without_a_key(40_000, 50_000), key="k", value="v")
            except hw.InvalidArgumentError as error:
                return str(error), sum((await topic.offsets("latest")).values())
        return "", -1

    message, written = asyncio.run(main())
    assert "Row 40000 of the table" in message
    assert (f"{written} rows of the table are written" if written else "No rows of the table") in message


def test_nullable_frames_are_not_converted_to_floats(client: hw.Client, topic: hw.Topic) -> None:
    big, unsigned = 2**53 + 1, 2**64 - 1
    send(client, [{"i": big, "u": unsigned, "f": 2.0, "s": "a", "b": True, "l": [big, None]}, {}])
    schema = {"i": "int64", "u": "uint64", "f": "float64", "s": "string", "b": "bool", "l": ["int64"]}
    scan = topic.scan(value="json", schema=schema, unnest=True)
    for frame in (
        scan.to_pandas(dtype_backend="numpy_nullable"),
        topic.head(value="json", schema=schema, unnest=True).to_pandas("numpy_nullable"),
    ):
        dtypes = {name: str(dtype) for name, dtype in frame.dtypes.items()}
        assert {name: dtypes[name] for name in schema} == {
            "i": "Int64",
            "u": "UInt64",
            "f": "Float64",
            "s": "string",
            "b": "boolean",
            "l": "object",
        }
        assert dtypes["offset"] == "Int64"
        assert [int(frame["i"][0]), int(frame["u"][0])] == [big, unsigned]
        assert frame["i"][1] is pd.NA
        assert frame["l"][0] == [big, None]


MISFITS = [
    (pa.timestamp("ms", "Europe/Berlin"), b'"2013-01-31T00:00:00"'),
    ("time", b'"24:00:00"'),
    ("time", b"86400000000000"),
    ("time[s]", b"-1"),
    ("float32", b"1e39"),
    (pl.Float32, b"-1e39"),
    (pa.float16(), b"65520"),
    ("date", b'"2013-01-31T23:00:00-05:00"'),
    ("int64", b"1.5"),
    ("timestamp[ms]", b'"2013-01-31T00:00:00.0001"'),
    ("date", b"3000000"),
]


@pytest.mark.parametrize(("dtype", "text"), MISFITS, ids=str)
def test_values_outside_a_type_follow_on_error_in_every_output(client: hw.Client, topic: hw.Topic, dtype: Any, text: bytes) -> None:
    send(client, [b'{"c":' + text + b"}", b'{"c":null}'])
    formats: dict[str, Any] = {"value": "json", "schema": {"c": dtype}}
    for read in (
        lambda: topic.scan(**formats).to_arrow(),
        lambda: topic.scan(**formats).to_polars(),
        lambda: topic.scan(**formats).to_pandas(),
        lambda: list(topic.head(**formats)),
        lambda: topic.head().decode(**formats),
    ):
        with pytest.raises(hw.DecodeError, match="does not fit the schema"):
            read()
    assert topic.scan(**formats, on_error="skip").to_arrow()["offset"].to_pylist() == [1]
    assert [message.value for message in topic.head(**formats, on_error="null")] == [None, {"c": None}]


@pytest.mark.parametrize("text", [b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e400}'])
def test_numbers_that_json_or_a_float_does_not_have_are_refused_when_read(client: hw.Client, topic: hw.Topic, text: bytes) -> None:
    send(client, [text])
    for read in (lambda: topic.head(value="json"), lambda: topic.head().decode(value="json"), lambda: topic.scan(value="json").to_arrow()):
        with pytest.raises(hw.DecodeError, match=r"not JSON|float64 holds"):
            read()


def test_text_has_the_layout_of_the_schema(client: hw.Client, topic: hw.Topic) -> None:
    send(client, [{"a": "x", "b": "y", "l": ["z"]}])
    schema = pa.schema({"a": pa.string_view(), "b": pa.string(), "l": pa.list_(pa.string_view())})
    scan = topic.scan(value="json", schema=schema, unnest=True, columns=["a", "b", "l"])
    assert [field.type for field in scan.to_arrow().schema] == [pa.string_view(), pa.string(), pa.list_(pa.string_view())]
    assert pa.schema(scan.schema) == scan.to_arrow().schema
    text = pl.Schema([("a", pl.String()), ("l", pl.List(pl.String))])
    polars = topic.scan(value="json", schema=text, unnest=True, columns=["a", "l"])
    assert [field.type for field in polars.to_arrow().schema] == [pa.string(), pa.large_list(pa.string())]
    by_name = topic.scan(value="json", schema={"a": "string_view", "b": "binary"}, columns=["value"])
    assert by_name.schema.names == ["value"]
    assert pa.schema(by_name.schema).field("value").type.field("a").type == pa.string_view()


def test_duckdb_relations_are_sent_exactly(client: hw.Client, topic: hw.Topic) -> None:
    query = "select 170141183460469231731687303715884105727::hugeint::varchar h, date '2013-01-31' d, null n, map {'k': 1} m, [null] l"
    send(client, duckdb.sql(query))
    assert values(topic) == [b'{"h":"170141183460469231731687303715884105727","d":"2013-01-31","n":null,"m":{"k":1},"l":[null]}']
    with pytest.raises(hw.InvalidArgumentError, match=r'column "i".*Interval'):
        send(client, duckdb.sql("select interval 1 month i"))
