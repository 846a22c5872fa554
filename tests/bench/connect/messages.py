"""Sends and reads records one by one."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

import headwater as hw
from tests.bench import confluent
from tests.bench.connect.frames import ProduceFrame
from tests.bench.connect.load import RECORD_BYTES, Load, random_values


class OurSend(ProduceFrame):
    """`send()` in a loop without keeping the futures, with batches of librdkafka's size."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = hw.connect(address).producer(batch_size=1_000_000)
        self.values = random_values(records)

    def run(self, topic: str) -> str:
        send = self.producer.send
        for value in self.values:
            send(topic, value)
        self.producer.flush()
        return topic


class ReadMessages(Load):
    """Read the value of each record; the result is the sum of their sizes."""

    def check(self, result: object) -> None:
        """Check the sum."""
        assert result == self.records * RECORD_BYTES


class OurMessages(ReadMessages):
    """Iterates a consumer."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.client = hw.connect(address)

    def run(self, topic: str) -> int:
        left, size = self.records, 0
        consumer = self.client.consumer(topic, auto_offset_reset="earliest")
        self.after.callback(consumer.close)
        for message in consumer:
            size += len(message.value)
            left -= 1
            if not left:
                break
        return size


class ConfluentMessages(ReadMessages):
    """Uses `consume(10000)` and reads each message."""

    def run(self, topic: str) -> int:
        consumer = Consumer(confluent.consumer_config(self.address))
        self.after.callback(consumer.close)
        consumer.assign([TopicPartition(topic, 0, 0)])
        left, size = self.records, 0
        while left:
            messages = consumer.consume(10_000, timeout=10)
            assert messages, f"{left} records did not arrive"
            for message in messages:
                size += len(message.value() or b"")
            left -= len(messages)
        return size
