"""`headwater.connect`: the same client over TCP."""

from __future__ import annotations

import asyncio
import queue
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import headwater as hw
import headwater.aio
from tests.security.certificates import Authority

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("has servers of its own")


@pytest.fixture
def engine() -> Iterator[hw.Client]:
    """An engine in memory."""
    with hw.open() as engine:
        yield engine


@pytest.fixture
def server(engine: hw.Client) -> Iterator[hw.Server]:
    """A running server."""
    with engine.serve(port=0) as server:
        yield server


@pytest.fixture
def connected(server: hw.Server) -> Iterator[hw.Client]:
    """A client of the server."""
    with hw.connect(server.address) as client:
        yield client


def unused_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_the_engine_and_another_client_read_the_records_of_a_client(connected: hw.Client, engine: hw.Client, server: hw.Server) -> None:
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


def test_an_address_without_a_listener_raises_at_once_with_the_address() -> None:
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


@pytest.fixture
def peer() -> Iterator[Callable[[bytes | None], str]]:
    """Starts a server that answers the first bytes of each connection with these bytes and closes it, or does not
    answer if it is `None`.
    """
    listeners: list[socket.socket] = []

    def start(answer: bytes | None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            held = []
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if answer is None:
                    held.append(connection)
                    continue
                with connection:
                    connection.recv(4)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1_000)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


SSL = {"security_protocol": "SSL", "ssl_endpoint_identification_algorithm": ""}


@pytest.mark.parametrize(
    ("answer", "keys", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {}, "answers in HTTP.*check the port"),
        (b"\x15\x03\x03\x00\x02\x02\x46", {}, "speaks TLS there.*security.protocol to SSL"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", {}, "not a Kafka broker.*check the address"),
        (b"", {}, "closed the connection at the first request.*check that it is a Kafka broker"),
        (None, {}, "No answer within 400 ms.*check that it is a Kafka broker"),
        (b"", {**SSL}, "during the TLS handshake.*security.protocol to PLAINTEXT"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {**SSL}, "does not speak TLS.*security.protocol to PLAINTEXT"),
        (None, {**SSL}, "No answer within 400 ms while starting TLS"),
    ],
)
def test_a_server_that_is_not_a_broker_is_an_error_with_reason_and_advice(
    peer: Callable[[bytes | None], str], tmp_path: Path, answer: bytes | None, keys: dict[str, Any], expected: str
) -> None:
    if keys:
        keys = {**keys, "ssl_truststore_location": str(Authority.make(tmp_path).certificate)}
    address = peer(answer)
    with pytest.raises(hw.TransportError, match=f"{address}: .*{expected}") as raised:
        hw.connect(address, socket_connection_setup_timeout_ms=400, **keys)
    assert raised.value.__cause__ is None


def test_a_name_that_does_not_resolve_is_an_error_with_the_name() -> None:
    with pytest.raises(hw.TransportError, match=r"no-such-host\.invalid:9092.*does not resolve.*correct it"):
        hw.connect("no-such-host.invalid:9092")


def test_the_error_for_an_unreachable_advertised_listener_has_both_addresses(engine: hw.Client) -> None:
    engine.create_topic("t")
    with engine.serve(port=0, advertised="kafka.invalid:9092") as server:
        bootstrap = server.address
        with hw.connect(f"127.0.0.1:{bootstrap.rpartition(':')[2]}", default_api_timeout_ms=500) as client:
            with pytest.raises(hw.TransportError) as raised:
                client.topic("t").scan().count()
            message = str(raised.value)
    assert "kafka.invalid:9092" in message
    assert f"127.0.0.1:{bootstrap.rpartition(':')[2]}" in message
    assert "advertised.listeners" in message


def test_invalid_certificates_are_refused(engine: hw.Client, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "one")
    identity = str(authority.identity("broker"))
    trusted = str(authority.certificate)
    with engine.serve(port=0, advertised="localhost:9", security_protocol="SSL", tls_cert=identity, tls_key=identity) as server:
        port = server.address.rpartition(":")[2]
        with hw.connect(f"localhost:{port}", security_protocol="SSL", ssl_truststore_location=trusted):
            pass
        with pytest.raises(hw.AuthenticationError, match=r"ssl\.truststore\.location"):
            hw.connect(
                f"localhost:{port}", security_protocol="SSL", ssl_truststore_location=str(Authority.make(tmp_path / "two").certificate)
            )
        with pytest.raises(hw.TransportError, match="speaks TLS there"):
            hw.connect(f"localhost:{port}")
    with (
        engine.serve("127.0.0.2", 0, security_protocol="SSL", tls_cert=identity, tls_key=identity) as server,
        pytest.raises(hw.AuthenticationError, match=r"not valid for 127\.0\.0\.2"),
    ):
        hw.connect(server.address, security_protocol="SSL", ssl_truststore_location=trusted)


