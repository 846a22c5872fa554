"""Apache Kafka closes connections whose authentication expires (KIP-368): producers and consumers continue."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from tests.security.kafka import REAUTHENTICATION_MS
from tests.security.tokens import token

if TYPE_CHECKING:
    from tests.security.kafka import SecureKafka

PERIODS = 4
PARTITIONS = 2


def keys(kafka: SecureKafka, how: str) -> tuple[str, dict[str, Any]]:
    """The address and the keys of a client with this kind of authentication."""
    if how == "TOKEN":
        brief = REAUTHENTICATION_MS / 1_000
        function = {"oauth_token": lambda: token("ada", seconds=brief * 2)}
        return kafka.address("TOKEN_BRIEF"), {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER", **function}
    password = {**kafka.password(how), "security_protocol": "SASL_PLAINTEXT"}
    del password["ssl_truststore_location"]
    return kafka.address("PASSWORD_BRIEF"), password


@pytest.mark.parametrize("how", ["PLAIN", "SCRAM-SHA-512", "TOKEN"])
def test_nothing_is_lost_or_doubled_when_authentications_end(kafka: SecureKafka, how: str) -> None:
    address, config = keys(kafka, how)
    name = f"reauthentication-{how.lower()}"
    sent: list[list[int]] = [[] for _ in range(PARTITIONS)]
    stopping = threading.Event()
    with hw.connect(address, **config) as client:
        client.create_topic(name, partitions=PARTITIONS)
        failures: list[BaseException] = []

        def write() -> None:
            try:
                with client.producer(linger_ms=1) as producer:
                    number = 0
                    while not stopping.is_set():
                        partition = number % PARTITIONS
                        producer.send(name, str(number).encode(), partition=partition).result(30)
                        sent[partition].append(number)
                        number += 1
                        time.sleep(0.002)
            except BaseException as failure:  # noqa: BLE001
                failures.append(failure)

        writer = threading.Thread(target=write)
        read: list[list[int]] = [[] for _ in range(PARTITIONS)]
        with client.consumer(name, group_id=name, auto_offset_reset="earliest") as consumer:
            writer.start()
            end = time.monotonic() + PERIODS * REAUTHENTICATION_MS / 1_000
            deadline = end + 60
            while read != sent or time.monotonic() < end or not stopping.is_set():
                if time.monotonic() >= end and not stopping.is_set():
                    stopping.set()
                    writer.join(60)
                assert time.monotonic() < deadline, "records are missing"
                for message in consumer.poll(0.1):
                    read[message.partition].append(int(message.value or b""))
            consumer.commit()
        assert not failures
        assert read == sent
        assert client.topic(name).scan().count() == sum(map(len, sent))
        metrics = client.metrics()
    # The connections of a producer, a consumer and a member, each opened again in each period.
    assert metrics["connection-creation-total"] >= 3 * (PERIODS - 1)
    # The client always renewed in time, so the broker closed no connection.
    assert sum(broker["request-error-total"] for broker in metrics["brokers"].values()) == 0
