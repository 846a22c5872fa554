"""Consuming: assignment, position, batches, messages."""

from __future__ import annotations

import gc
import json
import pickle
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import headwater as hw
from tests.python.names import name, place

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def consumer(client: hw.Client, flights: hw.Topic) -> Iterator[hw.Consumer]:
    with client.consumer(flights.name, auto_offset_reset="earliest") as consumer:
        yield consumer


def offsets(batch: hw.Batch) -> list[int]:
    return [message.offset for message in batch]


def test_poll_hands_records_out_once(consumer: hw.Consumer) -> None:
    assert offsets(consumer.poll(max_records=4)) == [0, 1, 2, 3]
    assert offsets(consumer.poll()) == [4, 5, 6, 7, 8, 9]
    empty = consumer.poll(timeout=0)
    assert isinstance(empty, hw.Batch)
    assert not empty
    assert len(empty) == 0


def test_the_default_start_is_the_end(client: hw.Client, flights: hw.Topic) -> None:
    with client.consumer(flights.name) as consumer, client.producer() as producer:
        assert not consumer.poll(timeout=0)
        producer.send(name("flights"), b"new").result()
        assert [message.value for message in consumer.poll()] == [b"new"]


def test_poll_waits_for_new_records(client: hw.Client, consumer: hw.Consumer) -> None:
    consumer.seek("latest")
    timer = threading.Timer(0.1, lambda: client.producer().send(name("flights"), b"new").result())
    timer.start()
    started = time.monotonic()
    batch = consumer.poll(timeout=10)
    assert [message.value for message in batch] == [b"new"]
    assert time.monotonic() - started < 5
    timer.join()


def test_positions_move_and_lag_shrinks(consumer: hw.Consumer) -> None:
    assert consumer.position() == {place(0): 0}
    assert consumer.lag() == {place(0): 10}
    batch = consumer.poll(max_records=4)
    assert consumer.position() == {place(0): 4} == batch.next_offsets
    assert consumer.lag() == {place(0): 6}


def test_seek_goes_to_any_position(consumer: hw.Consumer) -> None:
    consumer.seek(7)
    assert offsets(consumer.poll()) == [7, 8, 9]
    consumer.seek("earliest")
    assert consumer.position() == {place(0): 0}
    consumer.seek({place(0): 9})
    assert offsets(consumer.poll()) == [9]
    consumer.seek("1970-01-01T00:00:05Z", partitions=[place(0)])
    assert offsets(consumer.poll(max_records=1)) == [5]
    consumer.seek("latest")
    assert consumer.position() == {place(0): 10}


def test_a_batch_has_the_next_offsets(consumer: hw.Consumer, flights: hw.Topic) -> None:
    batch = consumer.poll(max_records=3)
    consumer.seek("latest")
    consumer.seek(batch.next_offsets)
    assert offsets(consumer.poll(max_records=1)) == [3]
    assert flights.scan(start=batch.next_offsets).count() == 7


def test_paused_partitions_are_not_read(consumer: hw.Consumer) -> None:
    consumer.pause([place(0)])
    assert consumer.paused() == [place(0)]
    assert not consumer.poll(timeout=0.05)
    consumer.resume()
    assert consumer.paused() == []
    assert len(consumer.poll()) == 10


def test_assign_takes_explicit_partitions(client: hw.Client) -> None:
    client.create_topic(name("wide"), partitions=3)
    with client.producer() as producer:
        for partition in range(3):
            producer.send(name("wide"), f"{partition}", partition=partition)
    with client.consumer(auto_offset_reset="earliest") as consumer:
        consumer.assign([(name("wide"), 1), (name("wide"), 2)])
        assert consumer.assignment() == [(name("wide"), 1), (name("wide"), 2)]
        seen: list[bytes] = []
        while len(seen) < 2:
            seen += [message.value for message in consumer.poll()]
        assert sorted(seen) == [b"1", b"2"]
        consumer.assign([(name("wide"), 0), (name("wide"), 1)])
        assert [message.value for message in consumer.poll()] == [b"0"]


def test_several_topics_are_distinguished(client: hw.Client) -> None:
    with client.producer() as producer:
        for topic in (name("a"), name("b")):
            client.create_topic(topic)
            producer.send(topic, topic)
    with client.consumer([name("a"), name("b")], auto_offset_reset="earliest") as consumer:
        seen: dict[str, bytes] = {}
        while len(seen) < 2:
            for message in consumer.poll():
                seen[message.topic] = message.value
    assert seen == {topic: topic.encode() for topic in (name("a"), name("b"))}


