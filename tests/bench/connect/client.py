"""Runs a load in a separate process, to measure its CPU time. Usage: `client LOAD ADDRESS RECORDS`, with `python -m`.

It reads the name of a topic, runs the load there, and writes the time of the run; then again, until its input ends.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.bench.connect import awaited, frames, messages

if TYPE_CHECKING:
    from tests.bench.connect.load import Load

ROOT = Path(__file__).parents[3]
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
    )
}


@dataclass(frozen=True)
class Run:
    """The time of a run: elapsed seconds, CPU seconds of the client's process, percentiles of awaited records."""

    records: int
    seconds: float
    cpu_seconds: float
    percentiles: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Millions of records per second."""
        return self.records / self.seconds / 1e6

    @property
    def cpu(self) -> float:
        """CPU seconds per million records."""
        return self.cpu_seconds / self.records * 1e6


class Client:
    """The client's process, from the view of the bench."""

    def __init__(self, load: str, address: str, records: int) -> None:
        """Start the process."""
        command = [sys.executable, "-m", "tests.bench.connect.client", load, address, str(records)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, topic: str) -> Run:
        """Run the load once."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{topic}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the client ended with {self._process.wait()}"
        return Run(**json.loads(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
