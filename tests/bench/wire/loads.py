"""Producing and consuming at full speed: throughput, and the broker's CPU time per million records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench import librdkafka
from tests.bench.figure import Better, Figure, Kind
from tests.bench.wire import java, rdkafka_performance
from tests.bench.wire.contestant import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.wire.full_memory import FullMemory
    from tests.foreign.process import StartedBroker

#: The first round warms up both sides and is not measured.
ROUNDS = 5
MILLION = 1_000_000


@dataclass(frozen=True)
class Load:
    """A client at full speed, and the floors of its figures. A fast client repeats the records this many `times`."""

    client: str
    run: Callable[[str, str, int, int], float]
    cpu_floor: float
    speed_floor: float
    times: int = 1

    def kinds(self, size: int) -> tuple[Kind, Kind]:
        """The measured quantities: broker CPU and throughput."""
        what = f"{self.client}, {size} bytes"
        speed_floor = 1.5 if self.run is java.produce and size == 1_000 else self.speed_floor
        return (
            Kind(f"broker CPU per million records: {what}", "s", Better.LESS, self.cpu_floor),
            Kind(f"throughput: {what}", "M/s", Better.MORE, speed_floor),
        )


@dataclass(frozen=True)
class Pair:
    """A producer, and the consumer that reads its records."""

    loads: tuple[Load, Load]
    #: Records of 100 and 1,000 bytes: ten seconds of a Java client, which needs the first three for its compiler.
    records: dict[int, int]


PAIRS = (
    Pair(
        (Load("ProducerPerformance", java.produce, 5, 1.1), Load("ConsumerPerformance", java.consume, 1.5, 1.1)),
        {100: 5_000_000, 1_000: 1_500_000},
    ),
    Pair(
        (
            Load("librdkafka producing", rdkafka_performance.produce, 2, 1.1),
            Load("librdkafka consuming", rdkafka_performance.consume, 1.5, 1.1, times=4),
        ),
        {100: 5_000_000, 1_000: 500_000},
    ),
)


def rows(kafka: StartedBroker | None, ours: StartedBroker | None, memory: FullMemory) -> Iterator[Figure]:
    """Run each pair at both brokers, in turns."""
    for pair in PAIRS:
        for size, records in pair.records.items():
            kinds = [kind for load in pair.loads for kind in load.kinds(size)]
            measured: dict[str, list[list[float]]] = {started.name: [] for started in (kafka, ours) if started}
            for number in range(ROUNDS):
                for started in (kafka, ours):
                    if started:
                        topic = f"bench-{id(pair)}-{size}-{number}"
                        measured[started.name].append(_round(started, pair, topic, records, size, memory))
            for column, kind in enumerate(kinds):
                best = {name: kind.best([runs[column] for runs in rounds[1:]]) for name, rounds in measured.items()}
                yield Figure(kind, best.get("kafka"), best.get("headwater"))


def _round(started: StartedBroker, pair: Pair, topic: str, records: int, size: int, memory: FullMemory) -> list[float]:
    """CPU and best throughput of producing and of consuming, on a topic of one partition that is deleted afterwards."""
    librdkafka.create_topic(started.address, topic)
    figures: list[float] = []
    for load in pair.loads:
        memory.fill()
        before = cpu_seconds(started)
        speeds = [load.run(started.address, topic, records, size) for _ in range(load.times)]
        cpu = cpu_seconds(started) - before
        figures += [cpu / (records * load.times) * MILLION, max(speeds) / MILLION]
    librdkafka.delete_topic(started.address, topic)
    return figures
