"""Sends records, each after the acknowledgement of the one before."""

from __future__ import annotations

import time

import headwater as hw
from tests.bench import librdkafka
from tests.bench.connect.load import RECORD_BYTES, Load

#: Records that come before those that count: the first ones of a topic pay for its connection and its files.
WARMUP = 100


class AwaitLoad(Load):
    """The result is the time that each record took, in seconds, sorted."""

    def check(self, result: object) -> None:
        """Check the number of records."""
        assert isinstance(result, list)
        assert len(result) == self.records


class HeadwaterAwaitLoad(AwaitLoad):
    """`send(...).result()`."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = hw.connect(address).producer()

    def run(self, topic: str) -> list[float]:
        send, clock, value = self.producer.send, time.perf_counter, b"x" * RECORD_BYTES
        took = []
        for _ in range(WARMUP + self.records):
            started = clock()
            send(topic, value).result()
            took.append(clock() - started)
        return sorted(took[WARMUP:])


class ConfluentAwaitLoad(AwaitLoad):
    """`produce()`, and `poll()` until the delivery report arrives."""

    def run(self, topic: str) -> list[float]:
        return librdkafka.await_each(self.address, topic, self.records, WARMUP)
