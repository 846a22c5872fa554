"""Producing: records one by one, and tables."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import headwater as hw
from tests.python.names import await_true, name


def only(topic: hw.Topic) -> hw.Message:
    (message,) = topic.head()
    return message


@pytest.fixture
def topic(client: hw.Client) -> hw.Topic:
    return client.create_topic(name("t"))


@pytest.mark.parametrize("value", [b"late", "late", bytearray(b"late"), memoryview(b"late")], ids=lambda v: type(v).__name__)
def test_values_and_keys_are_anything_that_holds_bytes(client: hw.Client, topic: hw.Topic, value: Any) -> None:
    with client.producer() as producer:
        producer.send(name("t"), value, key=value, headers=[("h", value)]).result()
    message = only(topic)
    assert (message.value, message.key, message.headers) == (b"late", b"late", [("h", b"late")])


def test_null_and_empty_differ(client: hw.Client, topic: hw.Topic) -> None:
    with client.producer() as producer:
        producer.send(name("t"))
        producer.send(name("t"), b"", key=b"")
    assert [(message.key, message.value) for message in topic.head()] == [(None, None), (b"", b"")]


def test_headers_keep_their_order_and_may_repeat(client: hw.Client, topic: hw.Topic) -> None:
    headers = [("a", b"1"), ("b", None), ("a", b"2")]
    with client.producer() as producer:
        producer.send(name("t"), b"x", headers=headers).result()
        assert only(topic).headers == headers
        producer.send(name("t"), b"x", headers={"c": "3"}).result()
    assert topic.tail(1).to_polars()["headers"].to_list() == [[{"key": "c", "value": b"3"}]]


def test_a_timestamp_is_milliseconds_or_an_aware_datetime(client: hw.Client, topic: hw.Topic) -> None:
    when = datetime(2013, 7, 1, 12, 30, tzinfo=timezone.utc)
    with client.producer() as producer:
        producer.send(name("t"), b"x", timestamp=when)
        producer.send(name("t"), b"x", timestamp=int(when.timestamp() * 1000))
        before = time.time() * 1000
        producer.send(name("t"), b"x")
    first, second, now = topic.head()
    assert first.timestamp == second.timestamp == when
    assert before - 1 <= now.timestamp_ms <= time.time() * 1000


def test_keys_choose_partitions_as_java_does(client: hw.Client) -> None:
    client.create_topic(name("keyed"), partitions=10)
    with client.producer() as producer:
        # Computed with org.apache.kafka.common.utils.Utils.toPositive(murmur2(key)) % 10.
        for key, partition in {"21": 9, "foobar": 6, "abc": 7}.items():
            expected = (murmur2(key.encode()) & 0x7FFFFFFF) % 10
            assert producer.send(name("keyed"), b"", key=key).result().partition == expected, partition


def murmur2(data: bytes) -> int:
    """Return Kafka's hash of keys, in a plain implementation."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    for i in range(0, len(data) - len(data) % 4, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = (h * m ^ (k ^ k >> 24) * m) & mask
    rest = data[len(data) - len(data) % 4 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_a_future_has_what_concurrent_futures_have(client: hw.Client, topic: hw.Topic) -> None:
    called: list[int | None] = []
    done = threading.Event()
    with client.producer(linger_ms=60_000) as producer:
        future = producer.send(name("t"), b"x")
        assert not future.done()
        assert "pending" in repr(future)

        def callback(future: hw.Future) -> None:
            called.append(future.result().offset)
            done.set()

        future.add_done_callback(callback)
        assert not done.wait(0.05)
        metadata = future.result(timeout=5)
        assert future.done()
        assert future.exception() is None
        assert "done" in repr(future)
        assert done.wait(5)
        future.add_done_callback(callback)
    assert (metadata.topic, metadata.partition, metadata.offset) == (name("t"), 0, 0)
    assert metadata == future.result()
    assert only(topic).offset == 0
    assert called[0] == 0


def test_a_failed_future_raises_at_each_call(client: hw.Client) -> None:
    client.create_topic(name("small"), max_message_bytes=200)
    with client.producer() as producer:
        future = producer.send(name("small"), b"x" * 1000)
        with pytest.raises(hw.RecordTooLargeError):
            future.result()
        error = future.exception()
        assert isinstance(error, hw.RecordTooLargeError)
        assert "failed" in repr(future)
        assert producer.send(name("small"), b"fits").result().offset == 0


def test_flush_waits_for_all(client: hw.Client, topic: hw.Topic) -> None:
    producer = client.producer(linger_ms=60_000)
    futures = [producer.send(name("t"), f"{n}") for n in range(1000)]
    producer.flush(timeout=10)
    assert all(future.done() for future in futures)
    assert [future.result().offset for future in futures] == list(range(1000))
    assert len(topic) == 1000


def test_linger_sends_without_a_waiting_caller(client: hw.Client, topic: hw.Topic) -> None:
    producer = client.producer(linger_ms=1)
    future = producer.send(name("t"), b"x")
    deadline = time.monotonic() + 5
    while not future.done() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert future.done()
    assert len(topic) == 1


def test_dropped_futures_and_producers_lose_nothing(client: hw.Client, topic: hw.Topic) -> None:
    producer = client.producer(linger_ms=60_000)
    producer.send(name("t"), b"x")
    del producer
    await_true(lambda: len(topic) == 1)


def test_threads_share_a_producer(client: hw.Client, topic: hw.Topic) -> None:
    producer = client.producer()

    def send(thread: int) -> None:
        for n in range(2_000):
            producer.send(name("t"), f"{thread}:{n}")

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    producer.close()
    values = [message.value.decode().split(":") for message in topic.head(10_000)]
    assert len(values) == 8_000
    for number in range(4):
        assert [int(n) for t, n in values if int(t) == number] == list(range(2_000))


FRAME = pl.DataFrame({"carrier": ["UA", "AA", None], "delay": [12, None, 3], "time": [1000, 2000, 3000]})


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        FRAME.to_arrow(),
        FRAME.to_arrow().to_batches()[0],
        FRAME.to_pandas(use_pyarrow_extension_array=True),
        duckdb.sql("from FRAME"),
    ],
    ids=["polars", "pyarrow table", "pyarrow batch", "pandas", "duckdb"],
)
def test_tables_of_every_library_are_taken(client: hw.Client, topic: hw.Topic, table: Any) -> None:
    with client.producer() as producer:
        result = producer.send_batch(name("t"), table, key="carrier", timestamp="time")
    assert result.records == 3
    assert result.offsets == {0: [range(3)]}
    rows = [(message.key, message.timestamp_ms, message.value) for message in topic.head()]
    assert [row[:2] for row in rows] == [(b"UA", 1000), (b"AA", 2000), (None, 3000)]
    decoded = topic.scan(value="json", schema={"delay": "int64"}, unnest=True).to_polars()
    assert decoded["delay"].to_list() == [12, None, 3]


