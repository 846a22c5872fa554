"""Tests of a program that uses headwater itself: the same program runs on a cluster.

Install: pip install headwater pytest
"""

import headwater as hw


def publish(bootstrap_servers, topic, orders):
    """Publish orders: the code under test."""
    with hw.connect(bootstrap_servers) as client, client.producer() as producer:
        producer.send_batch(topic, orders, key="customer")


def test_orders_are_published(kafka_broker, kafka_topic):
    publish(kafka_broker.bootstrap_servers, kafka_topic.name, [{"customer": "ann", "item": "tea"}])
    (message,) = kafka_topic.head(key="string", value="json")
    assert (message.key, message.value) == ("ann", {"item": "tea"})
