"""librdkafka's producer and consumer, through librdkafka's own performance tool, tuned as its users tune them for speed.

The client shares the machine with the broker, and what it costs hides what the broker costs; of librdkafka's users this tool costs least.
It counts records and does nothing else with them. It produces the same bytes again and again, which are copied once, into the request
(`-D` would copy them twice); consuming, it checks no batch's CRC, as librdkafka does not unless asked (`check.crcs`).
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
    # Far more than what is on the way, and never so much that the client's memory counts.
    "queue.buffering.max.messages": 10_000_000,
    "queue.buffering.max.kbytes": 200_000,
    # Now and then the tool asks for the topic's leader a moment too early, and again after this; its own default is 500.
    "retry.backoff.ms": 10,
}
CONSUMER = {"queued.min.messages": 1_000_000, "fetch.queue.backoff.ms": 5}


def produce(address: str, topic: str, records: int, size: int) -> float:
    """Produce in batches of 1 MB; return records a second.

    The tool's clock runs from its first record, before it is connected, until it is told of the last acknowledgement. In between the last
    batch, which is not full, waits for `linger.ms`.
    """
    row, said = _run("-P", address, topic, records, PRODUCER, "-s", str(size))
    assert (row["dr"], row["dr_err"]) == (records, 0), said
    return row["dr_m/s"]


def consume(address: str, topic: str, records: int, size: int) -> float:
    """Consume all records of the one partition; return records a second, by a clock that runs from the first record until the last."""
    row, said = _run("-C", address, topic, records, CONSUMER, "-o", "beginning")
    assert (row["msgs"], row["bytes"], row["offset"], row["rx_err"]) == (records, records * size, records - 1, 0), said
    return row["m/s"]


def _run(mode: str, address: str, topic: str, records: int, settings: Mapping[str, int], *options: str) -> tuple[dict[str, float], str]:
    """Run the tool on the one partition; return the last row of its table, and all that it said."""
    assert TOOL.exists(), f"{TOOL} is missing: build it (make {TOOL.relative_to(PROJECT)})"
    # A table (-u), and no lines between its rows (-q).
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
    """The last row of a table whose cells stand after bars, by the names of its columns."""
    header, *rows = ([cell.strip() for cell in line.split("|")[1:]] for line in said.splitlines() if line.startswith("|"))
    return dict(zip(header, map(float, rows[-1]), strict=True))