def test_a_value_column_is_sent_unchanged(client: hw.Client, topic: hw.Topic) -> None:
    frame = pl.DataFrame({"k": [b"a", b"b"], "v": [b"1", None], "p": [0, 0]})
    with client.producer() as producer:
        producer.send_batch(name("t"), frame, key="k", value="v", partition="p")
        producer.send_batch(name("t"), pa.table({"v": pa.array(["x"])}), value="v", partition=0)
    assert [(message.key, message.value) for message in topic.head()] == [(b"a", b"1"), (b"b", None), (None, b"x")]


def test_rows_are_dictionaries_bytes_or_text(client: hw.Client, topic: hw.Topic) -> None:
    def rows() -> Any:
        yield {"k": "UA", "t": 5, "h": [("a", b"1")], "delay": 12, "when": datetime(2013, 1, 1, tzinfo=timezone.utc)}
        yield {"k": None, "t": None, "h": None, "delay": 1.5, "when": None}

    with client.producer() as producer:
        producer.send_batch(name("t"), rows(), key="k", timestamp="t", headers="h")
        producer.send_batch(name("t"), [b"bytes", "text", None])
        producer.send_batch(name("t"), [{"a": "v"}], value="a")
    messages = list(topic.head(20))
    assert messages[0].value == b'{"delay":12,"when":"2013-01-01T00:00:00+00:00"}'
    assert (messages[0].key, messages[0].timestamp_ms, messages[0].headers) == (b"UA", 5, [("a", b"1")])
    assert (messages[1].key, messages[1].headers, messages[1].value) == (None, [], b'{"delay":1.5,"when":null}')
    assert [message.value for message in messages[2:]] == [b"bytes", b"text", None, b"v"]


def test_a_large_iterable_is_split_and_counted(client: hw.Client, topic: hw.Topic) -> None:
    with client.producer() as producer:
        result = producer.send_batch(name("t"), (f"{n}" for n in range(50_000)))
    assert result.records == 50_000
    assert result.offsets == {0: [range(50_000)]}
    assert result.bytes > 50_000
    assert repr(result) == f"BatchResult(records=50000, bytes={result.bytes}, 1 partition)"
    assert topic.scan(value="string").to_polars()["value"].to_list() == [f"{n}" for n in range(50_000)]


def test_numpy_numbers_in_rows_become_json_numbers(client: hw.Client, topic: hw.Topic) -> None:
    row = {"a": np.int64(1), "b": np.float32(2.5)}
    with client.producer() as producer:
        producer.send_batch(name("t"), [row])
    assert only(topic).value == b'{"a":1,"b":2.5}'
