"""An engine that Kafka clients use, from the view of the process that serves it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer as ConfluentConsumer
from confluent_kafka import Producer as ConfluentProducer
from kafka import KafkaConsumer, KafkaProducer

import headwater as hw
import headwater.aio

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import Popen

pytestmark = pytest.mark.embedded("serves an engine itself")

VALUES = [f"v{n}".encode() for n in range(100)]


def values(topic: hw.Topic) -> list[bytes]:
    return [message.value for message in topic.head(1000)]


def test_records_produced_by_librdkafka_are_scanned_here(client: hw.Client) -> None:
    topic = client.create_topic("flights")
    with client.serve(port=0) as server:
        producer = ConfluentProducer({"bootstrap.servers": server.bootstrap_servers})
        for value in VALUES:
            producer.produce("flights", value)
        assert producer.flush(30) == 0
    assert values(topic) == VALUES


def test_records_produced_here_are_consumed_by_librdkafka(client: hw.Client) -> None:
    client.create_topic("flights")
    with client.serve(port=0) as server, client.producer() as producer:
        producer.send_batch("flights", VALUES)
        configuration = {"bootstrap.servers": server.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest"}
        consumer = ConfluentConsumer(configuration)
        consumer.subscribe(["flights"])
        seen: list[bytes | None] = []
        while len(seen) < len(VALUES):
            messages = consumer.consume(len(VALUES), timeout=30)
            assert messages, f"no record arrived after {len(seen)} records"
            seen += [message.value() for message in messages]
        consumer.close()
    assert seen == VALUES


def test_kafka_python_goes_both_ways(client: hw.Client) -> None:
    topic = client.create_topic("flights")
    with client.serve(port=0) as server:
        producer = KafkaProducer(bootstrap_servers=server.bootstrap_servers)
        for value in VALUES:
            producer.send("flights", value)
        producer.close()
        assert values(topic) == VALUES
        consumer = KafkaConsumer(
            "flights",
            bootstrap_servers=server.bootstrap_servers,
            auto_offset_reset="earliest",
            consumer_timeout_ms=30_000,
        )
        assert [next(consumer).value for _ in VALUES] == VALUES
        consumer.close()


def test_an_address_other_than_loopback_is_refused(client: hw.Client) -> None:
    with pytest.raises(hw.InvalidArgumentError, match="other machines can reach it"):
        client.serve("0.0.0.0", 0, advertised="localhost:9092")


def test_another_address_is_served_if_it_is_allowed(client: hw.Client) -> None:
    with client.serve("0.0.0.0", 0, advertised="localhost:9092", allow_insecure=True) as server:
        assert server.bootstrap_servers == "localhost:9092"
        assert server.address.startswith("0.0.0.0:")


def test_a_port_in_use_is_an_error_with_advice(client: hw.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(hw.TransportError, match=f"Cannot listen on 127.0.0.1:{port} .*use another port"):
            client.serve(port=port)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"advertised": "localhost"}, "localhost is not a valid address: write HOST:PORT"),
        ({"security_protocol": "TLS"}, "TLS is not a security protocol: use one of PLAINTEXT"),
        ({"tls_cert": "server.pem"}, "tls_cert and tls_key belong together"),
        ({"tls_cert": "no-such.pem", "tls_key": "no-such.key"}, "no-such.pem cannot be read"),
        ({"security_protocol": "SSL"}, "needs a certificate"),
        ({"sasl_mechanisms": ["GSSAPI"]}, "GSSAPI is not a SASL mechanism"),
    ],
)
def test_wrong_arguments_are_errors_with_advice(client: hw.Client, arguments: dict[str, str], problem: str) -> None:
    with pytest.raises(hw.InvalidArgumentError, match=problem):
        client.serve(port=0, **arguments)  # type: ignore[arg-type]


def test_a_closed_server_frees_its_port_and_the_client_stays_open(client: hw.Client) -> None:
    server = client.serve(port=0)
    port = int(server.address.rpartition(":")[2])
    server.close()
    server.close()
    with client.serve(port=port) as again:
        assert again.address == server.address
    assert client.topics() == []


def test_closing_the_client_closes_its_servers(client: hw.Client) -> None:
    server = client.serve(port=0)
    host, _, port = server.address.rpartition(":")
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    with pytest.raises(hw.ClosedError):
        client.serve(port=0)


def test_a_process_that_serves_ends_at_the_end_of_its_program(spawn: Callable[..., Popen[str]]) -> None:
    process = spawn("import headwater as hw; client = hw.open(); server = client.serve(port=0); print(server.address)")
    out, problems = process.communicate(timeout=60)
    assert (process.returncode, problems) == (0, "")
    assert out.startswith("127.0.0.1:")


def test_asyncio_serves_too() -> None:
    async def main() -> list[bytes]:
        async with headwater.aio.open() as client:
            await client.create_topic("flights")
            async with await client.serve(port=0) as server:
                servers = server.bootstrap_servers

                def produce() -> int:
                    producer = ConfluentProducer({"bootstrap.servers": servers})
                    producer.produce("flights", b"late")
                    return producer.flush(30)

                assert await asyncio.to_thread(produce) == 0
            return [message.value for message in await client["flights"].head()]

    assert asyncio.run(main()) == [b"late"]


def test_serving_and_closing_become_tasks() -> None:
    async def main() -> None:
        async with hw.aio.open() as client:
            server = await asyncio.create_task(client.serve(port=0))
            await asyncio.create_task(server.close())

    asyncio.run(main())
