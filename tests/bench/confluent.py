"""confluent-kafka (librdkafka) in its fastest configuration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka import Producer


def consumer_config(address: str) -> dict[str, Any]:
    """A consumer that fetches far ahead, and soon continues after its queue was full."""
    return {
        "bootstrap.servers": address,
        "log_level": 3,
        "group.id": f"bench-{time.time_ns()}",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "queued.min.messages": 1_000_000,
        "fetch.queue.backoff.ms": 5,
    }


def producer_config(address: str) -> dict[str, Any]:
    """A producer whose queue has space for all records of a run."""
    return {
        "bootstrap.servers": address,
        "log_level": 3,
        "queue.buffering.max.messages": 10_000_000,
        "queue.buffering.max.kbytes": 2_097_151,
        "batch.num.messages": 10_000,
        "linger.ms": 5,
    }


def produce(producer: Producer, topic: str, values: Iterable[bytes]) -> None:
    """Produce values one by one, then wait for all acknowledgements."""
    produce, poll = producer.produce, producer.poll
    for value in values:
        try:
            produce(topic, value)
        except BufferError:
            poll(0.1)
            produce(topic, value)
    left = producer.flush(120)
    assert left == 0, f"{left} records were not acknowledged"
