"""Java's producer and consumer in Kafka's own performance tools."""

from __future__ import annotations

import re
import subprocess

from tests.foreign import kafka

TOOLS = "org.apache.kafka.tools"
#: The options that Kafka's own scripts set for its tools.
HEAP = ("-Xmx512M",)


def produce(address: str, topic: str, records: int, size: int) -> float:
    """Run ProducerPerformance with its defaults; return its records per second."""
    load = ("--topic", topic, "--num-records", str(records), "--record-size", str(size), "--throughput", "-1")
    said = _run(f"{TOOLS}.ProducerPerformance", *load, "--bootstrap-server", address)
    found = re.findall(rf"^{records} records sent, ([\d.]+) records/sec", said, re.MULTILINE)
    assert found, said
    return float(found[-1])


def consume(address: str, topic: str, records: int, size: int) -> float:
    """Run ConsumerPerformance with its defaults over all records; return records per second, without the group."""
    assert size
    said = _run(f"{TOOLS}.ConsumerPerformance", "--topic", topic, "--num-records", str(records), "--bootstrap-server", address)
    header, row = (line.split(", ") for line in said.splitlines() if ", " in line)
    found = dict(zip(header, row, strict=True))
    assert int(found["data.consumed.in.nMsg"]) >= records, said
    return float(found["fetch.nMsg.sec"])


def _run(main_class: str, *arguments: str) -> str:
    command = kafka.command(main_class, *arguments, options=HEAP)
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout
