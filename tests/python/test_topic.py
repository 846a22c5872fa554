"""A topic: its ends, its offsets, its shape."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import headwater as hw


def test_head_and_tail_are_the_two_ends(flights: hw.Topic) -> None:
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
    empty = client.create_topic("empty")
    assert len(empty) == 0
    assert empty


def test_rate_counts_records_and_bytes_over_time(flights: hw.Topic) -> None:
    rate = flights.rate("5s").to_polars()
    assert rate.columns == ["time", "records", "bytes"]
    assert rate["records"].sum() == 10
    assert rate["bytes"].sum() > 0


def test_the_html_shows_each_partition(client: hw.Client) -> None:
    topic = client.create_topic("flights", partitions=2)
    with client.producer() as producer:
        producer.send("flights", b"late", partition=1).result()
    html = topic._repr_html_()
    assert "<b>flights</b>" in html
    assert "<td>1</td><td>0</td><td>1</td><td>1</td>" in html
    assert html.count("<tr>") == 3


def test_names_and_text_forms(client: hw.Client, flights: hw.Topic) -> None:
    assert flights.name == "flights"
    assert repr(flights) == "Topic('flights')"
    assert repr(client["flights"]) == repr(flights)
    assert "flights" in repr(flights.scan())
