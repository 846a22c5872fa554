"""Frames of each optional library, as output and as input. `test_versions.py` runs it with the oldest supported
versions.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

import headwater as hw

ROWS: list[dict[str, Any]] = [{"carrier": "UA", "delay": 2**53 + 1, "when": "2013-01-31"}, {"carrier": "AA", "delay": None, "when": None}]
SCHEMA = {"carrier": "string", "delay": "int64", "when": "date"}
DAY = dt.date(2013, 1, 31)


def main() -> None:
    with hw.open() as client, client.producer() as producer:
        topic = client.create_topic("flights")
        producer.send_batch("flights", ROWS)
        read(topic)
        send(client, producer)


def read(topic: hw.Topic) -> None:
    scan = topic.scan(value="json", schema=SCHEMA, unnest=True)
    expected = [("UA", 2**53 + 1, DAY), ("AA", None, None)]
    eager = scan.to_polars()
    assert eager.select("carrier", "delay", "when").rows() == expected
    lazy = scan.to_polars(lazy=True)
    assert lazy.collect_schema() == eager.schema
    assert lazy.collect().equals(eager)
    assert lazy.filter(pl.col("offset") >= 1).select("carrier").collect().rows() == [("AA",)]
    late = pl.col("offset").map_batches(lambda offsets: offsets >= 1, return_dtype=pl.Boolean)
    assert lazy.filter(late).select("carrier").collect().rows() == [("AA",)]
    for schema in ({"delay": pl.Int64}, pl.Schema({"delay": pl.Int64}), pa.schema({"delay": pa.int64()})):
        frame = topic.scan(value="json", schema=schema, unnest=True).to_polars()
        assert frame["delay"].to_list() == [2**53 + 1, None]
    table = scan.to_arrow()
    assert table["delay"].to_pylist() == [2**53 + 1, None]
    assert pa.table(topic.scan())["value"].to_pylist() == topic.scan().to_polars()["value"].to_list()
    assert scan.to_reader().read_all().equals(table)
    assert scan.to_pandas()["carrier"].tolist() == ["UA", "AA"]
    for delays in (scan.to_pandas(dtype_backend="pyarrow")["delay"], scan.to_pandas(dtype_backend="numpy_nullable")["delay"]):
        assert int(delays[0]) == 2**53 + 1
        assert delays[1] is pd.NA
    assert topic.head().to_polars().height == topic.head().to_pandas().shape[0] == 2
    rows = scan.to_arrow()  # DuckDB finds it by name
    assert duckdb.connect().execute("select max(delay) from rows").fetchall() == [(2**53 + 1,)]
    assert rows.num_rows == 2


def send(client: hw.Client, producer: hw.Producer) -> None:
    tables = {
        "polars": pl.DataFrame({"n": [1, None], "none": [None, None], "day": [DAY, None]}),
        "pandas": pd.DataFrame({"n": pd.array([None, 1], dtype="Int64"), "none": [None, None], "day": [None, DAY]}).sort_index(
            ascending=False
        ),
        "pyarrow": pa.table({"n": [1, None], "none": [None, None], "day": [DAY, None]}),
        "duckdb": duckdb.sql("select * from (values (1, null, date '2013-01-31'), (null, null, null)) t(n, none, day)"),
    }
    for name, table in tables.items():
        topic = client.create_topic(name)
        producer.send_batch(name, table)
        found = [message.value for message in topic.head()]
        assert found == [b'{"n":1,"none":null,"day":"2013-01-31"}', b'{"n":null,"none":null,"day":null}'], (name, found)


if __name__ == "__main__":
    main()
    print(f"polars {pl.__version__}, pandas {pd.__version__}, pyarrow {pa.__version__}, duckdb {duckdb.__version__}")
