"""The texts of `repr()` and of notebooks: without waiting, also after closing, without secrets, and bounded."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import subprocess
import threading
import time
import traceback
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from tests.cli.command import command
from tests.python.names import await_true, name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PRIVATE = pytest.mark.embedded("opens its own engines and clusters")


@PRIVATE
def test_a_client_shows_its_directory_and_its_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with hw.open("./data") as client:
        assert repr(client) == "Client('./data', 0 topics)"
        for topic in ("a", "b", "c"):
            client.create_topic(topic)
        assert repr(client) == "Client('./data', 3 topics)"
        assert repr(client.aio) == "aio.Client('./data', 3 topics)"
    assert repr(client) == "Client('./data', closed)"
    with hw.open() as client:
        client.create_topic("a")
        assert repr(client) == "Client(in memory, 1 topic)"
    assert repr(client) == "Client(in memory, closed)"


@PRIVATE
def test_a_connected_client_shows_its_addresses() -> None:
    with hw.open() as engine, engine.serve(port=0) as server:
        with hw.connect([server.address]) as client:
            client.create_topic("t")
            assert repr(client) == f"Client('{server.address}')"
            assert repr(client.aio) == f"aio.Client('{server.address}')"
        assert repr(client) == f"Client('{server.address}', closed)"


@PRIVATE
def test_a_repr_does_not_wait_for_a_broker_that_is_silent() -> None:
    with hw.open() as engine:
        engine.create_topic("t")
        server = engine.serve(port=0)
        client = hw.connect(server.address)
        topic, consumer, producer = client["t"], client.consumer("t"), client.producer()
        server.close()
        host, port = server.address.rsplit(":", 1)
        with socket.create_server((host, int(port))):
            begun = time.monotonic()
            for thing in (client, topic, topic.scan(), consumer, producer):
                assert repr(thing)
            assert topic._repr_html_() is None
            assert time.monotonic() - begun < 0.5
            threading.Thread(target=client.close, daemon=True).start()


def test_a_consumer_shows_its_group_and_partitions(client: hw.Client) -> None:
    topic, group = client.create_topic(name("orders"), partitions=4).name, name("g")
    with client.consumer(topic) as consumer:
        assert repr(consumer) == f"Consumer(['{topic}'], 4 partitions)"
        consumer.assign([(topic, 2)])
        assert repr(consumer) == f"Consumer(['{topic}'], 1 partition)"
    assert repr(consumer) == f"Consumer(['{topic}'], closed)" or repr(consumer) == "Consumer(closed)"
    with client.consumer(topic, group_id=group) as consumer:
        assert repr(consumer) == f"Consumer(group '{group}', ['{topic}'], 0 partitions)"

        def is_assigned() -> bool:
            consumer.poll(0.1)
            return bool(consumer.assignment())

        await_true(is_assigned)
        assert repr(consumer) == f"Consumer(group '{group}', ['{topic}'], 4 partitions)"
        consumer.unsubscribe()
        assert repr(consumer) == f"Consumer(group '{group}', 0 partitions)"
        consumer.subscribe(re.compile("ord.*"))
        assert repr(consumer) == f"Consumer(group '{group}', pattern 'ord.*', 0 partitions)"
    assert repr(consumer) == f"Consumer(group '{group}', pattern 'ord.*', closed)"


def test_a_consumer_that_waits_in_another_thread_has_a_repr(client: hw.Client) -> None:
    topic = client.create_topic(name("orders")).name
    with client.consumer(topic) as consumer:

        def wait() -> None:
            with pytest.raises(hw.WakeupError):
                consumer.poll(60)

        waiting = threading.Thread(target=wait)
        waiting.start()
        await_true(lambda: repr(consumer) == f"Consumer(['{topic}'], in use by a call)")
        consumer.wakeup()
        waiting.join()
        assert repr(consumer) == f"Consumer(['{topic}'], 1 partition)"


def test_a_consumer_names_only_its_first_topics(client: hw.Client) -> None:
    topics = [name(f"t{number}") for number in range(7)]
    for topic in topics:
        client.create_topic(topic)
    with client.consumer(topics) as consumer:
        assert "… 2 more], 7 partitions)" in repr(consumer)


def test_a_scan_shows_its_range_and_formats(flights: hw.Topic) -> None:
    assert repr(flights.scan()) == f"Scan('{flights.name}', earliest to latest)"
    scan = flights.scan(3, 7, partitions=[0], key="string", value="json", limit=1_000)
    assert repr(scan) == f"Scan('{flights.name}', offset 3 to offset 7, 1 partition, key='string', value='json', at most 1,000 records)"


def test_producers_futures_and_results_show_their_state(client: hw.Client, flights: hw.Topic) -> None:
    with client.producer(linger_ms=60_000) as producer:
        assert repr(producer) == "Producer(0 records queued)"
        future = producer.send(flights.name, b"x", timestamp=5)
        assert repr(producer) == "Producer(1 record queued)"
        assert repr(future) == "Future(pending)"
        producer.flush()
        assert repr(future) == f"Future(done: RecordMetadata(topic='{flights.name}', partition=0, offset=10, timestamp_ms=5))"
        result = producer.send_batch(flights.name, [b"a", b"b"])
        assert repr(result) == f"BatchResult(records=2, bytes={result.bytes}, 1 partition)"
        small = client.create_topic(name("small"), max_message_bytes=200)
        failed = producer.send(small.name, b"x" * 1_000)
        assert isinstance(failed.exception(), hw.RecordTooLargeError)
        assert repr(failed).startswith("Future(failed: RecordTooLargeError: ")
    assert repr(producer) == "Producer(closed)"
    assert repr(hw.TopicPartition("t", 1)) == "TopicPartition(topic='t', partition=1)"


@PRIVATE
def test_a_server_shows_its_address_and_that_it_is_closed() -> None:
    with hw.open() as client:
        server = client.serve(port=0)
        assert repr(server) == f"Server('{server.address}')"
        server.close()
        assert repr(server) == f"Server('{server.address}', closed)"
        other = client.serve(port=0)
    assert repr(other) == f"Server('{other.address}', closed)"


@PRIVATE
def test_objects_of_asyncio_show_that_they_are_awaited() -> None:
    async def main() -> None:
        opening = hw.aio.open()
        assert repr(opening) == "<headwater.aio.open(): await it, or use it in async with>"
        async with opening as client:
            topic = await client.create_topic("t", partitions=2)
            assert repr(client) == "aio.Client(in memory, 1 topic)"
            assert repr(topic) == "aio.Topic('t')"
            assert repr(topic.scan()) == "aio.Scan('t', earliest to latest)"
            assert repr(topic.scan().__aiter__()) == "<asynchronous iterator of batches>"
            assert repr(client.producer()) == "aio.Producer(0 records queued)"
            async with client.consumer("t") as consumer:
                assert repr(consumer) == "aio.Consumer(['t'], 0 partitions)"
                await consumer.position()
                assert repr(consumer) == "aio.Consumer(['t'], 2 partitions)"
                waits = consumer.poll(0.01)
                assert repr(waits) == "<call of headwater.aio: starts when it is awaited>"
                await waits
                assert repr(waits) == "<call of headwater.aio: over>"
            done = client.topics()
            assert "await its result" in repr(done)
            await done
            async with await client.serve(port=0) as server:
                assert repr(server) == f"aio.Server('{server.address}')"
        assert repr(opening) == "<headwater.aio.open(): done>"
        connecting = hw.aio.connect("127.0.0.1:1", sasl_password="Secret-1")
        assert repr(connecting) == "<headwater.aio.connect(): await it, or use it in async with>"

    asyncio.run(main())


@PRIVATE
def test_quotes_and_control_characters_of_a_path_are_escaped(tmp_path: Path) -> None:
    with hw.open(tmp_path / "it's\n") as client:
        assert "it\\'s\\x0a'" in repr(client)
        assert "\n" not in repr(client)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"x" * 80, repr(b"x" * 80)),
        (b"\0" * 1_000_000, repr(b"\0" * 80) + "... (1000000 bytes)"),
        ("é" * 80, repr("é" * 80)),
        ("é" * 81, repr("é" * 80) + "... (81 characters)"),
        (["é"] * 1_000, repr(["é"] * 1_000)[:80] + "... (5000 characters)"),
        (None, "None"),
    ],
    ids=["short bytes", "bytes", "short text", "text", "json", "null"],
)
def test_the_key_and_the_value_of_a_message_are_cut(client: hw.Client, value: Any, shown: str) -> None:
    topic = client.create_topic(name("t"))
    kind: Any = "json" if isinstance(value, list) else "string" if isinstance(value, str) else "bytes"
    with client.producer() as producer:
        producer.send(topic.name, json.dumps(value) if kind == "json" else value, key=b"k" * 100)
    (message,) = topic.head(1, value=kind)
    assert f"key={b'k' * 80!r}... (100 bytes), value={shown})" in repr(message)


SECRET = "s3cret-that-nobody-may-see"


def texts(error: BaseException | None) -> Iterator[str]:
    """The texts of an error and of its causes."""
    while error is not None:
        yield from (str(error), repr(error), "".join(traceback.format_exception(error)))
        error = error.__cause__ or error.__context__


@PRIVATE
@pytest.mark.parametrize(
    "config",
    [
        {"sasl_mechanism": "PLAIN", "sasl_username": "bob", "sasl_password": SECRET},
        {"sasl_mechanism": "SCRAM-SHA-256", "sasl_username": "bob", "sasl_password": SECRET},
        {"sasl_mechanism": "PLAIN", "sasl_jaas_config": f'PlainLoginModule required username="bob" password="{SECRET}";'},
        {"sasl_mechanism": "OAUTHBEARER", "oauth_token": lambda: SECRET},
        {
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauthbearer_token_endpoint_url": "http://127.0.0.1:1",
            "sasl_oauthbearer_client_id": "bob",
            "sasl_oauthbearer_client_secret": SECRET,
        },
    ],
)
@pytest.mark.parametrize("is_user", [True, False])
def test_no_text_shows_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture, config: dict[str, Any], *, is_user: bool) -> None:
    password = SECRET if is_user else "another"
    subprocess.run(command("user", "add", "bob", "--data", tmp_path), input=password.encode(), check=True, capture_output=True)
    shown: list[str] = []
    config = {"security_protocol": "SASL_PLAINTEXT", "default_api_timeout_ms": 1_000, **config}
    with caplog.at_level(logging.DEBUG, "headwater"), hw.open(tmp_path) as engine:
        topic = engine.create_topic("t").name
        with engine.serve(port=0, security_protocol="SASL_PLAINTEXT") as server:
            shown.append(repr(server))
            try:
                with hw.connect(server.address, **config) as client:
                    consumer, producer = client.consumer(topic, group_id="g"), client.producer()
                    producer.send(topic, b"value").result()
                    shown += map(repr, (client, client.aio, consumer, producer, client[topic], client[topic].scan()))
                    shown += [str(client.metrics()), repr(list(client[topic].head(1)))]
                    connected = True
            except hw.HeadwaterError as error:
                shown += texts(error)
                connected = False
    assert connected == (is_user and "oauth" not in str(config).lower())
    # Events of the core are logged in a thread.
    await_true(lambda: any("headwater" in record.name for record in caplog.records))
    shown += [record.getMessage() for record in caplog.records]
    assert not [text for text in shown if SECRET in text]


@PRIVATE
@pytest.mark.parametrize(
    "config",
    [
        {"ssl_key_password": SECRET},
        {"ssl_keystore_password": SECRET},
        {"ssl_keystore_key": SECRET},
        {"security_protocol": "SSL", "ssl_keystore_key": SECRET, "ssl_keystore_certificate_chain": "none"},
        {"sasl_password": SECRET},
        {"sasl_pasword": SECRET},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_password": SECRET},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_jaas_config": f"X required password={SECRET}"},
        {"sasl_oauthbearer_client_secret": SECRET},
    ],
)
def test_an_error_of_the_configuration_shows_no_secret(config: dict[str, Any]) -> None:
    with pytest.raises(hw.ConfigError) as raised:
        hw.connect("127.0.0.1:1", **config)
    assert not [text for text in (str(raised.value), repr(raised.value)) if SECRET in text]


def test_a_batch_shows_its_first_rows(flights: hw.Topic) -> None:
    lines = repr(flights.head(2, value="string")).splitlines()
    assert lines == [
        "Batch(2 records)",
        "  partition  offset  timestamp             key    value  headers",
        "          0       0  1970-01-01T00:00:00Z  b'k0'  v0     []",
        "          0       1  1970-01-01T00:00:01Z  b'k1'  v1     []",
    ]
    assert repr(flights.head(0)) == "Batch(0 records)"


def test_a_large_batch_is_cut(client: hw.Client) -> None:
    topic = client.create_topic(name("wide"))
    row = {f"column_{number}": "x" * 500 for number in range(60)}
    with client.producer() as producer:
        producer.send_batch(topic.name, [row] * 1_200)
    (first, *_) = topic.scan(value="json", unnest=True)
    text, html = repr(first), first._repr_html_()
    assert max(map(len, text.splitlines())) < 500
    assert len(text.splitlines()) == 13
    assert "rows" in text
    assert "columns (" in text
    assert len(html) < 100_000
    assert html.count("<tr>") == 12


class Table(HTMLParser):
    """The cells of an HTML table, and all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_the_html_of_a_batch_is_escaped(client: hw.Client) -> None:
    topic = client.create_topic(name("evil"))
    with client.producer() as producer:
        producer.send(topic.name, '{"<b>name</b>": "<script>alert(\'1\')</script> & \\"more\\""}', key=b"<i>\xff\n'").result()
    batch = topic.head(value="json", schema={"<b>name</b>": "string"}, unnest=True)
    table = Table()
    table.feed(batch._repr_html_())
    assert set(table.tags) == {"div", "small", "table", "thead", "tbody", "tr", "th", "td"}
    assert "<b>name</b>" in table.cells
    assert "<script>alert('1')</script> & \"more\"" in table.cells
    assert 'b"<i>\\xff\\n\'"' in table.cells
    assert "int32" in table.cells or "Int32" in table.cells


def test_cells_of_each_kind_have_a_text(client: hw.Client) -> None:
    topic = client.create_topic(name("kinds"))
    with client.producer() as producer:
        producer.send(topic.name, b"x" * 1_000, key="käse\n", headers=[("a", b"1"), ("b", None)]).result()
        producer.send(topic.name, None).result()
    text = repr(topic.head(key="string"))
    assert "käse\\n" in text
    assert "null" in text
    assert f"b'{'x' * 29}…" in text
    for batch in (topic.head(columns=["offset", "topic"]), topic.head(columns=["value"]), topic.rate("1h")):
        assert repr(batch).count("\n") >= 2
        assert "<table" in batch._repr_html_()


@pytest.mark.parametrize("kind", ["client", "consumer", "topic", "batch"])
def test_a_repr_is_quick(client: hw.Client, flights: hw.Topic, kind: str) -> None:
    things: dict[str, Callable[[], object]] = {
        "client": lambda: client,
        "consumer": lambda: client.consumer(flights.name),
        "topic": lambda: flights,
        "batch": flights.head,
    }
    thing = things[kind]()
    begun = time.perf_counter()
    for _ in range(20):
        repr(thing)
    assert (time.perf_counter() - begun) / 20 < 0.05
