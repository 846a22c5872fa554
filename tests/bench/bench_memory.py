"""The memory of a scan of a topic ten times larger than its budget stays below the budget plus 64 MiB."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import headwater as hw
from tests.bench.table import Row, print_rows

# The scan's budget for fetched bytes.
BUDGET_MIB = 64
READER = """
import sys, headwater as hw

def resident(field):
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith(field))

with hw.open(sys.argv[1]) as client:
    before = resident("VmRSS")
    seen = sum(len(batch) for batch in client["bench"].scan())
    print(resident("VmHWM") - before, seen)
"""


def rows() -> list[Row]:
    """Measure in a separate process, because a peak never falls."""
    value, batch = b"x" * 1000, 10_000
    batches = BUDGET_MIB * 10 * 2**20 // (len(value) * batch) + 1
    with tempfile.TemporaryDirectory() as path:
        with hw.open(path) as client, client.producer() as producer:
            client.create_topic("bench")
            for _ in range(batches):
                producer.send_batch("bench", [value] * batch)
        stored = sum(log.stat().st_size for log in Path(path).glob("bench-0/*.log"))
        assert stored > 10 * BUDGET_MIB * 2**20
        output = subprocess.run([sys.executable, "-c", READER, path], check=True, capture_output=True, text=True).stdout
    grown, seen = output.split()
    assert int(seen) == batches * batch
    return [Row("memory of a scan of ten budgets / budget + 64 MiB", float(grown), BUDGET_MIB + 64, 1, "MiB", most=True)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
