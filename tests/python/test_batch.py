"""Batches and messages."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

import headwater as hw
from tests.python.names import name

if TYPE_CHECKING:
    from typing import Any


def test_a_batch_is_a_list_of_messages(flights: hw.Topic) -> None:
    batch = flights.head(3)
    assert len(batch) == 3
    assert batch
    assert batch.columns == ["partition", "offset", "timestamp", "key", "value", "headers"]
    assert batch.next_offsets == {(name("flights"), 0): 3}
    assert [message.value for message in batch] == [b"v0", b"v1", b"v2"]
    assert [message.value for message in batch] == [b"v0", b"v1", b"v2"]
    assert repr(batch).startswith("Batch(3 records)\n")


def test_a_message_has_attributes_that_cannot_be_changed(flights: hw.Topic) -> None:
    message = next(iter(flights.tail(1)))
    assert (message.topic, message.partition, message.offset) == (name("flights"), 0, 9)
    assert (message.key, message.value, message.headers) == (b"k0", b"v9", [])
    assert message.timestamp_ms == 9000
    assert message.timestamp == datetime(1970, 1, 1, 0, 0, 9, tzinfo=timezone.utc)
    assert message.topic is message.topic
    assert repr(message) == f"Message(topic='{flights.name}', partition=0, offset=9, timestamp_ms=9000, key=b'k0', value=b'v9')"
    with pytest.raises(AttributeError):
        message.value = b""  # type: ignore[misc]


@pytest.mark.parametrize("timestamp_ms", [253_402_300_800_000, 2**63 - 1])
def test_a_time_that_datetime_cannot_hold_is_read_as_milliseconds(client: hw.Client, timestamp_ms: int) -> None:
    with client.producer() as producer:
        topic = client.create_topic(name("t"), config={"message.timestamp.after.max.ms": 2**63 - 1})
        producer.send(name("t"), b"v", timestamp=timestamp_ms).result()
        message = next(iter(topic.head(1)))
        assert message.timestamp_ms == timestamp_ms
        with pytest.raises(OverflowError, match=rf"The timestamp {timestamp_ms} is outside .* read timestamp_ms"):
            _ = message.timestamp


def test_messages_outlive_their_batch_and_their_client(client: hw.Client) -> None:
    with client, client.producer() as producer:
        topic = client.create_topic(name("t"))
        producer.send(name("t"), b"x" * 100).result()
        message = next(iter(topic.head()))
    assert message.value == b"x" * 100


def test_a_column_that_was_not_read_is_an_error_with_its_name(flights: hw.Topic) -> None:
    message = next(iter(flights.head(1, columns=["offset"])))
    assert message.offset == 0
    with pytest.raises(AttributeError, match="value"):
        _ = message.value


def test_values_become_python_objects(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send(
            name("t"),
            b'{"i": 1, "f": 1.5, "s": "a", "b": true, "n": null, "l": [1, 2], "o": {"x": "y"}, "t": "2013-01-01T00:00:00Z"}',
        )
    schema: dict[str, Any] = {
        "i": "int8",
        "f": "float64",
        "s": "string",
        "b": "bool",
        "n": "int64",
        "l": ["int64"],
        "o": {"x": "string"},
    }
    expected = {"i": 1, "f": 1.5, "s": "a", "b": True, "n": None, "l": [1, 2], "o": {"x": "y"}}
    assert next(iter(topic.head(value="json", schema=schema))).value == expected
    unnested = next(iter(topic.head(value="json", schema=schema, unnest=True)))
    assert unnested.value == expected
    times = {"t": "timestamp[ms, UTC]"}
    assert next(iter(topic.head(value="json", schema=times))).value == {"t": datetime(2013, 1, 1, tzinfo=timezone.utc)}


def test_a_batch_is_decoded_later(client: hw.Client) -> None:
    client.create_topic(name("t"), partitions=2)
    with client.producer() as producer:
        producer.send(name("t"), b'{"a": 1}', key=b"k", partition=0)
        producer.send(name("t"), b"{", partition=1)
        producer.send(name("t"), b'{"a": 3}', partition=1)
    batch = client[name("t")].head()
    with pytest.raises(hw.DecodeError) as caught:
        batch.decode(value="json", schema={"a": "int64"})
    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (name("t"), 1, 0)
    nulls = batch.decode(key="string", value="json", schema={"a": "int64"}, unnest=True, on_error="null")
    assert nulls.columns == ["partition", "offset", "timestamp", "key", "a", "headers"]
    assert nulls.to_polars().select("partition", "offset", "key", "a").rows() == [
        (0, 0, "k", 1),
        (1, 0, None, None),
        (1, 1, None, 3),
    ]
    skipped = batch.decode(value="json", schema={"a": "int64"}, on_error="skip")
    assert [(message.partition, message.offset, message.value) for message in skipped] == [
        (0, 0, {"a": 1}),
        (1, 1, {"a": 3}),
    ]
    assert skipped.next_offsets == batch.next_offsets
    with pytest.raises(hw.InvalidArgumentError, match="already decoded"):
        skipped.decode(value="json")


def test_messages_that_are_kept_stay_unchanged(client: hw.Client) -> None:
    count = 1_000
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send_batch(name("t"), [f"{n}" for n in range(count)])
    batch = topic.head(count, value="string")
    assert [message.value for message in list(batch)] == [f"{n}" for n in range(count)]
    kept = [message for message in batch if message.offset % 3 == 0]
    assert [message.offset for message in kept] == list(range(0, count, 3))
    pairs = zip(batch, batch, strict=True)
    assert all(one.offset == other.offset and one is not other for one, other in pairs)
    messages = iter(batch)
    first, second, third = next(messages), next(messages), next(messages)
    assert (first.offset, second.offset, third.offset) == (0, 1, 2)
    with client.consumer(name("t"), auto_offset_reset="earliest") as consumer:
        some = [next(consumer) for _ in range(count)]
        assert [message.offset for message in some] == list(range(count))
