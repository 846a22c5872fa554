"""Arrow output: Polars, pandas, PyArrow and DuckDB."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import headwater as hw
from tests.python.names import name

VALUES = [f"v{n}".encode() for n in range(10)]


@pytest.fixture(params=["topic", "scan", "batch"])
def source(request: pytest.FixtureRequest, flights: hw.Topic) -> Any:
    """An object of each class that implements the capsule interface, over the same ten records."""
    return {"topic": flights, "scan": flights.scan(), "batch": flights.head()}[request.param]


def test_polars_takes_it(source: Any) -> None:
    frame = pl.DataFrame(source)
    assert frame["value"].to_list() == VALUES
    assert frame.schema["timestamp"] == pl.Datetime("ms", "UTC")


def test_pyarrow_takes_it_with_classic_types(source: Any) -> None:
    table = pa.table(source)
    assert table.schema.field("value").type == pa.binary()
    assert table["value"].to_pylist() == VALUES
    assert pa.schema(source).equals(table.schema)


def test_pyarrow_gets_views_on_request(source: Any) -> None:
    schema = pa.table(source).schema
    index = schema.get_field_index("value")
    views = schema.set(index, schema.field(index).with_type(pa.binary_view()))
    capsule = source.__arrow_c_stream__(views.__arrow_c_schema__())
    table = pa.RecordBatchReader._import_from_c_capsule(capsule).read_all()
    assert table.schema.field("value").type == pa.binary_view()
    assert table["value"].to_pylist() == VALUES


def test_pandas_takes_it(source: Any) -> None:
    from_arrow: Any = pd.DataFrame.from_arrow  # type: ignore[attr-defined]
    assert from_arrow(source)["value"].tolist() == VALUES


def test_duckdb_takes_it_by_name(source: Any) -> None:
    connection = duckdb.connect()
    rows = source
    assert connection.execute('select count(*), max("offset") from rows').fetchall() == [(10, 9)]
    assert connection.execute('select value from rows where "offset" = 3').fetchall() == [(b"v3",)]
    assert rows is source


def test_methods_agree_with_the_interface(flights: hw.Topic) -> None:
    scan = flights.scan(value="string")
    values = [value.decode() for value in VALUES]
    assert scan.to_polars()["value"].to_list() == values
    assert scan.to_arrow()["value"].to_pylist() == values
    assert scan.to_pandas()["value"].tolist() == values
    assert scan.to_pandas(dtype_backend="pyarrow").dtypes["offset"] == pd.ArrowDtype(pa.int64())
    assert str(scan.to_pandas(dtype_backend="numpy_nullable").dtypes["offset"]) == "Int64"
    assert pa.Table.from_batches(scan.to_reader())["value"].to_pylist() == values
    batch = flights.head(value="string")
    assert batch.to_polars()["value"].to_list() == values
    assert batch.to_arrow()["value"].to_pylist() == values
    assert batch.to_pandas("pyarrow")["value"].tolist() == values
    with pytest.raises(ValueError, match="dtype_backend"):
        scan.to_pandas(dtype_backend="nonsense")  # type: ignore[arg-type]


def test_polars_shares_the_bytes_that_were_read(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send_batch(name("t"), [b"x" * 100] * 10_000)
    frame = topic.scan(columns=["value"]).to_polars()
    column = frame["value"].to_arrow(compat_level=pl.CompatLevel.newest())
    _validity, _views, *data = column.buffers()
    # A copy would have its own buffers with exactly the bytes of the values; views keep the batches with their headers.
    assert sum(buffer.size for buffer in data) > 100 * 10_000
    assert frame["value"].to_list() == [b"x" * 100] * 10_000


def test_an_empty_topic_is_an_empty_frame_with_all_columns(client: hw.Client) -> None:
    scan = client.create_topic(name("t")).scan()
    for frame in (scan.to_polars(), pl.DataFrame(scan), client[name("t")].head().to_polars()):
        assert frame.columns == ["partition", "offset", "timestamp", "key", "value", "headers"]
        assert frame.is_empty()
    assert scan.to_arrow().num_rows == 0
    assert scan.to_polars(lazy=True).collect().is_empty()


def test_the_topic_column_is_a_category(flights: hw.Topic) -> None:
    frame = flights.scan(columns=["offset", "topic"]).to_polars()
    assert frame["topic"].cast(pl.String).unique().to_list() == [flights.name]
    table = flights.scan(columns=["offset", "topic"]).to_arrow()
    assert table.schema.field("topic").type == pa.dictionary(pa.int32(), pa.string())


@pytest.mark.embedded("runs a program without the libraries")
def test_no_library_is_needed_and_a_missing_one_is_an_error_with_its_name() -> None:
    program = """
import sys
for name in ("polars", "pandas", "pyarrow", "numpy"):
    sys.modules[name] = None
import headwater as hw
with hw.open() as client, client.producer() as producer:
    topic = client.create_topic("t")
    producer.send_batch("t", [{"a": 1}])
    assert [message.value for message in topic.head(value="json")] == [{"a": 1}]
    for method in ("to_pandas", "to_arrow", "to_reader"):
        try:
            getattr(topic.scan(), method)()
        except ModuleNotFoundError as error:
            print(method, "headwater[" in str(error))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["to_pandas", "True", "to_arrow", "True", "to_reader", "True"], done.stderr
