"""`send_batch` of a Polars frame, and `batches()` to Polars, compared with the Rust core, for 100-byte values."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import polars as pl

import headwater as hw
from tests.bench import rust_program
from tests.bench.table import Row, in_turns, print_rows, rate

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 3_000_000


def core(program: Path) -> dict[str, float]:
    """Run the Rust program once: records per second by name."""
    with tempfile.TemporaryDirectory() as path:
        output = subprocess.run([program, path, str(RECORDS)], check=True, capture_output=True, text=True).stdout
    return {name: float(figure) for name, figure in (line.split() for line in output.splitlines())}


def python() -> dict[str, float]:
    """Run the same calls from Python once."""
    frame = pl.DataFrame({"value": pl.repeat(b"x" * 100, RECORDS, dtype=pl.Binary, eager=True)})
    with tempfile.TemporaryDirectory() as path, hw.open(path) as client:
        client.create_topic("bench")
        with client.producer() as producer:
            send = rate(RECORDS, lambda: producer.send_batch("bench", frame, value="value"))

        def read() -> None:
            seen = 0
            with client.consumer("bench", auto_offset_reset="earliest") as consumer:
                for batch in consumer.batches(until="end"):
                    seen += len(batch.to_polars())
            assert seen == RECORDS

        return {"send_batch": send, "batches": rate(RECORDS, read)}


def rows() -> list[Row]:
    """Measure."""
    program = rust_program.build("headwater-python", "core_frames")
    send, send_core = in_turns(3, lambda: python()["send_batch"], lambda: core(program)["send_batch"])
    read, read_core = in_turns(3, lambda: python()["batches"], lambda: core(program)["batches"])
    return [
        Row("Python send_batch of a Polars frame / core", send, send_core, 0.8),
        Row("Python batches() to Polars / core", read, read_core, 0.8),
    ]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
