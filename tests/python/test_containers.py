"""A client is a collection of topics, a topic has properties, and a batch is a sequence of messages."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import headwater as hw
from tests.python.names import await_true, name

PRIVATE = pytest.mark.embedded("counts the topics of its own engine")


@PRIVATE
def test_a_client_is_a_collection_of_the_names_of_its_topics() -> None:
    with hw.open() as client:
        assert client
        assert list(client) == []
        assert len(client) == 0
        for topic in ("b", "a"):
            client.create_topic(topic)
        # A group creates an internal topic.
        client.reset_group_offsets("g", "a", "earliest")
        assert list(client) == ["a", "b"]
        assert len(client) == 2
        assert [client[topic].name for topic in client] == ["a", "b"]
        assert "a" in client
        assert "c" not in client
        assert 1 not in client
        assert "__consumer_offsets" in client
    for use in (lambda: list(client), lambda: len(client), lambda: "a" in client):
        with pytest.raises(hw.ClosedError):
            use()
    assert client


def test_a_topic_in_the_collection_is_found(client: hw.Client, flights: hw.Topic) -> None:
    await_true(lambda: flights.name in list(client))
    assert len(client) > 0


def test_topics_of_a_client_are_equal_by_name(client: hw.Client, flights: hw.Topic) -> None:
    same: Any = client[flights.name]
    assert flights == same
    assert hash(flights) == hash(same)
    assert {flights: 1}[same] == 1
    assert flights != client[name("other")]
    assert flights != flights.name
    assert flights != client.aio.topic(flights.name)
    assert client.aio.sync.topic(flights.name) == flights
    with hw.open() as other:
        assert other.topic(flights.name) != flights


def test_a_topic_has_partitions_a_size_and_a_configuration(client: hw.Client) -> None:
    topic = client.create_topic(name("t"), partitions=3, retention_ms=3_600_000)
    assert topic.partitions == 3
    # A broker of a cluster reports a new partition a moment later.
    await_true(lambda: topic.size_bytes == 0)
    with client.producer() as producer:
        result = producer.send_batch(topic.name, [b"%d" % number for number in range(1_000)])
    assert topic.size_bytes == result.bytes
    config = topic.config()
    assert config["retention.ms"] == "3600000"
    assert config["cleanup.policy"] == "delete"
    client.alter_topic(topic.name, partitions=5, cleanup_policy="compact")
    # The brokers of a cluster apply a change one after the other.
    await_true(lambda: topic.partitions == 5)
    await_true(lambda: topic.config()["cleanup.policy"] == "compact")
    unknown = client.topic(name("unknown"))
    uses: list[Any] = [lambda: unknown.partitions, lambda: unknown.size_bytes, unknown.config]
    for use in uses:
        with pytest.raises(hw.UnknownTopicOrPartitionError, match=name("unknown")):
            use()


def test_a_broker_has_a_configuration(client: hw.Client) -> None:
    config = client.config()
    assert int(config["num.partitions"] or 0) >= 1
    assert "log.retention.hours" in config
    with pytest.raises(hw.InvalidArgumentError, match=r"no broker 987: its brokers are \d"):
        client.config(987)


@PRIVATE
def test_the_configuration_of_an_engine_is_that_of_its_opening() -> None:
    with hw.open(log_retention_hours=24) as client:
        assert client.config()["log.retention.hours"] == "24"
        assert client.config(1) == client.config()


@PRIVATE
def test_the_properties_are_awaited_in_asyncio() -> None:
    async def main() -> None:
        async with hw.aio.open() as client, client.producer() as producer:
            topic = await client.create_topic("t", partitions=2)
            assert await topic.partitions == 2
            result = await producer.send_batch("t", [b"a"])
            assert await topic.size_bytes == result.bytes
            assert (await topic.config())["cleanup.policy"] == "delete"
            assert "num.partitions" in await client.config()
            assert topic == client["t"]
            assert "t" in client

    asyncio.run(main())


def test_a_batch_is_a_sequence(flights: hw.Topic) -> None:
    batch = flights.head()
    values = [message.value for message in batch]
    assert batch[0].value == b"v0"
    assert batch[-1].value == b"v9"
    assert batch[np.int64(3)].value == b"v3"
    assert [batch[index].value for index in range(-10, 10)] == values + values
    assert [message.value for message in reversed(batch)] == values[::-1]
    for index in (10, -11, 2**40):
        with pytest.raises(IndexError, match=rf"the batch has 10 records, and no record {index}"):
            batch[index]
    wrong: Any
    for wrong in ("0", 1.0, True, None, (0, 1)):
        with pytest.raises(TypeError, match="a row of a batch is an int or a slice such as 10:20, not"):
            batch[wrong]


def test_a_slice_is_a_batch_of_these_rows(flights: hw.Topic) -> None:
    batch = flights.head(value="string")
    values = [message.value for message in batch]
    for part in [slice(2, 5), slice(None, 3), slice(-2, None), slice(5, 2), slice(3, 10_000), slice(None), slice(0, 0), slice(2, 5, 1)]:
        found = batch[part]
        assert isinstance(found, hw.Batch)
        assert [message.value for message in found] == values[part]
        assert pa.table(found).column("value").to_pylist() == values[part]
    assert batch[2:8][1:3][0].value == "v3"
    for step in (2, -1):
        with pytest.raises(hw.InvalidArgumentError, match=rf"step of {step}.*to_polars"):
            batch[::step]


def test_a_slice_copies_nothing(flights: hw.Topic) -> None:
    batch = flights.head()
    requested = pa.schema([pa.field("value", pa.binary_view())]).__arrow_c_schema__()

    def buffers(batch: hw.Batch) -> list[int]:
        table = pa.RecordBatchReader._import_from_c_capsule(batch.__arrow_c_stream__(requested)).read_all()
        return [buffer.address for buffer in table.column("value").chunk(0).buffers()[2:] if buffer is not None]

    assert set(buffers(batch[3:6])) == set(buffers(batch))


def test_a_slice_of_json_has_the_objects(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send_batch(topic.name, [{"n": 0}, {"n": 1}, {"m": [2]}])
    assert [message.value for message in topic.head(value="json")[1:]] == [{"n": 1}, {"m": [2]}]


def test_the_positions_of_a_slice_are_after_its_rows(client: hw.Client) -> None:
    topic = client.create_topic(name("t"), partitions=3)
    with client.producer() as producer:
        for partition in range(3):
            for number in range(4):
                producer.send(topic.name, b"%d" % number, partition=partition)
    batch = topic.head(12)

    def positions(part: hw.Batch) -> dict[int, int]:
        return {partition.partition: offset for partition, offset in part.next_offsets.items()}

    assert positions(batch) == {0: 4, 1: 4, 2: 4}
    assert positions(batch[:2]) == {0: 2}
    assert positions(batch[:6]) == {0: 4, 1: 2}
    assert positions(batch[5:]) == {1: 4, 2: 4}
    assert positions(batch[3:3]) == {}
    assert positions(batch[:]) == positions(batch)
    assert positions(batch[:6][4:]) == {1: 2}
    assert positions(topic.head(columns=["value"])[:2]) == {}


def test_a_committed_slice_leaves_the_other_rows_to_the_group(client: hw.Client, flights: hw.Topic) -> None:
    with client.consumer(group_id=name("g")) as consumer:
        consumer.assign([(flights.name, 0)])
        consumer.seek("earliest")
        batch = consumer.poll(10)
        assert len(batch) == 10
        assert [message.topic for message in batch[2:4]] == [flights.name] * 2
        consumer.commit(batch[:3])
        assert consumer.committed() == {(flights.name, 0): 3}
