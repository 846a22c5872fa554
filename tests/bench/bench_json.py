"""`value="json"` with a schema, compared with `polars.read_ndjson` of the same lines."""

from __future__ import annotations

import io
import random
import sys
import tempfile

import polars as pl

import headwater as hw
from tests.bench.table import Row, in_turns, print_rows, rate

RECORDS = 1_000_000
SCHEMA = {
    "event": "int64",
    "carrier": "string",
    "flight": "int32",
    "origin": "string",
    "dest": "string",
    "dep_delay": "float64",
}
DTYPES = {
    "event": pl.Int64,
    "carrier": pl.String,
    "flight": pl.Int32,
    "origin": pl.String,
    "dest": pl.String,
    "dep_delay": pl.Float64,
}


def frame() -> pl.DataFrame:
    """Generate flights, always the same ones."""
    chance = random.Random(7)
    return pl.DataFrame(
        {
            "event": range(RECORDS),
            "carrier": chance.choices(["UA", "AA", "B6", "DL", "EV"], k=RECORDS),
            "flight": [chance.randrange(9000) for _ in range(RECORDS)],
            "origin": chance.choices(["EWR", "JFK", "LGA"], k=RECORDS),
            "dest": chance.choices(["ORD", "ATL", "LAX", "BOS", "MCO"], k=RECORDS),
            "dep_delay": [chance.randrange(-200, 3000) / 10 for _ in range(RECORDS)],
        }
    )


def rows() -> list[Row]:
    """Measure."""
    events = frame()
    lines = events.write_ndjson().encode()
    with tempfile.TemporaryDirectory() as path, hw.open(path) as client:
        topic = client.create_topic("bench")
        with client.producer() as producer:
            producer.send_batch("bench", lines.splitlines())
        scan = topic.scan(value="json", schema=SCHEMA, unnest=True, columns=list(SCHEMA))
        assert scan.to_polars().equals(events.cast({"flight": pl.Int32}))
        mine, theirs = in_turns(
            3,
            lambda: rate(RECORDS, scan.to_polars),
            lambda: rate(RECORDS, lambda: pl.read_ndjson(io.BytesIO(lines), schema=DTYPES)),
        )
    return [Row('scan(value="json", schema=...) / polars.read_ndjson', mine, theirs, 1)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
