"""The time from `import headwater` to the first record that is read of a new topic in memory."""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.bench.table import Row, print_rows

LIMIT_MS = 100
RUNS = 15
PROGRAM = """
import time
begun = time.perf_counter()
import headwater as hw
with hw.open() as client:
    topic = client.create_topic("t")
    with client.producer() as producer:
        producer.send("t", b"first")
        producer.flush()
    consumer = client.consumer("t", auto_offset_reset="earliest")
    message = next(consumer)
    took = time.perf_counter() - begun
assert message.value == b"first"
print(took * 1_000)
"""


def rows() -> list[Row]:
    """Measure new processes, and return the median."""
    took = []
    for _ in range(RUNS):
        output = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
        took.append(float(output))
    return [Row("import to the first record read / 100 ms", statistics.median(took), LIMIT_MS, 1, "ms", most=True)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
