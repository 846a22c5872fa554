"""The Headwater client while its broker is killed and restarted: no acknowledged record is lost or repeated."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING

import headwater as hw
from tests.clients import target as targets
from tests.clients.consumer import eventually
from tests.foreign.kafka import broker as kafka_broker
from tests.foreign.process import StartedBroker, await_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

PARTITIONS = 2
KILLS = 2


def starter(name: str, folder: Path) -> Callable[[], StartedBroker]:
    """Return a function that starts the broker on the same directory and port each time."""
    port = kafka_broker.free_port()
    if name == "headwater":

        def start() -> StartedBroker:
            started = targets.spawn_headwater(folder, targets.SETTINGS, f"127.0.0.1:{port}")
            await_line(started, r"ready on")
            return dataclasses.replace(started, address=f"127.0.0.1:{port}")

        return start
    configuration = kafka_broker.format_storage(folder, targets.SETTINGS, port)

    def start_kafka() -> StartedBroker:
        started = kafka_broker.launch(folder, configuration, port)
        await_line(started, r"Kafka Server started")
        return started

    return start_kafka


class Writer(threading.Thread):
    """Sends numbers to the partitions in turns, and stores the offsets of the acknowledged ones."""

    def __init__(self, client: hw.Client) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.acknowledged: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        self.failures: list[Exception] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Send until it is stopped."""
        number = 0
        with self.client.producer(linger_ms=5) as producer:
            while not self.stopping.is_set():
                sent = [producer.send("t", str(n).encode(), partition=n % PARTITIONS) for n in range(number, number + 100)]
                for n, future in enumerate(sent, number):
                    try:
                        self.acknowledged[n % PARTITIONS].append((future.result(120).offset or 0, n))
                    except hw.HeadwaterError as failure:
                        self.failures.append(failure)
                number += 100

    def await_more(self) -> None:
        """Wait until a thousand more records are acknowledged."""
        enough = self.count() + 1_000
        eventually(lambda: self.count() >= enough, lambda: f"{enough} acknowledged records, and not {self.count()}")

    def count(self) -> int:
        """The number of acknowledged records."""
        return sum(map(len, self.acknowledged))


class Reader(threading.Thread):
    """Reads as a member of a group."""

    def __init__(self, client: hw.Client) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.read: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        self.stopping = threading.Event()

    def run(self) -> None:
        """Read until it is stopped."""
        with self.client.consumer("t", group_id="g", auto_offset_reset="earliest") as consumer:
            while not self.stopping.is_set():
                for message in consumer.poll(0.5):
                    self.read[message.partition].append((message.offset, int(message.value)))


def test_a_killed_broker_costs_no_acknowledged_record(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    start = starter(request.config.getoption("--broker"), tmp_path)
    broker = start()
    with hw.connect(broker.address) as client:
        topic = client.create_topic("t", partitions=PARTITIONS)
        writer, reader = Writer(client), Reader(client)
        writer.start()
        reader.start()
        for _ in range(KILLS):
            writer.await_more()
            broker.process.kill()
            broker.process.wait()
            time.sleep(1)
            broker = start()
        writer.await_more()
        writer.stopping.set()
        writer.join(120)
        assert not writer.failures
        stored: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        for batch in topic.scan():
            for message in batch:
                stored[message.partition].append((message.offset, int(message.value)))
        # Exactly the acknowledged records: each once, in order.
        assert stored == writer.acknowledged
        eventually(lambda: reader.read == stored, lambda: f"{[len(part) for part in reader.read]} of {[len(part) for part in stored]}")
        reader.stopping.set()
        reader.join(60)
    broker.stop()
