"""librdkafka's producer and consumer, through confluent-kafka, tuned as its users tune it for speed."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

CHUNK = 10_000
SECONDS = 120
QUEUED_BYTES = 200_000_000
PRODUCER = {
    "batch.size": 1_000_000,
    "batch.num.messages": 1_000_000,
    "linger.ms": 50,
    "queue.buffering.max.messages": 10_000_000,
    "queue.buffering.max.kbytes": 1_000_000,
}
CONSUMER = {
    "group.id": "bench",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "queued.min.messages": 1_000_000,
    "fetch.queue.backoff.ms": 5,
}


def create_topic(address: str, topic: str) -> None:
    """Create a topic of one partition, with the broker's defaults."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 4})
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(SECONDS)


def delete_topic(address: str, topic: str) -> None:
    """Delete a topic."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 4})
    client.delete_topics([topic])[topic].result(SECONDS)


def produce(address: str, topic: str, records: int, size: int) -> float:
    """Produce in batches of 1 MB; return records a second, until the last acknowledgement."""
    producer = Producer({"bootstrap.servers": address, **PRODUCER})
    producer.list_topics(topic, SECONDS)
    chunk = [{"value": b"x" * size}] * CHUNK
    started = time.perf_counter()
    for _ in range(records // CHUNK):
        # The queue holds far more than what is on the way, and never so much that it refuses.
        while len(producer) * size > QUEUED_BYTES:
            producer.poll(0.01)
        queued = producer.produce_batch(topic, chunk)
        assert queued == CHUNK, f"{queued} of {CHUNK} records were queued"
        producer.poll(0)
    left = producer.flush(SECONDS)
    took = time.perf_counter() - started
    assert not left, f"{left} records were never acknowledged"
    return records / took


def consume(address: str, topic: str, records: int, size: int) -> float:
    """Consume all records of the one partition; return records a second."""
    consumer = Consumer({"bootstrap.servers": address, **CONSUMER})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    started, seen, last = time.perf_counter(), 0, None
    while seen < records:
        messages = consumer.consume(CHUNK, SECONDS)
        assert messages, f"there are {seen} of {records} records"
        last = messages[-1]
        seen += len(messages)
    took = time.perf_counter() - started
    _check(last, records, size)
    consumer.close()
    return records / took


def await_each(address: str, topic: str, records: int, warmup: int) -> list[float]:
    """Produce one record after the other, each awaited; return the seconds that each took, in order of size."""
    config: dict[str, Any] = {"bootstrap.servers": address, "linger.ms": 0}
    producer = Producer(config)
    took = [_await_one(producer, topic) for _ in range(warmup + records)]
    return sorted(took[warmup:])


def produce_first(address: str, topic: str) -> None:
    """Produce one record to a broker that may be starting, and wait until it is acknowledged."""
    impatient: dict[str, Any] = {"linger.ms": 0, "reconnect.backoff.ms": 1, "retry.backoff.ms": 1, "log_level": 0}
    _await_one(Producer({"bootstrap.servers": address, **impatient}), topic)


def _await_one(producer: Producer, topic: str) -> float:
    answers: list[Any] = []
    started = time.perf_counter()
    producer.produce(topic, b"x" * 100, on_delivery=lambda error, _: answers.append(error))
    while not answers:
        producer.poll(1)
    took = time.perf_counter() - started
    if answers[0]:
        raise KafkaException(answers[0])
    return took


def _check(last: Message | None, records: int, size: int) -> None:
    assert last
    assert not last.error(), last.error()
    assert last.offset() == records - 1
    assert len(last.value() or b"") == size
