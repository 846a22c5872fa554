"""Tests of a program that uses aiokafka: the fixtures of `headwater.pytest` are its broker.

Install: pip install headwater aiokafka pytest
"""

import asyncio

import aiokafka


async def publish(bootstrap_servers, topic, items):
    """Publish items: the code under test."""
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer:
        for item in items:
            await producer.send_and_wait(topic, item.encode())


async def read(bootstrap_servers, topic, count):
    """Read the first items: the code under test."""
    async with aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value.decode() for _ in range(count)]


def test_items_are_published(kafka_broker, kafka_topic):
    asyncio.run(publish(kafka_broker.bootstrap_servers, kafka_topic.name, ["tea", "coffee"]))
    assert [message.value for message in kafka_topic.head(value="string")] == ["tea", "coffee"]


def test_published_items_are_read(kafka_broker, kafka_topic):
    asyncio.run(publish(kafka_broker.bootstrap_servers, kafka_topic.name, ["tea", "coffee"]))
    assert asyncio.run(asyncio.wait_for(read(kafka_broker.bootstrap_servers, kafka_topic.name, 2), 10)) == ["tea", "coffee"]
