"""One producer that awaits each acknowledgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import librdkafka
from tests.bench.figure import Better, Figure, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.foreign.process import StartedBroker

RECORDS, WARMUP, ROUNDS = 5_000, 1_000, 2
PERCENTILES = {
    50: Kind("one record awaited, librdkafka with linger.ms=0: p50", "ms", Better.LESS, 1.5),
    99: Kind("one record awaited, librdkafka with linger.ms=0: p99", "ms", Better.LESS, 2),
}


def rows(kafka: StartedBroker | None, ours: StartedBroker | None) -> Iterator[Figure]:
    """Measure both, in turns."""
    took: dict[str, list[list[float]]] = {started.name: [] for started in (kafka, ours) if started}
    for number in range(ROUNDS):
        for started in (kafka, ours):
            if started:
                topic = f"awaited-{number}"
                librdkafka.create_topic(started.address, topic)
                took[started.name].append(librdkafka.await_each(started.address, topic, RECORDS, WARMUP))
    for percentile, kind in PERCENTILES.items():
        best = {name: kind.best([run[RECORDS * percentile // 100] * 1_000 for run in runs]) for name, runs in took.items()}
        yield Figure(kind, best.get("kafka"), best.get("headwater"))
