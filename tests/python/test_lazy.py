"""A lazy frame has the same results as the eager one: random queries on random topics, and former bugs.

``HEADWATER_SEED=7 pytest tests/python/test_lazy.py -k random`` runs the cases of one seed,
``HEADWATER_SECONDS=600`` runs for longer.
"""

from __future__ import annotations

import os
import random
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import headwater as hw
from tests.python.names import name
from tests.python.random_queries import Query, query
from tests.python.random_topics import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Engine: TypeAlias = Literal["in-memory", "streaming"]
ENGINES: tuple[Engine, ...] = ("in-memory", "streaming")
SECONDS = float(os.environ.get("HEADWATER_SECONDS", "40"))
QUERIES_EACH = 30


@pytest.fixture
def cleaning_client(make_client: Callable[..., hw.Client]) -> hw.Client:
    """A client of a broker that compacts at once."""
    return make_client(log_cleaner_backoff_ms=10, log_flush_scheduler_interval_ms=10)


def seeds() -> Iterator[int]:
    """The given seed; otherwise consecutive seeds from a random one on, until the time is over."""
    given = os.environ.get("HEADWATER_SEED")
    if given is not None:
        yield int(given)
        return
    seed = random.SystemRandom().randrange(10**9)
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        yield seed
        seed += 1


def test_random_queries_have_the_same_result_as_on_the_eager_frame(cleaning_client: hw.Client) -> None:
    cases = 0
    for seed in seeds():
        try:
            cases += compare(cleaning_client, seed)
        except BaseException as error:
            message = f"HEADWATER_SEED={seed} reproduces this: {error}"
            raise AssertionError(message) from error
    print(f"{cases} cases")
    assert cases > 0


def compare(client: hw.Client, seed: int) -> int:
    """Compare the queries of one seed; return how many cases there were."""
    made = make(client, seed)
    chance = random.Random(seed)
    scan = made.topic.scan(**made.formats)
    eager, lazy = scan.to_polars(), scan.to_polars(lazy=True)
    assert lazy.collect_schema() == eager.schema, made.formats
    assert scan.count() == eager.height, made.formats
    cases = compare_columns(made.topic, made.formats, eager, chance) + compare_tail(made.topic, made.formats, eager, chance)
    for _ in range(QUERIES_EACH):
        asked = query(chance, eager.schema)
        for engine in ENGINES:
            try:
                compare_query(asked, eager, lazy, engine)
            except BaseException as error:
                message = f"{made.formats} {engine} {asked}\n{type(error).__name__}: {error}"
                raise AssertionError(message) from error
            cases += 1
    cases += compare_duckdb(scan, eager, chance)
    client.delete_topic(made.topic.name)
    return cases


def compare_query(asked: Query, eager: pl.DataFrame, lazy: pl.LazyFrame, engine: Engine) -> None:
    """The lazy frame has the result of the frame, or of the frame's own lazy frame where Polars' engine differs."""
    try:
        expected = asked.of(eager)
    except pl.exceptions.PolarsError:
        return
    try:
        assert_frame_equal(asked.of(lazy).collect(engine=engine), expected, check_row_order=asked.is_ordered)
    except Exception:
        try:
            own = asked.of(eager.lazy()).collect(engine=engine)
        except pl.exceptions.PolarsError:
            return
        if own.equals(expected):
            raise
        assert_frame_equal(asked.of(lazy).collect(engine=engine), own, check_row_order=asked.is_ordered)


def compare_columns(topic: hw.Topic, formats: dict[str, Any], eager: pl.DataFrame, chance: random.Random) -> int:
    """``columns=`` returns the columns of the frame with these names."""
    chosen = sorted(chance.sample(eager.columns, chance.randint(1, len(eager.columns))), key=eager.columns.index)
    scan = topic.scan(**formats, columns=chosen)
    assert_frame_equal(scan.to_polars(), eager.select(chosen))
    assert scan.count() == eager.height, (formats, chosen)
    return 1


def compare_tail(topic: hw.Topic, formats: dict[str, Any], eager: pl.DataFrame, chance: random.Random) -> int:
    """The tail has the requested number of rows, which are the last ones of their partitions."""
    if "schema" not in formats and {"infer_records", "rest"} & formats.keys():
        return 0  # A tail infers from its own records, and loses no field: it may skip others.
    count = chance.randint(0, 20)
    places = [(message.partition, message.offset) for message in topic.tail(count, **formats)]
    assert len(places) == min(count, eager.height), (formats, count)
    known = eager.select("partition", "offset").rows()
    for partition in {partition for partition, _ in places}:
        of_partition = [place for place in places if place[0] == partition]
        assert of_partition == [place for place in known if place[0] == partition][-len(of_partition) :], (formats, count)
    return 1


