"""Durations where configuration is in milliseconds, and dates and times as text where records have a time."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from tests.python.names import name

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 86_400_000


@pytest.mark.parametrize("given", ["7d", "168h", "6d24h", timedelta(days=7), 7 * DAY, "604800000"])
def test_a_topic_takes_durations(make_client: Callable[..., hw.Client], given: Any) -> None:
    client = make_client()
    client.create_topic(name("a"), retention_ms=given)
    client.create_topic(name("b"), config={"retention.ms": given, "segment.ms": "1h30m"})
    client.alter_topic(name("a"), retention_ms=given, config={"flush.ms": timedelta(seconds=5)})


def test_clients_take_durations(make_client: Callable[..., hw.Client]) -> None:
    client = make_client()
    with client.producer(linger_ms=timedelta(milliseconds=5), delivery_timeout_ms="1m", request_timeout_ms="10s"):
        pass
    with client.consumer(fetch_max_wait_ms="100ms", config={"retry.backoff.ms": "1s"}):
        pass


@pytest.mark.embedded("the configuration of an engine")
def test_an_engine_takes_durations() -> None:
    with hw.open(log_retention_ms="7d", request_timeout_ms=timedelta(seconds=3)):
        pass
    with pytest.raises(hw.ConfigError, match="it takes an integer of at least"):
        hw.open(log_retention_hours="7d")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"segment_bytes": "7d"}, "is not a value of segment.bytes"),
        ({"segment_bytes": timedelta(days=7)}, "is not a value of segment.bytes"),
        ({"retention_ms": "7 days"}, 'or a duration such as "7d"'),
        ({"retention_ms": "-7d"}, 'or a duration such as "7d"'),
        ({"retention_ms": timedelta(days=-7)}, "whole milliseconds"),
        ({"retention_ms": timedelta(microseconds=1500)}, "whole milliseconds"),
        ({"retention_ms": "7d", "segment_ms": "0s"}, "segment.ms"),
    ],
)
def test_other_keys_and_texts_are_refused(client: hw.Client, config: dict[str, Any], reason: str) -> None:
    with pytest.raises(hw.ConfigError) as raised:
        client.create_topic(name("refused"), **config)
    # Apache Kafka has its own words for values that only it refuses.
    assert reason in str(raised.value) or "segment" in str(raised.value)
    assert name("refused") not in client


JANUARY = datetime(2026, 1, 31, tzinfo=timezone.utc)


@pytest.fixture(name="days")
def _days(client: hw.Client) -> hw.Topic:
    """A topic whose record `n` is `n` hours after the beginning of 2026-01-31."""
    topic = client.create_topic(name("days"))
    with client.producer() as producer:
        for hours in range(30):
            producer.send(topic.name, str(hours), timestamp=JANUARY + timedelta(hours=hours))
    return topic


@pytest.mark.parametrize(
    ("position", "offset"),
    [
        (date(2026, 1, 31), 0),
        (date(2026, 2, 1), 24),
        ("2026-02-01", 24),
        ("2026-01-31T10:00:00Z", 10),
        ("2026-01-31T10:00:00.0001Z", 11),
        ("2026-01-31T10:00:00+02:00", 8),
        (datetime(2026, 1, 31, 10, tzinfo=timezone.utc), 10),
        ("2026-03-01", 30),
    ],
)
def test_positions_are_dates_and_times(client: hw.Client, days: hw.Topic, position: Any, offset: int) -> None:
    assert days.offsets(position) == {0: offset}
    assert days.scan(start=position).count() == 30 - offset
    assert days.scan(end=position).count() == offset
    with client.consumer() as consumer:
        consumer.assign([(days.name, 0)])
        consumer.seek(position)
        assert consumer.position() == {(days.name, 0): offset}


@pytest.mark.parametrize("position", ["2026-01-31T10:00:00", datetime(2026, 1, 31, 10), "2026-02-30", "31.01.2026"])
def test_a_time_without_a_zone_is_refused(days: hw.Topic, position: Any) -> None:
    with pytest.raises(hw.InvalidArgumentError, match=r"time zone|not a position"):
        days.offsets(position)


@pytest.mark.parametrize("timestamp", ["2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00.0009+01:00", date(2026, 1, 31), JANUARY])
def test_timestamps_are_dates_and_times(client: hw.Client, timestamp: Any) -> None:
    topic = client.create_topic(name("times"))
    with client.producer() as producer:
        producer.send(topic.name, b"x", timestamp=timestamp).result()
        rows: list[dict[str, Any]] = [{"at": timestamp, "n": 1}]
        producer.send_batch(topic.name, rows, timestamp="at")
    assert [message.timestamp for message in topic.head()] == [JANUARY, JANUARY]


@pytest.mark.parametrize(
    ("timestamp", "error", "reason"),
    [
        ("2026-01-31T10:00:00", hw.InvalidArgumentError, 'write "2026-01-31T10:00:00Z"'),
        ("today", hw.InvalidArgumentError, "is not a time"),
        ("1969-12-31", hw.InvalidArgumentError, "start at 1970"),
        (1.5, TypeError, "not float"),
    ],
)
def test_other_timestamps_are_refused(client: hw.Client, timestamp: Any, error: type[Exception], reason: str) -> None:
    with client.producer() as producer, pytest.raises(error, match=reason):
        producer.send(client.create_topic(name("refused")).name, b"x", timestamp=timestamp)
