"""Iterate messages, compared with confluent-kafka's tuned `consume(10000)`, for 100-byte values."""

from __future__ import annotations

import sys
import tempfile

import headwater as hw
from tests.bench.peer import Peer
from tests.bench.table import Row, in_turns, print_rows, rate

RECORDS = 1_000_000
VALUE = b"x" * 100


def ours(client: hw.Client) -> float:
    """Iterate a consumer and read each value."""

    def work() -> None:
        seen = size = 0
        with client.consumer("bench", auto_offset_reset="earliest") as consumer:
            for message in consumer:
                size += len(message.value)
                seen += 1
                if seen == RECORDS:
                    break
        assert size == RECORDS * len(VALUE)

    return rate(RECORDS, work)


def rows() -> list[Row]:
    """Measure."""
    peer = Peer()
    peer.fill(VALUE, RECORDS)
    with tempfile.TemporaryDirectory() as path, hw.open(path) as client:
        client.create_topic("bench")
        with client.producer() as producer:
            producer.send_batch("bench", [VALUE] * RECORDS)
        mine, theirs = in_turns(3, lambda: ours(client), lambda: rate(RECORDS, lambda: peer.consume(RECORDS)))
    return [Row("Python iterating messages / confluent-kafka consume(10000)", mine, theirs, 3)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
