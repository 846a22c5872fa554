"""All figures of the broker over TCP in one table: `python -m tests.bench.wire`."""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figure import header
from tests.bench.wire import latency, loads, memory, starting
from tests.bench.wire.contestant import HEADWATER, KAFKA, Contestant
from tests.bench.wire.full_memory import FullMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figure import Figure, Limit
    from tests.foreign.process import StartedBroker


def rows(kafka: Contestant | None, ours: Contestant | None, folder: Path) -> Iterator[Figure | Limit]:
    """Measure the start first, then all other figures with running brokers."""
    yield from starting.rows(kafka, ours, folder / "starting")
    with ExitStack() as stopped:

        def start(contestant: Contestant | None) -> StartedBroker | None:
            if contestant is None:
                return None
            return stopped.enter_context(contestant.start(folder / contestant.name))

        full = stopped.enter_context(FullMemory(folder))
        brokers = start(kafka), start(ours)
        yield from itertools.chain(latency.rows(*brokers), loads.rows(*brokers, full), memory.rows(*brokers))


def main() -> int:
    """Print the table; return 1 if a floor was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.wire", description=__doc__)
    parser.add_argument("--only", choices=["kafka", "headwater"], help="measure one side, without ratios")
    only = parser.parse_args().only
    kafka, ours = (contestant if only in (None, contestant.name) else None for contestant in (KAFKA, HEADWATER))
    # A thousand connections need a thousand open files here, and as many in the broker, which inherits the limit.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    missed = 0
    print(header("Kafka"))
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(kafka, ours, Path(folder)):
            print(row, flush=True)
            missed += row.missed
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