def test_batches_end_at_the_end(consumer: hw.Consumer) -> None:
    assert [len(batch) for batch in consumer.batches(max_records=4, until="end")] == [4, 4, 2]


def test_iterating_yields_each_message_once_whatever_is_in_between(consumer: hw.Consumer) -> None:
    seen = [next(consumer).offset for _ in range(3)]
    assert consumer.position() == {place(0): 3}
    assert consumer.lag() == {place(0): 7}
    seen += offsets(consumer.poll(max_records=2))
    assert consumer.position() == {place(0): 5}
    seen += [next(consumer).offset]
    consumer.assign([place(0)])
    seen += [next(consumer).offset]
    consumer.pause()
    consumer.resume()
    for batch in consumer.batches(until="end"):
        seen += offsets(batch)
    assert seen == list(range(10))


def test_formats_are_those_of_a_scan(client: hw.Client, flights: hw.Topic) -> None:
    with client.consumer(flights.name, key="string", value="string", auto_offset_reset="earliest") as consumer:
        message = next(iter(consumer))
        assert (message.key, message.value) == ("k0", "v0")


def test_two_threads_may_not_share_a_consumer(consumer: hw.Consumer) -> None:
    consumer.seek("latest")
    thread = threading.Thread(target=lambda: consumer.poll(timeout=0.5))
    thread.start()
    time.sleep(0.1)
    with pytest.raises(hw.InvalidArgumentError, match="thread"):
        consumer.poll(timeout=0)
    thread.join()


def test_an_offset_out_of_range_is_an_error_without_a_reset_rule(client: hw.Client, flights: hw.Topic) -> None:
    client.delete_records(name("flights"), 5)
    with client.consumer(flights.name, auto_offset_reset="none") as consumer:
        consumer.seek(2)
        with pytest.raises(hw.OffsetOutOfRangeError) as caught:
            consumer.poll()
        assert caught.value.code == "OFFSET_OUT_OF_RANGE"
        consumer.seek(5)
        assert offsets(consumer.poll()) == [5, 6, 7, 8, 9]


def test_a_closed_consumer_reads_nothing(client: hw.Client, flights: hw.Topic) -> None:
    consumer = client.consumer(flights.name)
    consumer.close()
    consumer.close()
    with pytest.raises(hw.ClosedError, match="consumer"):
        consumer.poll(timeout=0)


def test_records_fetched_ahead_are_neither_lost_nor_repeated(client: hw.Client) -> None:
    count = 200_000
    topic = client.create_topic(name("many"))
    with client.producer() as producer:
        producer.send_batch(name("many"), (f"{n}" for n in range(count)))
    partition = (name("many"), 0)
    with client.consumer(topic.name, auto_offset_reset="earliest") as consumer:
        seen = [next(consumer).offset for _ in range(10)]
        time.sleep(0.05)
        assert consumer.position() == {partition: 10}
        assert consumer.lag() == {partition: count - 10}
        seen += [next(consumer).offset for _ in range(70_000)]
        seen += offsets(consumer.poll(max_records=5))
        consumer.pause()
        assert not consumer.poll(timeout=0)
        consumer.resume()
        seen += [next(consumer).offset for _ in range(70_000)]
        consumer.assign([partition])
        for batch in consumer.batches(until="end"):
            seen += offsets(batch)
        assert seen == list(range(count))
        consumer.seek("earliest")
        assert next(consumer).offset == 0
    # A consumer that is dropped during a fetch releases its engine.
    abandoned = client.consumer(topic.name)
    abandoned.seek("earliest")
    next(abandoned)
    del abandoned


def test_each_stream_to_the_end_reads_the_records_since_the_last(client: hw.Client) -> None:
    topic = client.create_topic(name("growing"))
    producer = client.producer()
    with client.consumer(topic.name, auto_offset_reset="earliest") as consumer:
        for count in (20_000, 10, 30_000):
            producer.send_batch(name("growing"), [b"x"] * count)
            first = next(iter(consumer.batches(until="end", max_records=8_000)))
            rest = list(consumer.batches(until="end", max_records=8_000))
            assert len(first) + sum(map(len, rest)) == count
            assert not consumer.poll(timeout=0)
    producer.close()


def test_each_iterator_has_its_own_end(client: hw.Client) -> None:
    client.create_topic(name("growing"))
    producer = client.producer()
    producer.send_batch(name("growing"), [b"x"] * 20_000)
    with client.consumer(name("growing"), auto_offset_reset="earliest") as consumer:
        early = consumer.batches(until="end", max_records=8_000)
        assert len(next(early)) == 8_000
        producer.send_batch(name("growing"), [b"x"] * 5_000)
        consumer.seek(0)
        late = consumer.batches(until="end", max_records=8_000)
        assert [len(batch) for batch in (next(late), next(early), next(late))] == [8_000, 8_000, 8_000]
        assert list(early) == []
        assert sum(map(len, late)) == 1_000
        assert list(consumer.batches(until="end")) == []
    producer.close()


