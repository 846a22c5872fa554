"""confluent-kafka in its fastest configuration, with librdkafka's built-in mock broker."""

from __future__ import annotations

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench import confluent

#: 100-byte records that fit in a partition of the mock broker.
PARTITION_RECORDS = 40_000


class Peer:
    """A mock broker, a producer and a consumer on it."""

    def __init__(self) -> None:
        self.producer = Producer(
            {
                "bootstrap.servers": "mock",
                "test.mock.num.brokers": 1,
                "log_level": 3,
                "queue.buffering.max.messages": 10_000_000,
                "queue.buffering.max.kbytes": 2_097_151,
                "batch.num.messages": 10_000,
                "linger.ms": 5,
            }
        )
        self.partitions: list[TopicPartition] = []
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

    def fill(self, value: bytes, records: int) -> None:
        """Spread records over as many partitions as needed: the mock broker keeps only the last 5 MB of each."""
        count = -(-records // PARTITION_RECORDS)
        self.partitions = [TopicPartition(f"fill-{n // 4}", n % 4, 0) for n in range(count)]
        for partition in self.partitions:
            for _ in range(PARTITION_RECORDS):
                self.producer.produce(partition.topic, value, partition=partition.partition)
            self.producer.flush()

    def consume(self, records: int) -> int:
        """Read the records of `fill`, ten thousand at a time, and each value; return the number of bytes."""
        consumer = Consumer(confluent.consumer_config(self.servers))
        consumer.assign(self.partitions)
        seen = size = 0
        while seen < records:
            messages = consumer.consume(10_000, timeout=10)
            if not messages:
                break
            for message in messages:
                size += len(message.value() or b"")
            seen += len(messages)
        consumer.close()
        if seen < records:
            problem = f"the mock broker returned {seen} of {records} records"
            raise RuntimeError(problem)
        return size
