"""The figures of the client with a cluster in one table: `python -m tests.bench.connect [ROW ...] [--quick]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.connect import rust
from tests.bench.connect.turns import Bench, Topics, rate_and_cpu
from tests.bench.figure import Better, Figure, Kind, header
from tests.bench.wire.contestant import KAFKA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.client_process import Run

#: The maximum records of a run of these rows: enough for a fifth of a second, and few enough for the page cache.
PRODUCED, AWAITED = 2_000_000, 5_000


def consume(bench: Bench) -> Iterator[Figure]:
    """Read a topic into Polars frames."""
    loads = ["ConfluentConsumeFrames", "KafkarrowConsumeFrames", "ReceiveOnly", "OurConsumeFrames"]
    confluent, kafkarrow, limit, ours = bench.in_turns(loads, Topics.READ).values()
    yield from rate_and_cpu("consume frames / confluent-kafka", confluent, ours, 8, 10)
    yield from rate_and_cpu("consume frames / kafkarrow", kafkarrow, ours, 4, None)
    yield from rate_and_cpu("consume frames / a loop that only receives, the limit", limit, ours, None, None)


def produce(bench: Bench) -> Iterator[Figure]:
    """Write a Polars frame to a topic."""
    theirs, ours = bench.in_turns(["ConfluentProduce", "OurProduceFrame"], Topics.FILL, PRODUCED).values()
    yield from rate_and_cpu("produce a frame / confluent-kafka produce()", theirs, ours, 5, None)
    yield from rate_and_cpu("produce a frame / librdkafka's performance tool, the broker's limit", produced_by_tool(bench), ours, 1, None)


def send(bench: Bench) -> Iterator[Figure]:
    """Send records one by one."""
    theirs, ours = bench.in_turns(["ConfluentProduce", "OurSend"], Topics.FILL, PRODUCED).values()
    yield from rate_and_cpu("send() / confluent-kafka produce()", theirs, ours, 2, None)
    yield from rate_and_cpu("send() / librdkafka's performance tool, the broker's limit", produced_by_tool(bench), ours, None, None)


def produced_by_tool(bench: Bench) -> list[Run]:
    """The runs of a loop in C that sends the same record again and again."""
    records = min(PRODUCED, bench.records)
    return [bench.in_new_topic(lambda topic: rust.produce(bench.broker.address, topic, records)) for _ in range(bench.rounds)]


def messages(bench: Bench) -> Iterator[Figure]:
    """Read records one by one."""
    theirs, ours = bench.in_turns(["ConfluentMessages", "OurMessages"], Topics.READ).values()
    yield from rate_and_cpu("iterate messages / confluent-kafka consume(10000)", theirs, ours, 3, None)


def rust_consumer(bench: Bench) -> Iterator[Figure]:
    """Read records with a Rust program."""
    theirs, ours = rust.in_turns(bench.broker.address, bench.filled_topic(), bench.records, bench.rounds)
    yield from rate_and_cpu("Rust consumer / librdkafka", theirs, ours, None, 2)


def awaited(bench: Bench) -> Iterator[Figure]:
    """Send records, each after the acknowledgement of the one before."""
    theirs, ours = bench.in_turns(["ConfluentAwaitLoad", "HeadwaterAwaitLoad"], Topics.FILL, AWAITED).values()
    for percent in (50, 99):
        kind = Kind(f"one record awaited / confluent-kafka, linger.ms=0: p{percent}", "ms", Better.LESS, 1)
        sides = ([run.percentiles[str(percent)] * 1_000 for run in runs] for runs in (theirs, ours))
        yield Figure(kind, *(kind.best(runs) for runs in sides))


ROWS: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "consume": consume,
    "produce": produce,
    "send": send,
    "messages": messages,
    "rust": rust_consumer,
    "awaited": awaited,
}


def main() -> int:
    """Print the table; return 1 if a floor was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.connect", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; by default all")
    parser.add_argument("--records", type=int, default=5_000_000, help="records of a run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 500,000 records, as a quick check")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"{unknown[0]} is not a row: {', '.join(ROWS)}")
    records, rounds = (500_000, 1) if arguments.quick else (arguments.records, arguments.rounds)
    print(f"Load average before: {os.getloadavg()[0]:.1f}")
    print(header("theirs"))
    missed = 0
    with tempfile.TemporaryDirectory() as folder, KAFKA.start(Path(folder)) as broker:
        bench = Bench(broker, records, rounds)
        for name in arguments.rows or ROWS:
            for figure in ROWS[name](bench):
                print(figure, flush=True)
                missed += figure.missed
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