def test_an_unknown_topic_is_an_error_with_advice(connected: hw.Client) -> None:
    with pytest.raises(hw.UnknownTopicOrPartitionError, match="Create it first"):
        connected.topic("nowhere").scan().count()


def test_metrics_count_connections_requests_and_lag(connected: hw.Client, server: hw.Server) -> None:
    topic = connected.create_topic("t", partitions=2)
    with connected.producer(client_id="orders", linger_ms=60_000, batch_size=100_000) as producer:
        for n in range(10):
            producer.send("t", b"value", partition=n % 2)
        held = connected.metrics()["producers"]
        assert [(it["client-id"], it["queued-records"]) for it in held] == [("orders", 10)]
        assert held[0]["queued-bytes"] > 0
        producer.flush()
        assert connected.metrics()["producers"][0]["queued-records"] == 0
    with connected.consumer("t", group_id="g", auto_offset_reset="earliest") as consumer:
        while sum(map(len, [consumer.poll(0.1)])) == 0 or sum(consumer.lag().values()) > 0:
            pass
        metrics = connected.metrics()
        assert metrics["consumers"] == [{"client-id": "", "group-id": "g", "records-lag": {"t": {0: 0, 1: 0}}, "records-skipped-total": 0}]
    broker = metrics["brokers"][server.address]
    assert broker["node-id"] is not None
    assert broker["connection-count"] == metrics["connection-count"] >= 3
    assert broker["request-total"] >= 10
    assert 0 < broker["request-latency-p50-ms"] <= broker["request-latency-p99-ms"] <= broker["request-latency-max-ms"]
    assert metrics["outgoing-byte-total"] > 500
    assert metrics["incoming-byte-total"] > 500
    assert metrics["request-error-total"] == 0
    assert connected.aio.metrics()["brokers"].keys() == metrics["brokers"].keys()
    assert topic.scan().count() == 10


@pytest.mark.parametrize("how", ["open", "connect"])
def test_stats_is_called_with_metrics_until_the_client_is_closed(server: hw.Server, how: str) -> None:
    reports: queue.Queue[Any] = queue.Queue()
    keys: dict[str, Any] = {"stats": reports.put, "statistics_interval_ms": 10}
    with hw.open(**keys) if how == "open" else hw.connect(server.address, **keys) as client:
        client.create_topic("of-stats")
        while reports.get(timeout=30)["request-total"] == 0:
            pass
        assert reports.get(timeout=30).keys() == client.metrics().keys()


def test_stats_that_raises_is_reported_and_called_again(server: hw.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: queue.Queue[Any] = queue.Queue()
    monkeypatch.setattr("sys.unraisablehook", raised.put)

    def stats(_: object) -> None:
        raise ValueError("mine")

    with hw.connect(server.address, stats=stats, statistics_interval_ms=10):
        for _ in range(2):
            assert str(raised.get(timeout=30).exc_value) == "mine"


def test_asyncio_calls_stats_in_the_event_loop(server: hw.Server) -> None:
    async def main() -> None:
        reports: asyncio.Queue[Any] = asyncio.Queue()

        async def stats(metrics: object) -> None:
            await reports.put((asyncio.get_running_loop(), metrics))

        async with hw.aio.connect(server.address, stats=stats, statistics_interval_ms=10) as client:
            loop, metrics = await asyncio.wait_for(reports.get(), 30)
            assert loop is asyncio.get_running_loop()
            assert metrics.keys() == client.metrics().keys()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("arguments", "error", "expected"),
    [
        ({"statistics_interval_ms": 10}, hw.ConfigError, "pass stats="),
        ({"stats": 7}, TypeError, "stats must be a function"),
        ({"oauth_token": "hidden"}, TypeError, "oauth_token must be a function, not str"),
        ({"oauth_token": str}, hw.ConfigError, "set security.protocol to SASL_SSL"),
        (
            {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER"},
            hw.ConfigError,
            r"sasl\.oauthbearer\.token\.endpoint\.url",
        ),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_jaas_config": "X required password='hidden'"}, hw.ConfigError, "sasl.password"),
    ],
)
def test_invalid_functions_and_keys_are_refused(arguments: dict[str, Any], error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected) as raised:
        hw.connect("127.0.0.1:1", **arguments)
    assert "hidden" not in str(raised.value)


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


def test_asyncio_raises_errors_of_connecting() -> None:
    async def main() -> None:
        with pytest.raises(hw.TransportError, match="start the broker"):
            await hw.aio.connect(f"127.0.0.1:{unused_port()}")
        with pytest.raises(hw.ConfigError):
            await hw.aio.connect("localhost")

    asyncio.run(main())
