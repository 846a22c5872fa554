"""Programs that read all records and each value of a topic: Headwater in Rust, and librdkafka's performance tool."""

from __future__ import annotations

import resource
import subprocess
from typing import TYPE_CHECKING

from tests.bench import rust_program
from tests.bench.client_process import Run
from tests.bench.connect.client import cpu_seconds
from tests.bench.connect.load import RECORD_BYTES
from tests.bench.wire import rdkafka_performance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def measure(records: int, program: Callable[[], float]) -> Run:
    """Run a program that returns its records per second. Its CPU time includes the start of the process."""
    before = cpu_seconds(resource.RUSAGE_CHILDREN)
    rate = program()
    return Run(records, records / rate, cpu_seconds(resource.RUSAGE_CHILDREN) - before)


def produce(address: str, topic: str, records: int) -> Run:
    """Write with librdkafka's tool: what the broker takes from a program in C."""
    return measure(records, lambda: rdkafka_performance.produce(address, topic, records, RECORD_BYTES))


def theirs(address: str, topic: str, records: int) -> Run:
    """Read with librdkafka's tool."""
    return measure(records, lambda: rdkafka_performance.consume(address, topic, records, RECORD_BYTES))


def ours(program: Path, address: str, topic: str, records: int) -> Run:
    """Run the Headwater example, which prints the sum of the sizes and its records per second."""

    def run() -> float:
        said = subprocess.run([program, address, topic, str(records)], check=True, stdout=subprocess.PIPE, text=True).stdout
        size, rate = said.split()
        assert int(size) == records * RECORD_BYTES
        return float(rate)

    return measure(records, run)


def in_turns(address: str, topic: str, records: int, rounds: int) -> tuple[list[Run], list[Run]]:
    """The runs of both programs. The first round warms up the broker and is not measured."""
    program = rust_program.build("headwater-python", "read_records")
    runs = [(theirs(address, topic, records), ours(program, address, topic, records)) for _ in range(1 + rounds)]
    return [run for run, _ in runs[1:]], [run for _, run in runs[1:]]