def compare_duckdb(scan: hw.Scan, eager: pl.DataFrame, chance: random.Random) -> int:
    """DuckDB gets the same result from the scan as from the frame."""
    connection = duckdb.connect()
    conditions = [
        f'"offset" >= {chance.randint(0, 100)}',
        f'"partition" in ({chance.randint(0, 2)}, 7)',
        f"epoch_ms(timestamp) < {chance.randint(0, 7_000)}",
        f'"offset" % {chance.randint(1, 5)} = 0',
        "key is null",
        "true",
    ]
    condition = " and ".join(chance.sample(conditions, chance.randint(1, 3)))
    for asked in ('count(*), sum("offset"), max("partition")', '"partition", "offset", epoch_ms(timestamp), key', "count(*)"):
        sql = f"select {asked} from {{}} where {condition} order by all"
        rows, frame = scan, eager
        found = connection.execute(sql.format("rows")).fetchall()
        assert found == connection.execute(sql.format("frame")).fetchall(), sql
        assert rows is scan
        assert frame is eager
    return 3


@pytest.fixture
def hundred(client: hw.Client) -> hw.Topic:
    """A topic of two partitions with fifty records each. A value is JSON with the offset, a timestamp is the offset in
    seconds.
    """
    topic = client.create_topic(name("hundred"), partitions=2)
    with client.producer() as producer:
        for number in range(100):
            offset, key = number // 2, None if number % 3 else b"k"
            producer.send(name("hundred"), f'{{"n": {offset}}}', key=key, partition=number % 2, timestamp=offset * 1_000)
    return topic


def filtered(condition: pl.Expr) -> Callable[[Any], Any]:
    """Return the query that filters by a condition."""
    return lambda frame: frame.filter(condition)


def same(scan: hw.Scan, asked: Callable[[Any], Any]) -> None:
    """Compare the result of a query in both engines with that of the frame."""
    expected = asked(scan.to_polars())
    for engine in ENGINES:
        assert_frame_equal(asked(scan.to_polars(lazy=True)).collect(engine=engine), expected)


def test_rows_are_taken_before_they_are_filtered(hundred: hw.Topic) -> None:
    offset = pl.col("offset")
    for asked in (
        lambda frame: frame.head(50).filter(offset >= 40),
        lambda frame: frame.limit(50).filter(offset >= 40).head(3),
        lambda frame: frame.slice(30, 40).filter(offset < 10),
        lambda frame: frame.filter(offset >= 40).head(3),
        lambda frame: frame.filter(offset >= 40).head(3).filter(offset > 40),
    ):
        same(hundred.scan(), asked)


def test_an_inner_row_limit_is_kept(hundred: hw.Topic) -> None:
    offset = pl.col("offset")
    for asked in (
        lambda frame: frame.head(1).with_row_index().head(20).select("offset"),
        lambda frame: frame.head(10).with_row_index().head(50).select(offset.sum()),
        lambda frame: frame.slice(5, 10).with_row_index().head(50).select("offset"),
        lambda frame: frame.head(10).with_columns(offset.cum_sum().alias("sum")).slice(3, 50).select("offset"),
        lambda frame: frame.filter(offset > 3).head(10).with_row_index().head(50).select("offset"),
        lambda frame: frame.head(10).with_row_index().head(50).filter(offset > 3).select("offset"),
        lambda frame: pl.concat([frame.head(1).with_row_index().head(9).select("offset"), frame.head(2).select("offset")]),
    ):
        same(hundred.scan(), asked)
    plan = hundred.scan().to_polars(lazy=True).head(3).explain()
    assert "len: 3" in plan, "the limit is pushed down to the scan"


def test_a_frame_without_columns_keeps_its_height(hundred: hw.Topic) -> None:
    for asked in (
        lambda frame: frame.with_row_index().select(pl.len()),
        lambda frame: frame.select(pl.int_range(pl.len())),
        lambda frame: frame.filter(pl.col("offset") > 7).select(pl.int_range(pl.len())),
        lambda frame: frame.with_row_index().select("index"),
    ):
        same(hundred.scan(), asked)
    scan = hundred.scan(columns=[])
    assert scan.to_arrow().num_rows == len(scan.to_pandas()) == scan.count() == 100
    if pl.DataFrame({"a": [1]}).drop("a").height == 1:  # Frames of older versions without columns have no height.
        assert scan.to_polars().height == 100
    assert [len(batch) for batch in scan] == [100]


