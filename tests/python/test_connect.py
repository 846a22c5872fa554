"""`headwater.connect`: the same client over TCP."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import headwater as hw
import headwater.aio

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("has servers of its own")


@pytest.fixture
def engine() -> Iterator[hw.Client]:
    """An engine in memory."""
    with hw.open() as engine:
        yield engine


@pytest.fixture
def server(engine: hw.Client) -> Iterator[hw.Server]:
    """It listens."""
    with engine.serve(port=0) as server:
        yield server


@pytest.fixture
def connected(server: hw.Server) -> Iterator[hw.Client]:
    """A client of the server."""
    with hw.connect(server.address) as client:
        yield client


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_what_one_client_sends_the_engine_and_another_client_read(connected: hw.Client, engine: hw.Client, server: hw.Server) -> None:
    topic = connected.create_topic("flights", partitions=3)
    frame = pl.DataFrame({"key": [f"k{n}" for n in range(1_000)], "delay": range(1_000)})
    with connected.producer() as producer:
        result = producer.send_batch("flights", frame, key="key")
        producer.send("flights", b'{"delay": -1}', partition=0).result(10)
    assert result.records == 1_000
    read = topic.scan(value="json", unnest=True).to_polars()
    assert sorted(read["delay"]) == [-1, *range(1_000)]
    assert engine.topic("flights").scan(value="json", unnest=True).to_polars().equals(read)
    with hw.connect([server.address], client_id="another") as another:
        assert another.topic("flights").scan().count() == 1_001


def test_lazy_scans_push_bounds_down(connected: hw.Client) -> None:
    topic = connected.create_topic("t")
    with connected.producer() as producer:
        producer.send_batch("t", [b"x"] * 500)
    lazy = topic.scan().to_polars(lazy=True)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.filter(pl.col("offset") >= 490).select("offset").collect()["offset"].to_list() == list(range(490, 500))


def test_two_members_share_a_topic(connected: hw.Client, server: hw.Server) -> None:
    connected.create_topic("t", partitions=4)
    with connected.producer() as producer:
        for n in range(400):
            producer.send("t", str(n).encode(), partition=n % 4)
    seen: list[bytes | None] = []
    with hw.connect(server.address) as other:
        config: dict[str, Any] = {"group_id": "g", "auto_offset_reset": "earliest"}
        with connected.consumer("t", **config) as one, other.consumer("t", **config) as two:
            deadline = time.monotonic() + 60
            while len(set(seen)) < 400 or not (one.assignment() and two.assignment()):
                assert time.monotonic() < deadline
                for consumer in (one, two):
                    seen += [message.value for message in consumer.poll(0.05)]
            assert len(one.assignment()) == len(two.assignment()) == 2
    assert {group.group_id for group in connected.groups()} == {"g"}


def test_a_connected_client_refuses_to_serve(connected: hw.Client, server: hw.Server) -> None:
    with pytest.raises(hw.InvalidArgumentError, match=server.address):
        connected.serve(port=0)
    assert connected.recovery is None


def test_nobody_listening_raises_at_once_and_names_the_address() -> None:
    address = f"127.0.0.1:{unused_port()}"
    with pytest.raises(hw.TransportError, match=address) as raised:
        hw.connect(address)
    assert raised.value.retriable


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"sasl_password": "secret"}, "security.protocol"),
        ({"security_protocol": "SSH"}, "SASL_SSL"),
        ({"client_idd": "x"}, "client.id"),
        ({"security_protocol": "SSL", "ssl_truststore_location": "/nowhere"}, "/nowhere"),
    ],
)
def test_wrong_keys_are_refused_before_anything_is_sent(keys: dict[str, Any], expected: str) -> None:
    with pytest.raises(hw.ConfigError, match=expected) as raised:
        hw.connect("127.0.0.1:1", **keys)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("servers", ["", "localhost", []])
def test_wrong_addresses_are_refused(servers: str | list[str]) -> None:
    with pytest.raises(hw.ConfigError, match="HOST:PORT"):
        hw.connect(servers)


def test_a_broker_that_goes_and_comes_back_is_found_again(engine: hw.Client) -> None:
    port = unused_port()
    server = engine.serve(port=port)
    with hw.connect(f"127.0.0.1:{port}") as client:
        topic = client.create_topic("t")
        server.close()
        threading.Timer(0.5, lambda: started.append(engine.serve(port=port))).start()
        started: list[hw.Server] = []
        with client.producer() as producer:
            producer.send("t", b"after").result(30)
        assert [message.value for batch in topic.scan() for message in batch] == [b"after"]
    started[0].close()


def test_ctrl_c_ends_a_connection_attempt(spawn: Spawn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = spawn(
            """
            import sys, headwater as hw
            print("ready", flush=True)
            try:
                hw.connect(sys.argv[1])
            except KeyboardInterrupt:
                print("interrupted")
            """,
            f"127.0.0.1:{silent.getsockname()[1]}",
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=5)
    assert output == "interrupted\n", errors


def test_a_forked_child_cannot_use_the_connection(connected: hw.Client, spawn: Spawn, server: hw.Server) -> None:
    process = spawn(
        """
        import os, sys, headwater as hw
        client = hw.connect(sys.argv[1])
        client.create_topic("forked")
        child = os.fork()
        if child == 0:
            try:
                client.topics()
            except hw.ForkError:
                os._exit(7)
            os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print([topic.name for topic in client.topics()])
        """,
        server.address,
    )
    output, errors = process.communicate(timeout=60)
    assert output == "7\n['forked']\n", errors
    assert "forked" in connected


def test_asyncio_connects(server: hw.Server) -> None:
    async def main() -> list[bytes | None]:
        async with hw.aio.connect(server.address, client_id="async") as client, client.producer() as producer:
            topic = await client.create_topic("t")
            await producer.send("t", b"value")
            return [message.value async for batch in topic.scan() for message in batch]

    assert asyncio.run(main()) == [b"value"]


def test_asyncio_raises_what_connecting_meets() -> None:
    async def main() -> None:
        with pytest.raises(hw.TransportError, match="start the broker"):
            await hw.aio.connect(f"127.0.0.1:{unused_port()}")
        with pytest.raises(hw.ConfigError):
            await hw.aio.connect("localhost")

    asyncio.run(main())
