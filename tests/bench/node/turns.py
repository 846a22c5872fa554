"""Clients in turns at one broker."""

from __future__ import annotations

import itertools
import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.client_process import ClientProcess, Run
from tests.bench.figure import Better, Figure, Kind
from tests.bench.node.brokers import HERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.foreign.process import StartedBroker

NUMBERS = itertools.count()
RECORD_BYTES = 100
#: Our client, and the ones that it is compared with.
OURS, ADAPTER = "ours", "adapter"
KAFKAJS = "kafkajs"
PEERS = (KAFKAJS, "platformatic")
#: The ways that read one topic. In the others each run fills a topic of its own.
READS = ("batches", "messages")


class Client(ClientProcess):
    """A client that does its work in one way."""

    def __init__(self, name: str, way: str, address: str, records: int) -> None:
        """Start it."""
        super().__init__(["node", "--expose-gc", str(HERE / "client.mjs"), name, way, address, str(records)])


class Topics(ClientProcess):
    """Makes topics of one partition."""

    def __init__(self, address: str) -> None:
        """Start it."""
        super().__init__(["node", str(HERE / "topics.mjs"), address])
        self._filled: set[str] = set()

    def create(self, topic: str) -> None:
        """Create a topic."""
        self.ask(json.dumps({"create": topic}))

    def delete(self, topic: str) -> None:
        """Delete a topic."""
        self.ask(json.dumps({"delete": topic}))

    def filled(self, records: int, size: int = RECORD_BYTES) -> str:
        """A topic with so many records of random bytes. It is made once."""
        topic = f"filled-{records}-{size}"
        if topic not in self._filled:
            self.ask(json.dumps({"fill": topic, "records": records, "bytes": size}))
            self._filled.add(topic)
        return topic


@dataclass(frozen=True)
class Bench:
    """A broker, and how often each client runs. The first round warms up and does not count."""

    broker: StartedBroker
    topics: Topics
    rounds: int

    def against(self, peers: Sequence[str], ours: str, way: str, records: int, kind: Kind) -> Figure:
        """Ours against the best of the peers, which the row names."""
        runs = self._in_turns((*peers, ours), way, records)
        best = {name: kind.best([figure_of(kind, run) for run in of_name]) for name, of_name in runs.items()}
        better = min if kind.better is Better.LESS else max
        peer = better(peers, key=lambda name: best[name])
        what = f"{kind.what} / {peer}, at {self.broker.name}"
        return Figure(Kind(what, kind.unit, kind.better, kind.floor), best[peer], best[ours])

    def _in_turns(self, names: Sequence[str], way: str, records: int) -> dict[str, list[Run]]:
        runs: dict[str, list[Run]] = {name: [] for name in names}
        with ExitStack() as ended:
            clients = {name: ended.enter_context(Client(name, way, self.broker.address, records)) for name in names}
            for _ in range(1 + self.rounds):
                for name, client in clients.items():
                    runs[name].append(self._run(client, way, records))
        return {name: of_name[1:] for name, of_name in runs.items()}

    def _run(self, client: Client, way: str, records: int) -> Run:
        if way in READS:
            return client.run(self.topics.filled(records))
        topic = f"run-{next(NUMBERS)}"
        self.topics.create(topic)
        try:
            return client.run(topic)
        finally:
            self.topics.delete(topic)


def figure_of(kind: Kind, run: Run) -> float:
    """The figure of a run: its median in milliseconds where less is better, else its rate."""
    return run.percentiles["50"] * 1_000 if kind.better is Better.LESS else run.rate
