"""Fields of JSON: names of record columns, what a type does not name, the sample of inference, skipped records."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import headwater as hw
from tests.python.names import name

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS = {"timestamp": 1, "key": "k", "offset": 2, "partition": 3, "headers": 4, "topic": 5, "a": 6}
PREFIXED = ["json_timestamp", "json_key", "json_offset", "json_partition", "json_headers", "json_topic", "a"]
SCHEMA = {field: "string" if field == "key" else "int64" for field in FIELDS}


def fill(client: hw.Client, *rows: Any) -> hw.Topic:
    topic = client.create_topic(name("json"))
    with client.producer() as producer:
        producer.send_batch(topic.name, list(rows))
    return topic


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_fields_with_the_name_of_a_record_column_have_a_prefix(client: hw.Client, schema: Any) -> None:
    topic = fill(client, FIELDS, FIELDS)
    scan = topic.scan(value="json", schema=schema, unnest=True)
    eager = scan.to_polars()
    assert eager.columns == ["partition", "offset", "timestamp", "key", *PREFIXED, "headers"]
    assert eager.select(PREFIXED).row(0) == tuple(FIELDS.values())
    lazy = scan.to_polars(lazy=True)
    assert lazy.collect().equals(eager)
    assert lazy.filter(pl.col("json_offset") == 2).select("json_offset", "offset").collect().rows() == [(2, 0), (2, 1)]
    assert lazy.filter(pl.col("offset") == 1).select("json_offset").collect().rows() == [(2,)]
    chosen = topic.scan(value="json", schema=schema, unnest=True, columns=["json_timestamp", "timestamp"]).to_polars()
    assert chosen.columns == ["timestamp", "json_timestamp"]
    assert topic.tail(value="json", schema=schema, unnest=True).columns == eager.columns
    assert topic.head().decode(value="json", schema=schema, unnest=True).columns == eager.columns


@pytest.mark.parametrize("schema", [None, SCHEMA])
def test_consumers_have_the_same_columns(client: hw.Client, schema: Any) -> None:
    topic = fill(client, FIELDS)
    with client.consumer(topic.name, auto_offset_reset="earliest", value="json", schema=schema, unnest=True) as consumer:
        batch = consumer.poll(30)
        assert batch.columns == ["partition", "offset", "timestamp", "key", *PREFIXED, "headers"]
        assert consumer.position() == {(topic.name, 0): 1}
        consumer.seek("earliest")
        message = next(iter(consumer))
    assert (message.topic, message.offset, message.key) == (topic.name, 0, None)


def test_the_prefix_can_be_chosen(client: hw.Client) -> None:
    topic = fill(client, {"timestamp": 1, "json_timestamp": 2})
    formats: dict[str, Any] = {"value": "json", "unnest": True}
    assert topic.head(**formats, unnest_prefix="event_").to_polars()["event_timestamp"].to_list() == [1]
    for prefix in (None, ""):
        with pytest.raises(hw.InvalidArgumentError, match="choose another unnest_prefix"):
            topic.head(**formats, unnest_prefix=prefix)
    with pytest.raises(hw.InvalidArgumentError, match="without unnest"):
        topic.head(value="json", unnest_prefix="event_")


def test_the_rest_is_what_the_types_do_not_name(client: hw.Client) -> None:
    topic = fill(client, {"a": 1}, {"a": 2, "gate": "B7"}, b'{"a": 3, "o": {"x": 1}}', {"a": 4})
    expected = [None, '{"gate":"B7"}', '{"o":{"x": 1}}', None]
    formats: dict[str, Any] = {"value": "json", "rest": "rest"}
    assert topic.scan(**formats, unnest=True, infer_records=1).to_polars()["rest"].to_list() == expected
    assert topic.scan(**formats, unnest=True, schema={"a": "int64"}).to_polars()["rest"].to_list() == expected
    nested = topic.scan(**formats, schema={"a": "int64"})
    assert [message.value["rest"] for batch in nested for message in batch] == expected
    with client.consumer(topic.name, auto_offset_reset="earliest", **formats, schema={"a": "int64"}, unnest=True) as consumer:
        assert consumer.poll(30).to_polars()["rest"].to_list() == expected
    everything = topic.scan(**formats, unnest=True, infer_records=4).to_polars()
    assert everything["rest"].to_list() == [None] * 4
    assert "gate" in everything.columns


@pytest.mark.parametrize(
    ("formats", "reason"),
    [
        ({"rest": "rest"}, 'pass value="json"'),
        ({"rest": "a", "value": "json", "schema": {"a": "int64"}}, "choose another name for rest"),
        ({"rest": "key", "value": "json", "schema": {"a": "int64"}}, "name of a record column"),
        ({"infer_records": 5}, "infer_records has no effect"),
        ({"infer_records": 5, "value": "json", "schema": {"a": "int64"}}, "infer_records has no effect"),
        ({"infer_records": 0, "value": "json"}, "use at least 1"),
    ],
)
def test_options_without_effect_are_refused(client: hw.Client, formats: dict[str, Any], reason: str) -> None:
    topic = fill(client, {"a": 1})
    with pytest.raises(hw.InvalidArgumentError, match=reason):
        topic.scan(**formats).to_polars()


def test_tables_that_lose_no_field_have_no_rest(client: hw.Client) -> None:
    topic = fill(client, {"a": 1})
    with pytest.raises(hw.InvalidArgumentError, match="pass a schema"):
        client.consumer(topic.name, value="json", rest="rest")
    with pytest.raises(hw.InvalidArgumentError, match="pass a schema"):
        topic.tail(value="json", rest="rest")


def test_the_sample_is_larger_than_a_table(client: hw.Client) -> None:
    topic = fill(client, *({"a": n, "text": "x" * 1_000} for n in range(4_000)), {"late": 1})
    assert "late" in topic.scan(value="json", unnest=True).to_polars().columns
    assert "late" not in topic.scan(value="json", unnest=True, infer_records=100).to_polars().columns


def new_fields(caplog: pytest.LogCaptureFixture, count: int) -> list[str]:
    """The reports of new fields. They are logged in the background."""
    end = time.monotonic() + 30
    while True:
        reports = [record.getMessage() for record in caplog.records if "first appears" in record.getMessage()]
        if len(reports) >= count or time.monotonic() > end:
            return reports
        time.sleep(0.01)


def test_a_new_field_is_reported_once_with_its_offset(client: hw.Client, caplog: pytest.LogCaptureFixture) -> None:
    topic = fill(client, {"a": 1}, {"a": 2, "gate": "B7"}, {"gate": "B8", "o": {"x": 1}})
    formats: dict[str, Any] = {"value": "json", "unnest": True, "infer_records": 1}
    with caplog.at_level(logging.WARNING, logger="headwater"):
        topic.scan(**formats).to_polars()
        reports = new_fields(caplog, 2)
    assert [('"gate"' in report, "at offset 1" in report) for report in reports] == [(True, True), (False, False)]
    assert 'the field "o" of the value first appears at offset 2' in reports[1]
    assert "it is left out" in reports[0]
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="headwater"):
        topic.scan(**formats, rest="rest").to_polars()
        topic.scan(value="json", schema={"a": "int64"}).to_polars()
        reports = new_fields(caplog, 2)
    assert len(reports) == 2
    assert 'it is kept in the column "rest"' in reports[0]


def test_skipped_records_are_counted(make_client: Callable[..., hw.Client]) -> None:
    client = make_client()
    topic = fill(client, b"no JSON", {"a": 1}, b"{", {"a": 2}, b"[")
    formats: dict[str, Any] = {"value": "json", "on_error": "skip"}
    scan = topic.scan(**formats)
    assert [(len(batch), batch.skipped) for batch in scan] == [(2, 3)]
    assert scan.skipped == 3
    assert (scan.to_polars().height, scan.skipped) == (2, 3)
    assert scan.to_polars(lazy=True).select("offset").collect().height == 2
    assert scan.skipped == 3
    # The tail begins with its first record that can be decoded.
    assert (topic.head(1, **formats).skipped, topic.tail(**formats).skipped) == (1, 2)
    assert topic.head().decode(**formats).skipped == 3
    assert topic.scan(value="json", on_error="null").to_polars().height == 5
    with client.consumer(topic.name, auto_offset_reset="earliest", **formats) as consumer:
        assert consumer.skipped == 0
        batches = [consumer.poll(30, max_records=1), consumer.poll(30, max_records=1)]
        assert [len(batch) for batch in batches] == [1, 1]
        consumer.poll(0.1)
        assert consumer.skipped == 3
        [metrics] = client.metrics()["consumers"]
        assert metrics["records-skipped-total"] == 3
    assert client.metrics()["records-skipped-total"] >= 3 + 3 + 3


def test_records_of_a_consumer_that_are_all_skipped_are_counted(client: hw.Client) -> None:
    topic = fill(client, b"{", b"[")
    with client.consumer(topic.name, auto_offset_reset="earliest", value="json", on_error="skip") as consumer:
        while consumer.lag() != {(topic.name, 0): 0}:
            assert not consumer.poll(0.1)
        assert consumer.skipped == 2


@pytest.mark.embedded("the example has its own engine")
def test_the_example_of_dead_letters(capsys: pytest.CaptureFixture[str]) -> None:
    import runpy
    from pathlib import Path

    example = Path(__file__).parents[2] / "bindings-python/examples/dead_letters.py"
    runpy.run_path(str(example), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["0 {'carrier': 'UA', 'delay': 12}", "3 {'carrier': 'DL', 'delay': 0}"]
    assert [line.split(" ")[0] for line in lines[2:]] == ["b'no", 'b\'{"carrier":"AA","delay":"late"}\'']
    assert "an integer" in lines[3]
