"""The time from the start of the process to the first acknowledged record, on a directory with the topic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.bench import librdkafka
from tests.bench.figure import Better, Figure, Kind
from tests.bench.wire.contestant import Contestant, await_listener
from tests.foreign.kafka.broker import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOPIC = "first"
ROUNDS = 2
KIND = Kind("start to first acknowledged record", "s", Better.LESS, 20)


def rows(kafka: Contestant | None, ours: Contestant | None, folder: Path) -> Iterator[Figure]:
    """Start both, in turns."""
    contestants = [contestant for contestant in (kafka, ours) if contestant]
    ports = {contestant.name: _prepare(contestant, folder / contestant.name) for contestant in contestants}
    took: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for _ in range(ROUNDS):
        for contestant in contestants:
            took[contestant.name].append(_time(contestant, folder / contestant.name, ports[contestant.name]))
    best = {name: KIND.best(runs) for name, runs in took.items()}
    yield Figure(KIND, best.get("kafka"), best.get("headwater"))


def _prepare(contestant: Contestant, folder: Path) -> int:
    """Make the broker create its directory and a topic; return its port."""
    port = free_port()
    contestant.prepare(folder, port)
    with contestant.launch(folder, port) as started:
        await_listener(started)
        librdkafka.create_topic(started.address, TOPIC)
        librdkafka.produce_first(started.address, TOPIC)
    return port


def _time(contestant: Contestant, folder: Path, port: int) -> float:
    begun = time.perf_counter()
    with contestant.launch(folder, port) as started:
        await_listener(started)
        librdkafka.produce_first(started.address, TOPIC)
        return time.perf_counter() - begun
