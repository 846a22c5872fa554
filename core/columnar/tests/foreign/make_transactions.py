"""Let Apache Kafka write transactions, and keep its files and answers for the Rust tests of ``read_committed``.

The files are committed; this runs only when a scenario changes::

    pip install -r bindings-python/requirements-dev.txt -c bindings-python/constraints.txt
    PYTHONPATH=. python core/columnar/tests/foreign/make_transactions.py

For each scenario, ``fixtures/transactions/<scenario>.log`` has the partition's segments in sequence.
``<scenario>.json`` has

- ``records``: offset and value of each record that Apache Kafka's console consumer returns with ``read_committed``;
- ``index``: producer id, first offset and last offset of each aborted transaction in the ``.txnindex`` files;
- ``fetches``: for each fetch offset, once with all batches and once with one: producer id and first offset of the
  aborted transactions in the response, and the position and length of the returned batches in the ``.log`` file.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import confluent_kafka
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from tests.foreign import kafka
from tests.foreign.kafka import broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.foreign.process import Started

FIXTURES = Path(__file__).parent.parent / "fixtures" / "transactions"
SETTINGS = {
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "log.cleaner.backoff.ms": "100",
}
WHOLE, ONE_BATCH = 1 << 20, 1
READ_COMMITTED = 1
#: The broker writes the marker after it has answered the producer.
MARKER_SECONDS = 0.5
INDEX_ENTRY = struct.Struct(">hqqqq")


class Writer:
    """A producer that sends one batch for each call. With a transactional id, each batch is part of its transaction."""

    def __init__(self, address: str, topic: str, transactional_id: str | None = None) -> None:
        """Connect; a transactional producer gets its producer id."""
        settings = {"bootstrap.servers": address, "linger.ms": 50, "compression.type": "lz4" if transactional_id == "B" else "none"}
        if transactional_id:
            settings["transactional.id"] = transactional_id
        self.producer = confluent_kafka.Producer(settings)
        self.topic = topic
        if transactional_id:
            self.producer.init_transactions()

    def begin(self) -> None:
        """Begin a transaction."""
        self.producer.begin_transaction()

    def write(self, *records: str) -> None:
        """Append records ``key=text``, each with its own text as value, and wait until the broker has them."""
        for record in records:
            self.producer.produce(self.topic, key=record.split("=")[0], value=record, partition=0)
        assert self.producer.flush(60) == 0

    def commit(self) -> None:
        """Commit the transaction."""
        self.producer.commit_transaction()
        time.sleep(MARKER_SECONDS)

    def abort(self) -> None:
        """Abort the transaction."""
        self.producer.abort_transaction()
        time.sleep(MARKER_SECONDS)


def interleaved(started: Started, topic: str) -> None:
    """Two producers with transactions that overlap, and a third one without."""
    address = started.address
    a, b, plain = Writer(address, topic, "A"), Writer(address, topic, "B"), Writer(address, topic)
    plain.write("0=before")
    a.begin()
    a.write("1=a aborted", "2=a aborted")
    plain.write("3=between")
    b.begin()
    b.write(*[f"{key}=b committed, and repeated {'so ' * 9}" for key in range(4)])
    a.write("4=a aborted")
    a.abort()
    a.begin()
    a.write("5=a committed after its abort")
    b.write("6=b committed after the abort of a")
    b.commit()
    b.begin()
    b.write(*[f"{key}=b aborted after its commit {'so ' * 9}" for key in range(4)])
    a.commit()
    b.write("7=b aborted after the commit of a")
    plain.write("8=plain", "9=plain")
    a.begin()
    a.write("10=a aborted together with b")
    b.abort()
    a.abort()
    b.begin()
    b.write("11=b committed after its abort")
    b.commit()
    a.begin()
    a.write("12=a aborted at the end")
    a.abort()
    plain.write("13=after")


def compacted(started: Started, topic: str) -> None:
    """Transactions of which compaction removes a part: first batches, all batches, and markers."""
    address = started.address
    a, b, plain = Writer(address, topic, "A"), Writer(address, topic, "B"), Writer(address, topic)
    a.begin()
    a.write("0=a aborted, all of it in cleaned segments")
    a.abort()
    b.begin()
    b.write("1=b committed and replaced")
    b.commit()
    plain.write("1=stays until the second cleaning", "2=stays")
    a.begin()
    a.write("3=a committed and replaced")
    a.commit()
    await_cleaning(started, topic, roll(started, topic, plain))
    a.begin()
    a.write("2=a aborted and replaced")
    a.write("4=a aborted, its marker in the active segment")
    b.begin()
    b.write("5=b committed, its marker in the active segment")
    plain.write("1=replaced", "3=stays", "2=stays")
    base = roll(started, topic, plain)
    a.write("6=a aborted in the active segment")
    a.abort()
    b.write("7=b committed in the active segment")
    b.commit()
    a.begin()
    a.write("8=a committed after its aborts")
    a.commit()
    plain.write("9=after")
    await_cleaning(started, topic, base)


def roll(started: Started, topic: str, plain: Writer) -> int:
    """Make the broker begin a segment; return its base offset."""
    set_config(started.address, topic, "segment.ms", "500")
    time.sleep(1)
    plain.write("10=first of a segment")
    set_config(started.address, topic, "segment.ms", "600000")
    return int(segments(started, topic)[-1].stem)


def await_cleaning(started: Started, topic: str, offset: int) -> None:
    """Wait until the cleaner has cleaned everything before the offset."""
    checkpoint = started.data / "cleaner-offset-checkpoint"
    deadline = time.monotonic() + 60
    cleaned = -1
    while cleaned < offset:
        assert time.monotonic() < deadline, f"cleaned up to {cleaned}, not to {offset}"
        time.sleep(0.2)
        found = re.search(rf"^{topic} 0 (\d+)$", checkpoint.read_text(encoding="utf-8"), re.MULTILINE) if checkpoint.exists() else None
        cleaned = int(found[1]) if found else -1


def set_config(address: str, topic: str, name: str, value: str) -> None:
    """Set one configuration key of the topic."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(60)
    time.sleep(0.5)


