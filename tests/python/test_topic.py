"""A topic: its first and last records, its offsets, its shape."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import headwater as hw
from tests.python.names import name

if TYPE_CHECKING:
    from collections.abc import Callable


def test_head_and_tail_return_the_two_ends(flights: hw.Topic) -> None:
    assert [message.offset for message in flights.head(3)] == [0, 1, 2]
    assert [message.offset for message in flights.tail(3)] == [7, 8, 9]
    assert len(flights.head(100)) == 10
    assert not flights.head(0)
    assert flights.tail(2, value="string").to_polars()["value"].to_list() == ["v8", "v9"]


def test_positions_have_offsets(flights: hw.Topic) -> None:
    assert flights.offsets("earliest") == {0: 0}
    assert flights.offsets("latest") == {0: 10}
    assert flights.offsets(4) == {0: 4}
    assert flights.offsets({0: 7}) == {0: 7}
    assert flights.offsets(datetime(1970, 1, 1, 0, 0, 3, tzinfo=timezone.utc)) == {0: 3}
    assert flights.offsets(datetime(1970, 1, 1, 1, 0, 3, 1, tzinfo=timezone(timedelta(hours=1)))) == {0: 4}
    assert flights.offsets("1970-01-01T00:00:05Z") == {0: 5}
    assert flights.offsets("-15m") == {0: 10}


def test_len_counts_and_a_topic_is_never_false(client: hw.Client, flights: hw.Topic) -> None:
    assert len(flights) == 10
    empty = client.create_topic(name("empty"))
    assert len(empty) == 0
    assert empty


def test_rate_counts_records_and_bytes_over_time(flights: hw.Topic) -> None:
    rate = flights.rate("5s").to_polars()
    assert rate.columns == ["time", "records", "bytes"]
    assert rate["records"].sum() == 10
    assert rate["bytes"].sum() > 0


def test_the_html_shows_each_partition(client: hw.Client) -> None:
    topic = client.create_topic(name("flights"), partitions=2)
    with client.producer() as producer:
        producer.send(name("flights"), b"late", partition=1).result()
    html = topic._repr_html_()
    if repr(client) != "Client(in memory, 1 topic)":
        # The table would need requests to a cluster.
        assert html is None
        return
    assert html is not None
    assert f"<b>{topic.name}</b>" in html
    assert "<td>1</td><td>0</td><td>1</td><td>1</td>" in html
    assert html.count("<tr>") == 3


def test_names_and_text_forms(client: hw.Client, flights: hw.Topic) -> None:
    assert flights.name == name("flights")
    assert repr(flights) == f"Topic('{flights.name}')"
    assert repr(client[name("flights")]) == repr(flights)
    assert flights.name in repr(flights.scan())


def test_records_are_counted_instead_of_offsets(make_client: Callable[..., hw.Client]) -> None:
    client = make_client(log_cleaner_backoff_ms=10, log_flush_scheduler_interval_ms=10)
    topic = client.create_topic(
        name("compacted"), config={"cleanup.policy": "compact", "internal.segment.bytes": 8_192, "min.cleanable.dirty.ratio": "0.01"}
    )
    with client.producer(batch_size=500) as producer:
        rows = [{"k": f"k{number % 5}", "v": f"value {number}"} for number in range(2_000)]
        producer.send_batch(name("compacted"), rows, key="k", value="v")
    deadline = time.monotonic() + 60
    while len(topic) > 500:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    client.alter_topic(name("compacted"), config={"cleanup.policy": "delete", "retention.ms": -1})
    time.sleep(0.1)
    records = topic.scan().to_polars().height
    assert records < 500 < topic.offsets("latest")[0]
    assert len(topic) == topic.scan().count() == records
    html = topic._repr_html_()
    assert html is None or f"<td>{records}</td>" in html
    told: list[tuple[int, int]] = []
    topic.scan(progress=lambda done, total: told.append((done, total))).to_arrow()
    assert told[-1] == (records, records)
    # A range that starts within a batch.
    last = topic.offsets("latest")[0]
    for start in (0, 1, last // 2, last - 3):
        scan = topic.scan(start=start)
        assert scan.count() == scan.to_polars().height


def test_a_rate_counts_only_records_in_its_range(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send_batch(name("t"), [f"{number}" for number in range(100)])
    client.delete_records(name("t"), 20)
    assert len(topic) == 80
    assert topic.rate("1h").to_polars()["records"].sum() == 80
    assert topic.rate("1h", start=50, end=60).to_polars()["records"].sum() == 10
    assert topic.scan(start=50, end=60).count() == 10
