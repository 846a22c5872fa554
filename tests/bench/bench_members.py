"""`batches()` to Polars as a member of a group, compared with the same without a group, for 100-byte values."""

from __future__ import annotations

import itertools
import sys
import tempfile

import polars as pl

import headwater as hw
from tests.bench.table import Row, in_turns, print_rows, rate

RECORDS = 3_000_000
PARTITIONS = 4
GROUPS = itertools.count()


def read(consumer: hw.Consumer) -> None:
    """Read to the end of each partition."""
    seen = sum(len(batch.to_polars()) for batch in consumer.batches(until="end"))
    assert seen == RECORDS


def alone(client: hw.Client) -> float:
    """Read without a group."""
    with client.consumer("bench", auto_offset_reset="earliest") as consumer:
        return rate(RECORDS, lambda: read(consumer))


def member(client: hw.Client) -> float:
    """Join a new group, then read all records of the assignment."""
    with client.consumer("bench", group_id=f"bench-{next(GROUPS)}", auto_offset_reset="earliest") as consumer:
        while not consumer.assignment():
            consumer.poll(0.01, max_records=1)
        consumer.seek("earliest")
        return rate(RECORDS, lambda: read(consumer))


def rows() -> list[Row]:
    """Measure."""
    frame = pl.DataFrame({"value": pl.repeat(b"x" * 100, RECORDS // PARTITIONS, dtype=pl.Binary, eager=True)})
    with tempfile.TemporaryDirectory() as path, hw.open(path, group_initial_rebalance_delay_ms=0) as client:
        client.create_topic("bench", partitions=PARTITIONS)
        with client.producer() as producer:
            for partition in range(PARTITIONS):
                producer.send_batch("bench", frame, value="value", partition=partition)
        ours, without = in_turns(5, lambda: member(client), lambda: alone(client))
    return [Row("Python batches() as a group member / without a group", ours, without, 0.9)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
