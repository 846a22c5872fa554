"""librdkafka's producer and consumer in librdkafka's own performance tool, tuned for speed.

The client shares the machine with the broker, so its cost hides the broker's; this is the cheapest of librdkafka's
users. It only counts records. It produces the same bytes repeatedly, which are copied once, into the request (`-D`
would copy them twice). As a consumer it does not check the CRC of batches, which is librdkafka's default
(`check.crcs`).
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parents[4]
TOOL = PROJECT / "build" / "librdkafka" / "rdkafka_performance"
SECONDS = 120
PRODUCER = {
    "acks": -1,
    "batch.size": 1_000_000,
    "batch.num.messages": 1_000_000,
    "linger.ms": 50,
    # Much more than the messages in flight, but not so much that the client's memory matters.
    "queue.buffering.max.messages": 10_000_000,
    "queue.buffering.max.kbytes": 200_000,
    # Sometimes the tool requests the topic's leader too early, and retries after this time; its own default is 500.
    "retry.backoff.ms": 10,
}
CONSUMER = {"queued.min.messages": 1_000_000, "fetch.queue.backoff.ms": 5}


def produce(address: str, topic: str, records: int, size: int) -> float:
    """Produce in batches of 1 MB; return records per second.

    The tool measures from its first record, before it is connected, until the last acknowledgement. In this time the
    last, incomplete batch waits for `linger.ms`.
    """
    row, said = _run("-P", address, topic, records, PRODUCER, "-s", str(size))
    assert (row["dr"], row["dr_err"]) == (records, 0), said
    return row["dr_m/s"]


def consume(address: str, topic: str, records: int, size: int) -> float:
    """Consume all records of the only partition; return records per second, from the first record to the last."""
    row, said = _run("-C", address, topic, records, CONSUMER, "-o", "beginning")
    assert (row["msgs"], row["bytes"], row["offset"], row["rx_err"]) == (records, records * size, records - 1, 0), said
    return row["m/s"]


def _run(mode: str, address: str, topic: str, records: int, settings: Mapping[str, int], *options: str) -> tuple[dict[str, float], str]:
    """Run the tool on the only partition; return the last row of its table, and its complete output."""
    assert TOOL.exists(), f"{TOOL} is missing: build it (make {TOOL.relative_to(PROJECT)})"
    # A table (-u) without lines between its rows (-q).
    load = ["-b", address, "-t", topic, "-p", "0", "-c", str(records), "-u", "-q", *options]
    properties = [part for key, value in settings.items() for part in ("-X", f"{key}={value}")]
    done = subprocess.run(
        [TOOL, mode, *load, *properties],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return _last_row(done.stdout), done.stdout


def _last_row(said: str) -> dict[str, float]:
    """The last row of a table with bars before its cells, by column name."""
    header, *rows = ([cell.strip() for cell in line.split("|")[1:]] for line in said.splitlines() if line.startswith("|"))
    return dict(zip(header, map(float, rows[-1]), strict=True))