def create_topic(address: str, topic: str, config: dict[str, str]) -> None:
    """Create a topic of one partition."""
    new = NewTopic(topic, num_partitions=1, replication_factor=1, config=config)
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_topics([new]).values():
        done.result(60)


def segments(started: Started, topic: str, suffix: str = ".log") -> list[Path]:
    """Files of the partition's segments in order."""
    return sorted((started.data / f"{topic}-0").glob(f"*{suffix}"))


def index_entries(started: Started, topic: str) -> Iterator[list[int]]:
    """Producer id, first offset and last offset of the entries of the transaction indexes in order."""
    for path in segments(started, topic, ".txnindex"):
        for _, *transaction, _ in INDEX_ENTRY.iter_unpack(path.read_bytes()):
            yield transaction


def fetch(connection: socket.socket, topic: str, offset: int, max_bytes: int) -> tuple[list[tuple[int, int]], bytes]:
    """Send one Fetch, version 4. Return producer id and first offset of the aborted transactions, and the records."""
    name = struct.pack(">h", len(topic)) + topic.encode()
    body = struct.pack(">iiiibi", -1, 0, 1, 1 << 20, READ_COMMITTED, 1) + name + struct.pack(">iiqi", 1, 0, offset, max_bytes)
    request = struct.pack(">hhih", 1, 4, 0, -1) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    stream = connection.makefile("rb")
    answer = stream.read(*struct.unpack(">i", stream.read(4)))
    at = 12 + len(name) + 8
    error, _high_watermark, _last_stable_offset, count = struct.unpack_from(">hqqi", answer, at)
    assert error == 0, f"fetch from {offset}: error {error}"
    at += struct.calcsize(">hqqi")
    end = at + 16 * max(count, 0)
    return list(struct.iter_unpack(">qq", answer[at:end])), answer[end + 4 :]


def fetches(started: Started, topic: str, log: bytes, end: int) -> Iterator[dict[str, Any]]:
    """The broker's answers to fetches from each offset."""
    host, port = started.address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        for max_bytes in (WHOLE, ONE_BATCH):
            for offset in range(end):
                aborted, records = fetch(connection, topic, offset, max_bytes)
                position = log.find(records)
                assert records and position >= 0, f"the answer from {offset} is not a part of the log"
                yield {"offset": offset, "aborted": aborted, "position": position, "length": len(records)}


def console_consumer(address: str, topic: str) -> list[tuple[int, str]]:
    """Offset and value of each record that the console consumer prints with ``read_committed``."""
    arguments = ["--bootstrap-server", address, "--topic", topic, "--from-beginning", "--timeout-ms", "8000"]
    properties = ["--formatter-property", "print.offset=true", "--command-property", "isolation.level=read_committed"]
    command = kafka.command("org.apache.kafka.tools.consumer.ConsoleConsumer", *arguments, *properties)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = re.findall(r"^Offset:(\d+)\t(.*)$", done.stdout, re.MULTILINE)
    assert lines, done.stdout + done.stderr
    return [(int(offset), value) for offset, value in lines]


def librdkafka(address: str, topic: str, end: int) -> list[tuple[int, str]]:
    """The same records, read by librdkafka."""
    settings = {"bootstrap.servers": address, "group.id": "g", "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = confluent_kafka.Consumer(settings)
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    records = []
    while True:
        message = consumer.poll(30)
        assert message is not None, f"no record and no end before offset {end}"
        if message.error():
            break
        offset, value = message.offset(), message.value()
        assert offset is not None and isinstance(value, bytes)
        records.append((offset, value.decode()))
    consumer.close()
    return records


def make(started: Started, topic: str, write: Callable[[Started, str], None], config: dict[str, str]) -> None:
    """Write one scenario and store the broker's files and answers."""
    create_topic(started.address, topic, config)
    write(started, topic)
    log = b"".join(path.read_bytes() for path in segments(started, topic))
    consumer = confluent_kafka.Consumer({"bootstrap.servers": started.address, "group.id": "g"})
    _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), 30)
    consumer.close()
    records = console_consumer(started.address, topic)
    assert records == librdkafka(started.address, topic, end), "Kafka's consumer and librdkafka differ"
    kept: dict[str, list[Any]] = {
        "records": records,
        "index": list(index_entries(started, topic)),
        "fetches": list(fetches(started, topic, log, end)),
    }
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / f"{topic}.log").write_bytes(log)
    # One item on each line, so that a change can be read.
    lists = [f'"{name}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]" for name, items in kept.items()]
    (FIXTURES / f"{topic}.json").write_text("{" + ",\n".join(lists) + "}\n", encoding="utf-8")


def main() -> None:
    """Make the fixtures of all scenarios."""
    with tempfile.TemporaryDirectory() as folder, broker.start(Path(folder), SETTINGS) as started:
        make(started, "interleaved", interleaved, {})
        cleaned = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0", "segment.ms": "600000"}
        make(started, "compacted", compacted, cleaned)


if __name__ == "__main__":
    main()
