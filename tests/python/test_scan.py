"""A scan: ranges, columns, formats; eager, lazy and as a stream."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import headwater as hw
from headwater._lazy import bounds
from tests.python.names import name

UTC = timezone.utc


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def wide(client: hw.Client) -> hw.Topic:
    """Four partitions with 100 records each; the timestamps of a partition are `10 * offset`."""
    topic = client.create_topic(name("wide"), partitions=4)
    with client.producer() as producer:
        for partition in range(4):
            for n in range(100):
                producer.send(name("wide"), f'{{"n": {n}, "p": {partition}}}', partition=partition, timestamp=10 * n)
    return topic


def test_the_schema_is_the_documented_one(flights: hw.Topic) -> None:
    header = pa.struct([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.binary())])
    schema = pa.schema(flights.scan().schema)
    assert schema.names == ["partition", "offset", "timestamp", "key", "value", "headers"]
    assert schema.field("partition").type == pa.int32()
    assert schema.field("offset").type == pa.int64()
    assert schema.field("timestamp").type == pa.timestamp("ms", "UTC")
    assert schema.field("key").type == schema.field("value").type == pa.binary()
    headers = schema.field("headers").type
    assert pa.types.is_list(headers)
    assert [headers.value_type.field(i).type for i in range(2)] == [header.field(i).type for i in range(2)]
    assert flights.scan(columns=["offset", "topic"]).schema.names == ["offset", "topic"]


def test_ranges_are_half_open(flights: hw.Topic) -> None:
    def values(**arguments: Any) -> list[int]:
        return flights.scan(columns=["offset"], **arguments).to_polars()["offset"].to_list()

    assert values() == list(range(10))
    assert values(start=3, end=5) == [3, 4]
    assert values(start={0: 8}) == [8, 9]
    assert values(start=at(2), end=at(4)) == [2, 3]
    assert values(end="earliest") == []
    assert values(start="latest") == []
    assert flights.scan(start=3).count() == 7


def test_partitions_are_chosen(wide: hw.Topic) -> None:
    frame = wide.scan(partitions=[1, 3], columns=["partition"]).to_polars()
    assert frame["partition"].value_counts().sort("partition").rows() == [(1, 100), (3, 100)]


def test_a_scan_can_be_read_again_and_sees_new_records(client: hw.Client, flights: hw.Topic) -> None:
    scan = flights.scan()
    assert sum(map(len, scan)) == 10
    with client.producer() as producer:
        producer.send(name("flights"), b"new")
    assert sum(map(len, scan)) == 11
    assert scan.count() == 11


def test_columns_keep_the_order_of_the_schema(flights: hw.Topic) -> None:
    assert flights.scan(columns=["value", "offset"]).to_polars().columns == ["offset", "value"]


def test_json_is_typed_by_a_schema_or_inferred(wide: hw.Topic) -> None:
    typed = wide.scan(value="json", schema={"n": "int16", "p": float}, unnest=True).to_polars()
    assert typed.schema["n"] == pl.Int16
    assert typed.schema["p"] == pl.Float64
    assert typed.filter(pl.col("partition") == 2)["p"].unique().to_list() == [2.0]
    inferred = wide.scan(value="json").to_polars()
    assert inferred.schema["value"] == pl.Struct({"n": pl.Int64, "p": pl.Int64})


@pytest.mark.parametrize(
    "schema",
    [
        {"n": "int64"},
        {"n": int},
        {"n": pl.Int64},
        {"n": pl.Int64()},
        {"n": pa.int64()},
        pa.schema({"n": pa.int64()}),
        pl.Schema({"n": pl.Int64}),
    ],
    ids=["text", "python", "polars class", "polars", "pyarrow", "pyarrow schema", "polars schema"],
)
def test_schemas_come_in_many_forms(wide: hw.Topic, schema: Any) -> None:
    frame = wide.scan(value="json", schema=schema, unnest=True, columns=["n"]).to_polars()
    assert frame.schema == {"n": pl.Int64}
    assert frame["n"].sum() == 4 * sum(range(100))


def test_nested_schemas_are_dictionaries_and_lists(client: hw.Client) -> None:
    topic = client.create_topic(name("nested"))
    with client.producer() as producer:
        producer.send(name("nested"), b'{"a": {"b": 1}, "c": [1.5, 2]}')
    scan = topic.scan(value="json", schema={"a": {"b": "int32"}, "c": ["float64"]}, unnest=True)
    assert scan.to_polars().select("a", "c").rows() == [({"b": 1}, [1.5, 2.0])]


def test_on_error_raises_or_nulls_or_skips(client: hw.Client) -> None:
    topic = client.create_topic(name("mixed"))
    with client.producer() as producer:
        producer.send_batch(name("mixed"), [b'{"a": 1}', b"{", b'{"a": 3}'])
    formats: dict[str, Any] = {"value": "json", "schema": {"a": "int64"}, "unnest": True}
    with pytest.raises(hw.DecodeError) as caught:
        topic.scan(**formats).to_polars()
    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (name("mixed"), 0, 1)
    assert topic.scan(**formats, on_error="null").to_polars()["a"].to_list() == [1, None, 3]
    assert topic.scan(**formats, on_error="skip").to_polars()["offset"].to_list() == [0, 2]


def test_a_limit_ends_the_reading(wide: hw.Topic) -> None:
    expected = [(partition, offset) for partition in range(4) for offset in range(100)][:150]
    scan = wide.scan(limit=150, columns=["partition", "offset"])
    assert scan.to_polars().rows() == expected
    assert scan.to_polars(lazy=True).collect().rows() == expected
    assert scan.to_arrow().num_rows == scan.to_pandas().shape[0] == scan.to_reader().read_all().num_rows == 150
    assert pa.table(scan).num_rows == scan.count() == sum(map(len, scan)) == 150
    connection: Any = duckdb.connect()
    assert connection.sql("select count(*) from scan").fetchall() == [(150,)]
    assert "150" in scan.explain()
    assert wide.scan(limit=0).to_polars().height == 0
    assert wide.scan(limit=10**6).count() == 400
    assert wide.scan(start=98, limit=3).to_polars()["offset"].to_list() == [98, 99, 98]


def test_a_limit_counts_records_before_a_query(wide: hw.Topic) -> None:
    eager, lazy = wide.scan(limit=150).to_polars(), wide.scan(limit=150).to_polars(lazy=True)
    for query in [pl.col("partition") == 1, pl.col("offset") >= 40, pl.col("timestamp") < at(0.3), pl.col("partition") == 3]:
        assert lazy.filter(query).collect().equals(eager.filter(query)), query
        assert lazy.filter(query).select("value").head(7).collect().equals(eager.filter(query).select("value").head(7)), query
    assert lazy.head(200).collect().height == 150
    assert lazy.head(20).filter(pl.col("offset") >= 15).collect().height == 5


def test_a_limit_counts_records_that_decode(client: hw.Client) -> None:
    topic = client.create_topic(name("mixed"))
    with client.producer() as producer:
        producer.send_batch(name("mixed"), [b"{", b'{"a": 1}', b"{", b'{"a": 2}', b'{"a": 3}'])
    scan = topic.scan(value="json", schema={"a": "int64"}, unnest=True, on_error="skip", limit=2)
    assert scan.to_polars()["a"].to_list() == [1, 2]


def test_progress_counts_up_to_the_limit(wide: hw.Topic) -> None:
    told: list[tuple[int, int]] = []
    wide.scan(limit=150, progress=lambda done, total: told.append((done, total))).to_arrow()
    assert {total for _, total in told} == {150}
    assert told[-1] == (150, 150)


def test_a_negative_limit_is_refused(wide: hw.Topic) -> None:
    with pytest.raises(hw.InvalidArgumentError, match="limit is -1: use a number that is not negative"):
        wide.scan(limit=-1)


def test_progress_is_reported_to_the_end(wide: hw.Topic) -> None:
    told: list[tuple[int, int]] = []
    wide.scan(progress=lambda done, total: told.append((done, total))).to_arrow()
    assert told[-1] == (400, 400)
    assert told == sorted(told)


def test_an_error_in_progress_stops_the_scan(wide: hw.Topic) -> None:
    def fail(_done: int, _total: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        wide.scan(progress=fail).to_polars()


def test_explain_describes_the_read(wide: hw.Topic) -> None:
    text = wide.scan(start=10, columns=["offset"]).explain()
    assert name("wide") in text


def test_a_lazy_frame_has_the_results_of_the_eager_one(wide: hw.Topic) -> None:
    eager, lazy = wide.scan().to_polars(), wide.scan().to_polars(lazy=True)
    assert lazy.collect_schema() == eager.schema
    queries = [
        pl.col("offset") >= 90,
        pl.col("offset").is_between(10, 12),
        pl.col("offset") < 3,
        (pl.col("partition") == 2) & (pl.col("offset") == 7),
        pl.col("partition").is_in([0, 3]) & (pl.col("offset") > 97),
        (pl.col("partition") == 1) | (pl.col("offset") == 5),
        pl.col("timestamp") >= at(0.95),
        (pl.col("timestamp") > at(0.5)) & (pl.col("timestamp") <= at(0.52)),
        pl.col("offset") > 1_000,
        pl.lit(3) > pl.col("offset"),
        pl.col("value").bin.size() > 14,
    ]
    for query in queries:
        expected = eager.filter(query)
        found = lazy.filter(query).collect()
        assert found.sort("partition", "offset").equals(expected.sort("partition", "offset")), query
        columns = lazy.filter(query).select("value").collect()
        assert len(columns) == len(expected), query
    assert lazy.head(7).collect().equals(eager.head(7))
    assert lazy.filter(pl.col("offset") > 5).head(3).collect().height == 3
    assert lazy.select(pl.len()).collect().item() == 400


@pytest.mark.embedded("asks no broker")
def test_bounds_are_taken_from_filters() -> None:
    offset, partition, time = pl.col("offset"), pl.col("partition"), pl.col("timestamp")
    assert bounds((offset >= 5) & (offset < 9)).offsets == (5, 9)
    assert bounds((offset > 5) & (offset <= 9) & (offset > 6)).offsets == (7, 10)
    assert bounds(offset == 4).offsets == (4, 5)
    assert bounds(pl.lit(4) <= offset).offsets == (4, None)
    assert bounds(offset.is_between(2, 5, closed="right")).offsets == (3, 6)
    assert bounds(partition == 1).partitions == [1]
    assert bounds(partition.is_in([3, 1]) & partition.is_in([1, 2])).partitions == [1]
    assert bounds(time >= at(1.5)).timestamps == (1500, None)
    assert bounds(time < datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)).timestamps == (None, 1001)
    assert bounds(time > datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)).timestamps == (1001, None)


@pytest.mark.embedded("asks no broker")
def test_unsupported_filters_set_no_bounds() -> None:
    offset = pl.col("offset")
    for query in [
        (offset >= 5) | (pl.col("partition") == 1),
        ~(offset >= 5),
        offset + 1 > 5,
        offset > pl.col("partition"),
        offset > 1.5,
    ]:
        found = bounds(query)
        assert (found.offsets, found.timestamps, found.partitions) == ((None, None), (None, None), None), query


def test_pushed_down_bounds_read_less(wide: hw.Topic) -> None:
    narrowed = wide.scan()._narrow(offsets=(90, None), partitions=[2])
    assert narrowed.count() == 10
    assert wide.scan(start=95)._narrow(offsets=(90, None)).count() == 20
    assert wide.scan(end=50)._narrow(offsets=(90, None)).count() == 0
    assert wide.scan()._narrow(limit=3).to_arrow().num_rows == 3
