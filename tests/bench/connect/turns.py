"""Runs clients in turns with one broker."""

from __future__ import annotations

import enum
import itertools
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from tests.bench import confluent, librdkafka
from tests.bench.connect.client import Client
from tests.bench.connect.load import random_values
from tests.bench.figure import Better, Figure, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.client_process import Run
    from tests.foreign.process import StartedBroker

NUMBERS = itertools.count()


class Topics(enum.Enum):
    """How runs use topics."""

    #: All runs read one topic.
    READ = enum.auto()
    #: Each run fills its own topic.
    FILL = enum.auto()


@dataclass(frozen=True)
class Bench:
    """A broker and the size of the measurement. The first round of each comparison warms up and is not measured."""

    broker: StartedBroker
    records: int
    rounds: int

    def filled_topic(self) -> str:
        """A topic of one partition with all records, created once."""
        topic = f"filled-{self.records}"
        if topic not in _FILLED:
            librdkafka.create_topic(self.broker.address, topic)
            confluent.produce(Producer(confluent.producer_config(self.broker.address)), topic, random_values(self.records))
            _FILLED.add(topic)
        return topic

    def in_turns(self, loads: list[str], topics: Topics, most: int | None = None) -> dict[str, list[Run]]:
        """The runs of each load, with at most `most` records."""
        records = min(most or self.records, self.records)
        runs: dict[str, list[Run]] = {load: [] for load in loads}
        with ExitStack() as ended:
            clients = {load: ended.enter_context(Client(load, self.broker.address, records)) for load in loads}
            for _ in range(1 + self.rounds):
                for load, client in clients.items():
                    runs[load].append(self._run(client, topics))
        return {load: of_load[1:] for load, of_load in runs.items()}

    def in_new_topic(self, run: Callable[[str], Run]) -> Run:
        """A run on a topic of its own."""
        topic = f"run-{next(NUMBERS)}"
        librdkafka.create_topic(self.broker.address, topic)
        try:
            return run(topic)
        finally:
            librdkafka.delete_topic(self.broker.address, topic)

    def _run(self, client: Client, topics: Topics) -> Run:
        if topics is Topics.READ:
            return client.run(self.filled_topic())
        return self.in_new_topic(client.run)


_FILLED: set[str] = set()


def rate_and_cpu(what: str, theirs: list[Run], ours: list[Run], rate_floor: float | None, cpu_floor: float | None) -> Iterator[Figure]:
    """The two figures of a comparison: records per second, and CPU time per million records."""
    rate = Kind(f"{what}: records", "M/s", Better.MORE, rate_floor)
    yield Figure(rate, *(rate.best([run.rate for run in runs]) for runs in (theirs, ours)))
    cpu = Kind(f"{what}: client CPU a million", "s", Better.LESS, cpu_floor)
    yield Figure(cpu, *(cpu.best([run.cpu for run in runs]) for runs in (theirs, ours)))