@pytest.mark.parametrize(
    "limits",
    [{"max_records": 0}, {"max_bytes": 0}, {"max_records": -1}, {"max_bytes": -1}, {"max_wait": -1}],
)
def test_limits_of_zero_are_refused(consumer: hw.Consumer, limits: dict[str, int]) -> None:
    with pytest.raises(hw.InvalidArgumentError, match=next(iter(limits))):
        consumer.batches(**limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("records", [0, -1])
def test_a_poll_for_no_record_is_refused(consumer: hw.Consumer, records: int) -> None:
    with pytest.raises(hw.InvalidArgumentError, match="max_records"):
        consumer.poll(max_records=records)


def test_without_a_rule_the_caller_sets_the_start(client: hw.Client, flights: hw.Topic) -> None:
    with client.consumer(flights.name, auto_offset_reset="none") as consumer:
        with pytest.raises(hw.OffsetOutOfRangeError, match="Seek"):
            consumer.poll(timeout=0)
        with pytest.raises(hw.OffsetOutOfRangeError):
            next(consumer)
        with pytest.raises(hw.OffsetOutOfRangeError):
            consumer.position()
        consumer.seek(3)
        assert next(consumer).offset == 3


def test_added_partitions_are_read(client: hw.Client) -> None:
    client.create_topic(name("wide"))
    with client.consumer(name("wide")) as consumer, client.producer() as producer:
        assert not consumer.poll(timeout=0)
        client.alter_topic(name("wide"), partitions=3)
        for partition in range(3):
            producer.send(name("wide"), f"{partition}", partition=partition).result()
        assert consumer.lag() == {(name("wide"), partition): 1 for partition in range(3)}
        seen = [message.value for batch in consumer.batches(until="end") for message in batch]
        assert sorted(seen) == [b"0", b"1", b"2"]


def reading(consumer: hw.Consumer, how: str) -> object:
    match how:
        case "poll":
            return consumer.poll(timeout=60)
        case "messages":
            return next(consumer)
        case _:
            return next(consumer.batches())


@pytest.mark.parametrize("how", ["poll", "messages", "batches"])
@pytest.mark.parametrize(
    ("end", "expected"),
    [("wakeup", hw.WakeupError), ("close", hw.ClosedError), ("client.close", hw.ClosedError)],
)
def test_a_waiting_reader_is_ended_from_another_thread(
    client: hw.Client, flights: hw.Topic, how: str, end: str, expected: type[hw.HeadwaterError]
) -> None:
    consumer = client.consumer(flights.name, fetch_max_wait_ms=60_000)
    ends = {"wakeup": consumer.wakeup, "close": consumer.close, "client.close": client.close}
    timer = threading.Timer(0.1, ends[end])
    timer.start()
    started = time.monotonic()
    with pytest.raises(expected):
        reading(consumer, how)
    assert time.monotonic() - started < 30
    timer.join()
    if end != "wakeup":
        with pytest.raises(hw.ClosedError):
            reading(consumer, how)


@pytest.mark.parametrize("how", ["poll", "messages", "batches"])
def test_a_reader_that_was_woken_reads_elsewhere_at_once(client: hw.Client, flights: hw.Topic, how: str) -> None:
    with client.consumer(flights.name, fetch_max_wait_ms=60_000) as consumer:
        timer = threading.Timer(0.1, consumer.wakeup)
        timer.start()
        with pytest.raises(hw.WakeupError):
            reading(consumer, how)
        timer.join()
        consumer.seek("earliest")
        assert len(consumer.poll()) == 10, "one fetch waits, and no other is sent"


def test_a_wakeup_is_not_lost_between_two_calls(consumer: hw.Consumer) -> None:
    assert next(consumer).offset == 0
    consumer.wakeup()
    with pytest.raises(hw.WakeupError):
        next(consumer)
    assert next(consumer).offset == 1


def test_a_signal_handler_may_wake_but_not_close(consumer: hw.Consumer) -> None:
    consumer.seek("latest")
    errors: list[Exception] = []

    def handle(*_: object) -> None:
        try:
            consumer.close()
        except hw.InvalidArgumentError as error:
            errors.append(error)
        consumer.wakeup()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        threading.Timer(0.1, signal.raise_signal, [signal.SIGUSR1]).start()
        with pytest.raises(hw.WakeupError):
            consumer.poll(timeout=60)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert "wakeup" in str(errors[0])


class Owner:
    """An object that must be freed: it owns a consumer or a scan, and calls its own method."""

    def __init__(self, client: hw.Client, topic: hw.Topic, kind: str) -> None:
        self.held: object
        if kind.startswith("scan"):
            scan = topic.scan(progress=self.told)
            self.held = iter(scan) if "iterator" in kind else scan
        else:
            consumer = client.consumer(group_id=name("g"))
            consumer.subscribe(topic.name, on_assign=self.told, on_lost=self.told)
            self.held = consumer.batches() if kind == "batches" else consumer

    def told(self, *_: object) -> None: ...


@pytest.mark.parametrize("kind", ["consumer", "batches", "scan", "scan iterator"])
def test_the_garbage_collector_frees_cycles(client: hw.Client, flights: hw.Topic, kind: str) -> None:
    owner = weakref.ref(Owner(client, flights, kind))
    gc.collect()
    assert owner() is None


JSON_VALUES = [
    b"{}",
    b'{"a": 1}',
    b'{"a": 1.5}',
    b'{"a": "x", "b": {"c": []}}',
    b'{"a": 12345678901234567890123}',
    b"[1, {}]",
    b'"text"',
    b"7",
    b"null",
    b'{"a": 1, "a": 2}',
    '{"ä": "\\u00e4\\n"}'.encode(),
]


@pytest.mark.parametrize("at_a_time", [1, 3, 100])
def test_a_message_of_json_equals_the_result_of_json_loads(client: hw.Client, at_a_time: int) -> None:
    topic = client.create_topic(name("json"))
    with client.producer() as producer:
        producer.send_batch(name("json"), JSON_VALUES)
        producer.send(name("json"), None, key=b'{"id": 1}')
    expected = [json.loads(value) for value in JSON_VALUES] + [None]
    with client.consumer(topic.name, key="json", value="json", auto_offset_reset="earliest") as consumer:
        polled: list[Any] = []
        while len(polled) < len(expected):
            polled += [(message.key, message.value) for message in consumer.poll(max_records=at_a_time)]
        assert polled == [*((None, value) for value in expected[:-1]), ({"id": 1}, None)]
        consumer.seek("earliest")
        assert [next(consumer).value for _ in expected] == expected
        consumer.seek("earliest")
        batches = list(consumer.batches(max_records=at_a_time, until="end"))
        assert [message.value for batch in batches for message in batch] == expected
    assert [message.value for message in topic.head(100, value="json")] == expected
    assert [message.value for message in topic.head(100).decode(value="json")] == expected


def test_each_batch_of_json_is_inferred_for_itself_and_loses_no_key(client: hw.Client) -> None:
    topic = client.create_topic(name("json"))
    with client.producer() as producer:
        producer.send_batch(name("json"), [b"{}", b'{"a": 1}', b'{"a": 1.5, "b": []}', *[b'{"c": 1}'] * 20_000, b'{"late": true}'])
    with client.consumer(topic.name, value="json", unnest=True, auto_offset_reset="earliest") as consumer:
        assert consumer.poll(max_records=1).columns == ["partition", "offset", "timestamp", "key", "headers"]
        assert consumer.poll(max_records=2).to_polars().schema["a"] == pl.Float64
        columns = set()
        for batch in consumer.batches(until="end"):
            columns.update(batch.columns)
            assert {"c", "late"} >= set(batch.columns) - {"partition", "offset", "timestamp", "key", "headers"}
        assert "late" in columns
    rows = topic.head(30_000).decode(value="json", unnest=True).to_polars()
    assert rows["late"].drop_nulls().to_list() == [True]


def test_a_decode_error_comes_after_earlier_records_and_can_be_passed(client: hw.Client) -> None:
    topic = client.create_topic(name("json"))
    with client.producer() as producer:
        for value in (b'{"a": 1}', b"no json", b'{"a": 3}'):
            producer.send(name("json"), value, key=b"k")
    with client.consumer(topic.name, value="json", auto_offset_reset="earliest") as consumer:
        assert [message.value for message in consumer.poll()] == [{"a": 1}]
        for read in (consumer.poll, consumer.poll, lambda: next(consumer), lambda: next(iter(consumer.batches()))):
            with pytest.raises(hw.DecodeError) as caught:
                read()
            error = caught.value
            assert (error.topic, error.partition, error.offset) == (name("json"), 0, 1)
            assert (error.key, error.value) == (b"k", b"no json")
        consumer.seek({(error.topic, error.partition): error.offset + 1})
        assert [message.value for message in consumer.poll()] == [{"a": 3}]
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.value, copy.offset, str(copy)) == (error.value, 1, str(error))
