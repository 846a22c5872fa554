"""Runs a load in a separate process, to measure its CPU time. Usage: `client LOAD ADDRESS RECORDS`, with `python -m`.

It reads the name of a topic, runs the load there, and writes the time of the run; then again, until its input ends.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import resource
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.client_process import ClientProcess, Run
from tests.bench.connect import awaited, frames, messages, receive

if TYPE_CHECKING:
    from tests.bench.connect.load import Load

LOADS: dict[str, type[Load]] = {
    load.__name__: load
    for load in (
        frames.OurConsumeFrames,
        frames.ConfluentConsumeFrames,
        frames.KafkarrowConsumeFrames,
        frames.OurProduceFrame,
        frames.ConfluentProduce,
        messages.OurSend,
        messages.OurMessages,
        messages.ConfluentMessages,
        awaited.HeadwaterAwaitLoad,
        awaited.ConfluentAwaitLoad,
        receive.ReceiveOnly,
    )
}


class Client(ClientProcess):
    """The process, seen from the bench."""

    def __init__(self, load: str, address: str, records: int) -> None:
        """Start it."""
        super().__init__([sys.executable, "-m", "tests.bench.connect.client", load, address, str(records)])


def cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    """The user and system CPU time of this process, or of its finished children (`RUSAGE_CHILDREN`)."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def measure(load: Load, topic: str) -> Run:
    """Run the load once, without garbage collection."""
    gc.collect()
    gc.disable()
    cpu, started = cpu_seconds(), time.perf_counter()
    result = load.run(topic)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    gc.enable()
    load.after.close()
    load.check(result)
    percentiles = {}
    if isinstance(result, list):
        percentiles = {str(percent): result[len(result) * percent // 100] for percent in (50, 99)}
    return Run(load.records, seconds, cpu, percentiles)


def main() -> None:
    """Serve runs until the input ends."""
    name, address, records = sys.argv[1:]
    load = LOADS[name](address, int(records))
    for line in sys.stdin:
        print(json.dumps(dataclasses.asdict(measure(load, line.strip()))), flush=True)


if __name__ == "__main__":
    main()
