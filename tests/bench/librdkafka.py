"""librdkafka through confluent-kafka: topics and awaited records. `rdkafka_performance` has the fast loads."""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

SECONDS = 120


def create_topic(address: str, topic: str) -> None:
    """Create a topic of one partition, with the broker's defaults."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 4})
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(SECONDS)
    # The controller has created it, but the broker may learn of it slightly later.
    while client.list_topics(topic, SECONDS).topics[topic].error:
        time.sleep(0.01)


def delete_topic(address: str, topic: str) -> None:
    """Delete a topic."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 4})
    client.delete_topics([topic])[topic].result(SECONDS)


def await_each(address: str, topic: str, records: int, warmup: int) -> list[float]:
    """Produce records, each after the acknowledgement of the one before; return the sorted seconds for each."""
    config: dict[str, Any] = {"bootstrap.servers": address, "linger.ms": 0}
    producer = Producer(config)
    took = [_await_one(producer, topic) for _ in range(warmup + records)]
    return sorted(took[warmup:])


def produce_first(address: str, topic: str) -> None:
    """Produce one record, and wait for its acknowledgement. The broker may still be starting."""
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
