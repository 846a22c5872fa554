"""Figures of the Node package, one table: `python -m tests.bench.node [ROW ...] [--broker NAME] [--quick]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figure import Better, Figure, Kind, Limit, header
from tests.bench.node import alone
from tests.bench.node.brokers import HEADWATER, KAFKA
from tests.bench.node.turns import ADAPTER, KAFKAJS, OURS, PEERS, Bench, Topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.wire.contestant import Contestant

GIB = 1 << 30
#: The records of a batch of ours. The last batch of a run is as full as the others, and does not wait for more.
BATCH = 65_536


@dataclass(frozen=True)
class Size:
    """How much is measured. A peer should work for a second in each run, so that it is compiled."""

    rounds: int
    consumed: int
    awaited: int
    at_once: int
    many: int
    embedded: int
    delay_seconds: float
    topic_bytes: int
    total_bytes: int


FULL = Size(3, 16 * BATCH, 3_000, 50_000, 300_000, 3_000_000, 10, GIB, 10 * GIB)
QUICK = Size(1, 3 * BATCH, 500, 10_000, 50_000, 500_000, 2, GIB // 4, 2 * GIB)


def consume(bench: Bench, size: Size) -> Iterator[Figure]:
    """Records, read in batches."""
    yield bench.against(PEERS, OURS, "batches", size.consumed, Kind("consume in batches", "M/s", Better.MORE, 6))


def messages(bench: Bench, size: Size) -> Iterator[Figure]:
    """Records, read one by one."""
    yield bench.against(PEERS, OURS, "messages", size.consumed, Kind("consume with for await", "M/s", Better.MORE, 2.5))


def send(bench: Bench, size: Size) -> Iterator[Figure]:
    """Records, sent one by one: each awaited, or a hundred at once."""
    yield bench.against(PEERS, OURS, "awaited", size.awaited, Kind("send() awaited: p50", "ms", Better.LESS, 1.2))
    yield bench.against(PEERS, OURS, "at_once", size.at_once, Kind("send(), 100 at once", "M/s", Better.MORE, 2))


def send_batch(bench: Bench, size: Size) -> Iterator[Figure]:
    """Records, sent by the thousand."""
    yield bench.against(PEERS, OURS, "many", size.many, Kind("sendBatch() of 1,000", "M/s", Better.MORE, 5))


def adapter(bench: Bench, size: Size) -> Iterator[Figure]:
    """The adapter with the surface of kafkajs."""
    yield bench.against([KAFKAJS], ADAPTER, "messages", size.consumed, Kind("adapter: eachMessage", "M/s", Better.MORE, 1.5))
    yield bench.against([KAFKAJS], ADAPTER, "many", size.many, Kind("adapter: send of 1,000", "M/s", Better.MORE, 2))


#: At each broker.
CLIENT_ROWS: dict[str, Callable[[Bench, Size], Iterator[Figure]]] = {
    "consume": consume,
    "messages": messages,
    "send": send,
    "send-batch": send_batch,
    "adapter": adapter,
}
#: Without a broker, or at ours.
OWN_ROWS = ("embedded", "delay", "memory")
ROWS = (*CLIENT_ROWS, *OWN_ROWS)


def figures(names: list[str], brokers: list[Contestant], size: Size, folder: Path) -> Iterator[Figure | Limit]:
    """Measure the rows of these names."""
    at_brokers = [name for name in names if name in CLIENT_ROWS]
    if at_brokers:
        for contestant in brokers:
            with contestant.start(folder / contestant.name) as broker, Topics(broker.address) as topics:
                bench = Bench(broker, topics, size.rounds)
                for name in at_brokers:
                    yield from CLIENT_ROWS[name](bench, size)
    if "embedded" in names:
        yield alone.embedded(size.embedded, size.rounds)
    if "delay" in names:
        yield from alone.delay(size.delay_seconds)
    if "memory" in names:
        with HEADWATER.start(folder / "memory") as broker, Topics(broker.address) as topics:
            yield from alone.memory(broker.address, topics, size.topic_bytes, size.total_bytes)


def main() -> int:
    """Print the table; return 1 if a floor was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.node", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all of them if none is named")
    parser.add_argument("--broker", choices=[KAFKA.name, HEADWATER.name], help="the only broker of the rows that compare clients")
    parser.add_argument("--quick", action="store_true", help="each row in seconds, to try it out")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"{unknown[0]} is not a row: {', '.join(ROWS)}")
    brokers = [broker for broker in (KAFKA, HEADWATER) if arguments.broker in (None, broker.name)]
    print(f"Load average before: {os.getloadavg()[0]:.1f}")
    print(header("theirs"))
    missed = 0
    size = QUICK if arguments.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures(arguments.rows or list(ROWS), brokers, size, Path(folder)):
            print(figure, flush=True)
            missed += figure.missed
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
