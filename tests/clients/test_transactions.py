"""A transactional producer is refused at once with the reason, because transactions are not supported yet."""

from __future__ import annotations

import asyncio
import subprocess
import time
from typing import TYPE_CHECKING

import aiokafka
import confluent_kafka
import pytest
from aiokafka.errors import KafkaError

import headwater as hw
from tests.foreign import kafka

if TYPE_CHECKING:
    from collections.abc import Callable

#: The maximum time of a client on a busy machine. Clients that are not refused wait for a minute or for ever.
AT_ONCE = 25.0
PERFORMANCE = "org.apache.kafka.tools.ProducerPerformance"
ARGUMENTS = ("--topic", "t", "--num-records", "1", "--record-size", "1", "--throughput", "1")


@pytest.fixture(autouse=True)
def only_headwater(request: pytest.FixtureRequest) -> None:
    """Apache Kafka has transactions."""
    if request.config.getoption("--broker") != "headwater":
        pytest.skip("Apache Kafka has transactions")


def librdkafka(broker: str) -> str:
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "transactional.id": "x"})
    with pytest.raises(confluent_kafka.KafkaException) as raised:
        producer.init_transactions(60)
    error = raised.value.args[0]
    assert error.fatal()
    return str(error.str())


def aiokafka_(broker: str) -> str:
    async def start() -> None:
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=broker, transactional_id="x")
        try:
            await asyncio.wait_for(producer.start(), 60)
        finally:
            await producer.stop()

    with pytest.raises(KafkaError) as raised:
        asyncio.run(start())
    return repr(raised.value)


def java(broker: str) -> str:
    properties = f"bootstrap.servers={broker}"
    command = kafka.command(PERFORMANCE, *ARGUMENTS, "--transactional-id", "x", "--producer-props", properties)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("init_transactions", "reason"),
    [
        pytest.param(librdkafka, "transactions are not supported yet", id="librdkafka"),
        # The client shows the code instead of the message.
        pytest.param(aiokafka_, "TransactionalIdAuthorizationFailed", id="aiokafka"),
        pytest.param(java, "transactions are not supported yet", id="java"),
    ],
)
def test_init_transactions_fails_at_once_with_the_reason(broker: str, init_transactions: Callable[[str], str], reason: str) -> None:
    begun = time.monotonic()
    assert reason in init_transactions(broker)
    assert time.monotonic() - begun < AT_ONCE


def test_the_headwater_producer_gives_the_reason() -> None:
    with hw.open() as client, pytest.raises(hw.ConfigError, match="transactions are not supported yet"):
        client.producer(transactional_id="x")
