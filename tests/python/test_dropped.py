"""Producers that the program drops without closing them."""

from __future__ import annotations

import pytest

import headwater as hw

pytestmark = pytest.mark.embedded("has a server of its own")


def test_closing_a_client_waits_for_the_records_of_a_dropped_producer() -> None:
    with hw.open() as engine, engine.serve(port=0) as server:
        topic = engine.create_topic("t")
        with hw.connect(server.address) as client:
            client.producer().send("t", b"x")
        assert len(topic) == 1


def test_a_record_for_a_partition_that_a_recreated_topic_lacks_is_an_error() -> None:
    with hw.open() as client, client.producer(linger_ms=60_000) as producer:
        client.create_topic("t", partitions=3)
        future = producer.send("t", b"x", partition=2)
        client.delete_topic("t")
        client.create_topic("t")
        producer.send("t", b"x").result()
        producer.flush()
        assert future.done()
        with pytest.raises(hw.UnknownTopicOrPartitionError):
            future.result()
