"""The client: create, list, change and delete topics; open and close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import headwater as hw
from tests.python.names import await_true, name, topic_info

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.embedded("opens a directory again")
def test_a_directory_keeps_its_records(tmp_path: Path) -> None:
    with hw.open(tmp_path / "data") as client:
        client.create_topic(name("flights"), partitions=2)
        with client.producer() as producer:
            producer.send(name("flights"), b"late", partition=1).result()
    with hw.open(str(tmp_path / "data")) as client:
        assert [info.name for info in client.topics()] == [name("flights")]
        assert [message.value for message in client[name("flights")].head()] == [b"late"]


@pytest.mark.embedded("opens a directory twice")
def test_the_same_path_twice_is_the_same_engine(tmp_path: Path) -> None:
    with hw.open(tmp_path) as one, hw.open(tmp_path) as other:
        one.create_topic(name("flights"))
        assert [info.name for info in other.topics()] == [name("flights")]


@pytest.mark.embedded("asks about engines in memory")
def test_two_engines_in_memory_share_nothing() -> None:
    with hw.open() as one, hw.open() as other:
        one.create_topic(name("flights"))
        assert other.topics() == []


def test_if_exists_returns_the_existing_topic(client: hw.Client) -> None:
    client.create_topic(name("flights"), partitions=3)
    client.create_topic(name("flights"), partitions=1, if_exists="ignore")
    assert topic_info(client, "flights").partitions == 3
    with pytest.raises(hw.TopicAlreadyExistsError, match="flights"):
        client.create_topic(name("flights"))


def test_configuration_is_taken_as_kafka_spells_it_and_as_keywords(client: hw.Client) -> None:
    client.create_topic(name("a"), config={"retention.ms": 5, "cleanup.policy": ["compact", "delete"]})
    client.create_topic(name("b"), retention_ms=5, preallocate=False)
    with pytest.raises(hw.ConfigError):
        client.create_topic(name("c"), retention_ms="soon")


def test_preallocate_can_only_be_false(client: hw.Client) -> None:
    with pytest.raises(hw.ConfigError, match="preallocate can only be false"):
        client.create_topic(name("t"), preallocate=True)


def test_topics_have_ids_of_their_own(client: hw.Client) -> None:
    client.create_topic(name("flights"))
    first = topic_info(client, "flights").topic_id
    client.delete_topic(name("flights"))
    client.create_topic(name("flights"))
    await_true(lambda: topic_info(client, "flights").topic_id != first)
    assert not topic_info(client, "flights").internal


def test_alter_adds_partitions_and_resets_keys(client: hw.Client) -> None:
    client.create_topic(name("flights"), max_message_bytes=100)
    client.alter_topic(name("flights"), partitions=3, max_message_bytes=None)
    await_true(lambda: topic_info(client, "flights").partitions == 3)
    with client.producer() as producer:
        producer.send(name("flights"), b"x" * 1000).result()
    with pytest.raises(hw.KafkaError):
        client.alter_topic(name("flights"), partitions=1)


def test_a_topic_is_deleted_once(client: hw.Client) -> None:
    client.create_topic(name("flights"))
    assert client.delete_topic(name("flights"))
    assert not client.delete_topic(name("flights"), missing_ok=True)
    with pytest.raises(hw.UnknownTopicOrPartitionError):
        client.delete_topic(name("flights"))


def test_records_before_a_position_are_deleted(client: hw.Client, flights: hw.Topic) -> None:
    assert client.delete_records(name("flights"), 4) == {0: 4}
    assert flights.offsets("earliest") == {0: 4}
    assert len(flights) == 6
    assert client.delete_records(name("flights"), {0: 6}) == {0: 6}
    assert client.delete_records(name("flights"), "latest") == {0: 10}
    assert flights.head().to_polars().is_empty()


def test_closing_twice_is_allowed_and_use_after_it_is_not(client: hw.Client) -> None:
    topic = client.create_topic(name("flights"))
    producer, consumer = client.producer(), client.consumer(name("flights"))
    iterator = iter(topic.scan())
    assert not client.closed
    client.close()
    client.close()
    assert client.closed
    uses = [
        client.topics,
        client.producer,
        client.consumer,
        lambda: client.topic(name("flights")),
        lambda: client.create_topic(name("b")),
        lambda: len(topic),
        topic.head,
        topic.scan,
        lambda: next(iterator),
        lambda: producer.send(name("flights"), b"x"),
        lambda: producer.send_batch(name("flights"), [b"x"]),
        consumer.poll,
        lambda: next(consumer),
        lambda: client.__enter__(),
    ]
    for use in uses:
        with pytest.raises(hw.ClosedError, match="closed"):
            use()
    producer.close()
    consumer.close()


def test_a_closed_producer_accepts_no_records(client: hw.Client) -> None:
    client.create_topic(name("flights"))
    producer = client.producer()
    future = producer.send(name("flights"), b"x")
    producer.close()
    assert future.done()
    with pytest.raises(hw.ClosedError):
        producer.send(name("flights"), b"y")
