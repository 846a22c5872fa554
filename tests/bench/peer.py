"""confluent-kafka at its best, on librdkafka's built-in mock broker."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition


class Peer:
    """A mock broker, a producer and a consumer on it."""

    def __init__(self) -> None:
        self.producer = Producer(
            {
                "bootstrap.servers": "mock",
                "test.mock.num.brokers": 1,
                "queue.buffering.max.messages": 10_000_000,
                "queue.buffering.max.kbytes": 2_097_151,
                "batch.num.messages": 10_000,
                "linger.ms": 5,
            }
        )
        brokers = self.producer.list_topics(timeout=10).brokers
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())

    def produce(self, topic: str, value: bytes, records: int) -> None:
        """Send records one by one, then flush."""
        produce, poll = self.producer.produce, self.producer.poll
        for _ in range(records):
            try:
                produce(topic, value)
            except BufferError:
                poll(0.1)
                produce(topic, value)
        self.producer.flush()

    def consumer(self, topic: str) -> Any:
        """Make a tuned consumer at the start of a topic of one partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": f"bench-{time.time_ns()}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "queued.min.messages": 1_000_000,
                "fetch.queue.backoff.ms": 5,
            }
        )
        consumer.assign([TopicPartition(topic, 0, 0)])
        return consumer

    def consume(self, topic: str, records: int) -> int:
        """Read records ten thousand at a time and look at each value; returns the bytes seen."""
        consumer = self.consumer(topic)
        seen = size = 0
        while seen < records:
            messages = consumer.consume(10_000, timeout=10)
            if not messages:
                break
            for message in messages:
                size += len(message.value())
            seen += len(messages)
        consumer.close()
        if seen < records:
            message = f"the mock broker gave {seen} of {records} records"
            raise RuntimeError(message)
        return size
