"""Editors show the docstrings: a language server answers hover requests about the installed package."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import headwater as hw
import headwater.aio
from headwater import pytest as plugin

client = hw.open("./data")
topic = client.create_topic("flights")
scan = topic.scan(limit=10)
batch = topic.head()
consumer = client.consumer("flights")
producer = client.producer()
future = producer.send("flights", b"late")
metadata = future.result()
batch.to_polars()
topic.partitions
batch.decode(value="json")
consumer.poll()
scan.to_pandas()
metadata.timestamp_ms
hw.connect("host:9092")
hw.KafkaError
hw.aio.open()
plugin.kafka_topic
hw.aio.Client
hw.aio.Consumer.batches


async def main():
    aio_client = await hw.aio.open("./data")
    aio_topic = await aio_client.create_topic("flights")
    aio_scan = aio_topic.scan(limit=10)
    frame = await aio_scan.to_polars()
    aio_batch = await aio_topic.head()
    aio_batch.to_arrow()
    aio_consumer = aio_client.consumer("flights")
    aio_polled = await aio_consumer.poll()
    aio_polled.to_pandas()
    async for message in aio_consumer:
        message.headers
    aio_producer = aio_client.producer()
    sent = await aio_producer.send("flights", b"late")
    sent.timestamp_ms
    async with hw.aio.connect("host:9092") as connected:
        await connected.group_offsets("readers")
    aio_server = await connected.serve()
    await aio_server.close()
"""

# The line that contains the name, the name, and a part of its documentation.
HOVERS = [
    ("hw.open(", "open", "Open an embedded engine and return the client on it."),
    ("hw.connect(", "connect", "Connect to a Kafka cluster and return the client on it"),
    ("client.create_topic(", "create_topic", 'if_exists="ignore"'),
    ("topic.scan(", "scan", "Reading stops after"),
    ("topic.head(", "head", "partition by partition, in offset order"),
    ("client.consumer(", "consumer", "A consumer of all partitions of these topics"),
    ("client.producer(", "producer", "Kafka's producer keys"),
    ("producer.send(", "send", "waits up to"),
    ("future.result(", "result", "Raises the error if it could not be written"),
    ("batch.to_polars(", "to_polars", "without a copy"),
    ("topic.partitions", "partitions", "The number of partitions"),
    ("batch.decode(", "decode", "The batch must have them as bytes"),
    ("consumer.poll(", "poll", "If none arrive within"),
    ("scan.to_pandas(", "to_pandas", "numpy_nullable"),
    ("metadata.timestamp_ms", "timestamp_ms", "in milliseconds since 1970"),
    ("hw.KafkaError", "KafkaError", "refused the call"),
    ("hw.aio.open()", "aio", "Headwater for asyncio"),
    ("hw.aio.open()", "open", "Open an embedded engine"),
    ("plugin.kafka_topic", "kafka_topic", "A new topic of"),
    ("hw.aio.Client", "Client", "`headwater.Client` for asyncio"),
    ("hw.aio.Consumer.batches", "batches", "After the first record"),
    ("aio_client.create_topic(", "create_topic", 'if_exists="ignore"'),
    ("aio_topic.scan(", "scan", "Reading stops after"),
    ("aio_scan.to_polars(", "to_polars", "pushed down"),
    ("aio_topic.head(", "head", "partition by partition, in offset order"),
    ("aio_batch.to_arrow(", "to_arrow", "As a `pyarrow.Table`."),
    ("aio_client.consumer(", "consumer", "A consumer of all partitions of these topics"),
    ("aio_consumer.poll(", "poll", "If none arrive within"),
    ("aio_polled.to_pandas(", "to_pandas", "numpy_nullable"),
    ("message.headers", "headers", "pairs"),
    ("aio_client.producer(", "producer", "Kafka's producer keys"),
    ("aio_producer.send(", "send", "waits up to"),
    ("sent.timestamp_ms", "timestamp_ms", "in milliseconds since 1970"),
    ("connected.group_offsets(", "group_offsets", "The committed offsets"),
    ("connected.serve(", "serve", "any Kafka client"),
    ("aio_server.close(", "close", "Answer the requests that have arrived"),
]


class LanguageServer:
    """The client's side of the language server protocol over pipes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "pylsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.requests = 0

    def notify(self, method: str, **params: Any) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, **params: Any) -> Any:
        self.requests += 1
        self._write({"jsonrpc": "2.0", "id": self.requests, "method": method, "params": params})
        while True:
            answer = self._read()
            if answer.get("id") == self.requests and "method" not in answer:
                assert "error" not in answer, answer
                return answer["result"]

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline().strip()) or not length:
            assert line, "the language server has ended"
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanguageServer, str]]:
    """A language server that has opened the program, and the program's address."""
    path: Path = tmp_path_factory.mktemp("project")
    uri = (path / "program.py").as_uri()
    server = LanguageServer()
    server.request("initialize", processId=None, rootUri=path.as_uri(), capabilities={})
    server.notify("initialized")
    server.notify("textDocument/didOpen", textDocument={"uri": uri, "languageId": "python", "version": 1, "text": PROGRAM})
    yield server, uri
    server.request("shutdown")
    server.notify("exit")
    server.process.wait(60)


@pytest.mark.parametrize(("line", "name", "text"), HOVERS, ids=[f"{line.rstrip('(')}:{name}" for line, name, _ in HOVERS])
def test_hovering_over_a_name_shows_its_documentation(server: tuple[LanguageServer, str], line: str, name: str, text: str) -> None:
    lines = PROGRAM.splitlines()
    number = next(number for number, source in enumerate(lines) if line in source)
    start = lines[number].index(line) + line.rindex(name)
    hover = server[0].request("textDocument/hover", textDocument={"uri": server[1]}, position={"line": number, "character": start + 1})
    contents = hover["contents"]
    shown = contents if isinstance(contents, str) else contents["value"] if isinstance(contents, dict) else str(contents)
    plain = " ".join(shown.replace("\\", "").replace("`", "").split())
    assert " ".join(text.replace("`", "").split()) in plain, shown