def test_filters_that_cannot_be_pushed_down_are_evaluated_by_polars(hundred: hw.Topic) -> None:
    offset, partition, time_of = pl.col("offset"), pl.col("partition"), pl.col("timestamp")
    far = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
    for condition in (
        (offset > 3).fill_null(value=False),
        pl.col("key").fill_null(b"none") == b"none",
        pl.when(offset > 5).then(offset < 9).otherwise(partition == 1),
        offset <= 2**63 - 1,
        offset >= -(2**63),
        offset.is_between(-1, 2**63 - 1),
        partition == 7,
        partition == 2**40,
        partition.is_in([0, 7]),
        partition.is_in([]),
        time_of < far,
        time_of > far,
        time_of >= datetime(1, 1, 1, tzinfo=timezone.utc),
        time_of >= datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=timezone.utc),
        (time_of > far) | (offset == 3),
    ):
        same(hundred.scan(), filtered(condition))
    same(hundred.scan(value="json"), lambda frame: frame.head(1))


def test_filters_may_call_python(hundred: hw.Topic) -> None:
    offset = pl.col("offset")
    for condition in (
        offset.map_batches(lambda offsets: offsets % 3 == 0, return_dtype=pl.Boolean),
        offset.map_elements(lambda number: bin(number).count("1") == 2, return_dtype=pl.Boolean) & (offset > 20),
    ):
        same(hundred.scan(), filtered(condition))


def test_skipped_records_do_not_depend_on_the_columns(client: hw.Client) -> None:
    topic = client.create_topic(name("mixed"))
    with client.producer() as producer:
        producer.send_batch(name("mixed"), [b'{"a": 1, "b": "x"}', b'{"a": 2, "b": 7}', b"{", b'{"a": 4}'])
    formats: dict[str, Any] = {"value": "json", "schema": {"a": "int64", "b": "string"}, "unnest": True, "on_error": "skip"}
    scan = topic.scan(**formats)
    assert scan.to_polars()["offset"].to_list() == [0, 3]
    for asked in (
        lambda frame: frame.select("offset"),
        lambda frame: frame.select(pl.len()),
        lambda frame: frame.select(pl.col("offset").sum()),
        lambda frame: frame.group_by("partition").agg(pl.len()),
        lambda frame: frame.select("a"),
    ):
        same(scan, asked)
    assert topic.scan(**formats, columns=["offset"]).to_polars()["offset"].to_list() == [0, 3]
    assert topic.scan(**formats, columns=["a"]).count() == 2
    assert [message.offset for message in topic.tail(2, **formats)] == [0, 3]
    assert [message.offset for message in topic.head(2, **formats)] == [0, 3]


def test_the_schema_is_fixed_when_the_frame_is_made(client: hw.Client) -> None:
    topic = client.create_topic(name("types"), partitions=2)
    with client.producer() as producer:
        producer.send(name("types"), b'{"a": 1}', partition=0)
        producer.send(name("types"), b'{"a": "1", "b": [2]}', partition=1)
        producer.flush()
        scan = topic.scan(value="json", unnest=True)
        lazy = scan.to_polars(lazy=True)
        schema = scan.to_polars().schema
        for condition in (pl.col("partition") == 0, pl.col("partition") == 1, pl.col("a") == "1"):
            same(scan, filtered(condition))
        same(scan, lambda frame: frame.head(1))
        producer.send(name("types"), b'{"a": true, "c": 1}', partition=0).result()
    for engine in ENGINES:
        found = lazy.collect(engine=engine)
        assert found.schema == schema == lazy.collect_schema()
        assert found["a"].to_list() == ["1", "true", "1"]


def test_a_field_with_the_name_of_a_record_column_has_a_prefix(client: hw.Client) -> None:
    topic = client.create_topic(name("names"))
    with client.producer() as producer:
        producer.send_batch(name("names"), [f'{{"offset": {9 - number}, "value": {number}}}'.encode() for number in range(10)])
    scan = topic.scan(columns=["partition", "value"], value="json", schema={"offset": "int64", "value": "int64"}, unnest=True)
    same(scan, lambda frame: frame.filter(pl.col("json_offset") >= 8))
    same(scan, lambda frame: frame.select("json_offset").head(2))
    same(scan, lambda frame: frame.filter(pl.col("value") == 3).select("json_offset"))


def test_times_that_go_back_lose_nothing(client: hw.Client) -> None:
    topic = client.create_topic(name("times"))
    with client.producer() as producer:
        for number in (5_000, 1_000, 9_000, 2_000):
            producer.send(name("times"), b"x", timestamp=number).result()
        client.alter_topic(name("times"), config={"message.timestamp.type": "LogAppendTime"})
        producer.send(name("times"), b"x").result()
    for moment in (1, 2, 6, 9):
        at = datetime(1970, 1, 1, 0, 0, moment, tzinfo=timezone.utc)
        for condition in (pl.col("timestamp") < at, pl.col("timestamp") >= at):
            same(topic.scan(), filtered(condition))
