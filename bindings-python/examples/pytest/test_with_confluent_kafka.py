"""Tests of a program that uses confluent-kafka: the fixtures of `headwater.pytest` are its broker.

Install: pip install headwater confluent-kafka pytest
"""

import confluent_kafka
import pytest


def publish(bootstrap_servers, topic, orders):
    """Publish orders: the code under test."""
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap_servers})
    for number, item in orders:
        producer.produce(topic, value=item, key=str(number))
    producer.flush()


def test_orders_are_published_in_order(kafka_broker, kafka_topic):
    publish(kafka_broker.bootstrap_servers, kafka_topic.name, [(1, "tea"), (2, "coffee")])
    assert [(message.key, message.value) for message in kafka_topic.head()] == [(b"1", b"tea"), (b"2", b"coffee")]


@pytest.mark.kafka_topic(partitions=3)
def test_an_order_keeps_its_partition(kafka_broker, kafka_topic):
    publish(kafka_broker.bootstrap_servers, kafka_topic.name, [(7, "tea"), (7, "more tea")])
    first, second = kafka_topic.head()
    assert first.partition == second.partition


def test_a_group_reads_published_orders(kafka_broker, kafka_topic):
    with kafka_broker.client.producer() as producer:
        producer.send_batch(kafka_topic.name, ["tea", "coffee"])
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": kafka_broker.bootstrap_servers, "group.id": "kitchen", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([kafka_topic.name])
    messages = consumer.consume(num_messages=2, timeout=10)
    consumer.close()
    assert [message.value() for message in messages] == [b"tea", b"coffee"]
