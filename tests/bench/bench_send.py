"""`send()` for each record, compared with confluent-kafka's `produce()`, for 100-byte values."""

from __future__ import annotations

import sys
import tempfile

import headwater as hw
from tests.bench.peer import Peer
from tests.bench.table import Row, in_turns, print_rows, rate

RECORDS = 1_000_000
VALUE = b"x" * 100


def ours(client: hw.Client) -> float:
    """Send in a loop without keeping the futures, then flush."""
    producer = client.producer()

    def work() -> None:
        send = producer.send
        for _ in range(RECORDS):
            send("bench", VALUE)
        producer.flush()

    result = rate(RECORDS, work)
    producer.close()
    return result


def rows() -> list[Row]:
    """Measure."""
    peer = Peer()
    with tempfile.TemporaryDirectory() as path, hw.open(path) as client:
        client.create_topic("bench")
        mine, theirs = in_turns(3, lambda: ours(client), lambda: rate(RECORDS, lambda: peer.produce("send", VALUE, RECORDS)))
    return [Row("Python send() one by one / confluent-kafka produce()", mine, theirs, 2)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
