"""Small types of the public API, and aliases for the types of arguments.

>>> from headwater.types import TopicPartition
>>> TopicPartition("flights", 3).partition
3
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, SupportsIndex, TypeAlias, TypedDict

__all__ = ["GroupInfo", "GroupMetadata", "GroupOffset", "RecoveredPartition", "RecoveryReport", "TopicPartition"]


class TopicPartition(NamedTuple):
    """A partition of a topic. Any pair of a name and a number can be used in its place.

    >>> import headwater as hw
    >>> hw.TopicPartition("flights", 0) == ("flights", 0)
    True
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""


class GroupInfo(NamedTuple):
    """A group in the list of groups.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     topic = client.create_topic("flights")
    ...     _ = client.reset_group_offsets("readers", topic.name, "earliest")
    ...     client.groups()[0].group_id, client.groups()[0].state
    ('readers', 'Empty')
    """

    group_id: str
    """The group's name."""
    group_type: str
    """The group protocol: "classic" or "consumer" (KIP-848)."""
    protocol_type: str
    """The protocol type: "consumer", or another one of its members; empty if it never had members."""
    state: str
    """The state, with Kafka's name: "Stable", "Empty", ..."""


class GroupMetadata(NamedTuple):
    """The membership of a consumer in its group.

    >>> import headwater as hw
    >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
    ...     consumer.group_metadata().generation_id
    -1
    """

    group_id: str
    """The group's name."""
    member_id: str
    """The id that the coordinator gave the member; empty before it has joined."""
    generation_id: int
    """The generation of the group, or the member's epoch (KIP-848); -1 while it is not a member."""
    group_instance_id: str | None
    """Its ``group.instance.id``, for a static member."""
    leader_id: str | None
    """The id of the member that assigns partitions; ``None`` before it has joined, and where the broker assigns."""
    assignor: str | None
    """The assignor that the group has chosen; ``None`` before it has joined, and where the broker assigns."""


class GroupOffset(NamedTuple):
    """The committed offset of a group for a partition.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     topic = client.create_topic("flights")
    ...     _ = client.reset_group_offsets("readers", topic.name, "earliest")
    ...     client.group_offsets("readers")
    [GroupOffset(topic='flights', partition=0, committed=0, end=0, lag=0)]
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""
    committed: int
    """The next offset to read."""
    end: int | None
    """The end of the partition, exclusive; `None` if the partition no longer exists."""
    lag: int | None
    """The number of offsets in between; `None` if the partition no longer exists."""


class RecoveredPartition(NamedTuple):
    """The repair of a partition at opening.

    >>> from headwater.types import RecoveredPartition
    >>> RecoveredPartition("flights", 0, 117, 2_000, 0, "").truncated_bytes
    117
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""
    truncated_bytes: int
    """The number of bytes that were truncated at the end, because they were not a whole, valid batch."""
    log_end_offset: int
    """The next offset to be written."""
    rebuilt_indexes: int
    """Index files that were rebuilt."""
    details: str
    """The whole report as text."""


class RecoveryReport(NamedTuple):
    """The report of opening a directory: `client.recovery`.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     print(client.recovery)  # nothing to report
    None
    """

    clean_shutdown: bool
    """Whether the last process closed the directory in order."""
    elapsed: float
    """The duration of the opening, in seconds."""
    recovered: list[RecoveredPartition]
    """Partitions that were repaired."""
    missing: list[TopicPartition]
    """Partitions with records whose directory is missing. They are empty now and continue at their last offset."""
    damaged_checkpoints: list[Path]
    """Checkpoint files that could not be read and were rebuilt."""
    strays: list[Path]
    """Directories of unknown topics, which were not changed."""


# The parts of `client.metrics()`. The keys have dashes, like Kafka's metrics, so these types are not classes.
BrokerMetrics = TypedDict(
    "BrokerMetrics",
    {
        "node-id": int | None,
        "connection-count": int,
        "connection-creation-total": int,
        "connection-failure-total": int,
        "request-total": int,
        "request-error-total": int,
        "requests-in-flight": int,
        "outgoing-byte-total": int,
        "incoming-byte-total": int,
        "request-latency-avg-ms": float,
        "request-latency-p50-ms": float,
        "request-latency-p99-ms": float,
        "request-latency-max-ms": float,
        "throttle-time-total-ms": float,
    },
)
"""A broker in `headwater.types.Metrics`.

- `node-id`: the broker's id; `None` if the metadata has no broker with this address: a bootstrap address, or a broker
  that has left.
- `connection-count`, `connection-creation-total`, `connection-failure-total`: open connections, connections opened so
  far, and failed attempts.
- `request-total`, `request-error-total`, `requests-in-flight`: requests that were written; of these, those without a
  response because the connection was lost, and those in flight.
- `outgoing-byte-total`, `incoming-byte-total`: the bytes of requests and responses in Kafka's encoding, without TLS and
  without the requests that open a connection.
- `request-latency-avg-ms`, `request-latency-p50-ms`, `request-latency-p99-ms`, `request-latency-max-ms`: from request to
  response, over the last one to two minutes. It includes the time that a fetch or a join of a group waits in the broker.
- `throttle-time-total-ms`: the total time for which the broker has throttled the client, because a quota was exceeded.
"""

ProducerMetrics = TypedDict(
    "ProducerMetrics",
    {
        "client-id": str,
        "queued-records": int,
        "queued-bytes": int,
    },
)
"""A producer in `headwater.types.Metrics`.

- `queued-records`, `queued-bytes`: accepted records without a result yet, and their share of `buffer.memory` in bytes.
"""

ConsumerMetrics = TypedDict(
    "ConsumerMetrics",
    {
        "client-id": str,
        "group-id": str | None,
        "records-lag": dict[str, dict[int, int]],
        "records-skipped-total": int,
    },
)
"""A consumer in `headwater.types.Metrics`.

- `group-id`: `None` without a group.
- `records-lag`: by topic and partition, the number of offsets between the position and the end in the last response.
  `consumer.lag()` requests the ends from the brokers.
- `records-skipped-total`: records that `on_error="skip"` has skipped.
"""

_ClientMetrics = TypedDict(
    "_ClientMetrics",
    {
        "request-total": int,
        "request-error-total": int,
        "retry-total": int,
        "throttle-time-total-ms": float,
        "records-skipped-total": int,
        "connection-count": int,
        "connection-creation-total": int,
        "connection-failure-total": int,
        "outgoing-byte-total": int,
        "incoming-byte-total": int,
        "brokers": dict[str, BrokerMetrics],
        "producers": list[ProducerMetrics],
        "consumers": list[ConsumerMetrics],
    },
)

_DeletionMetrics = TypedDict(
    "_DeletionMetrics",
    {
        "retention-time-deleted-segments-total": int,
        "retention-time-deleted-bytes-total": int,
        "retention-size-deleted-segments-total": int,
        "retention-size-deleted-bytes-total": int,
        "delete-records-deleted-segments-total": int,
        "delete-records-deleted-bytes-total": int,
        "exhaustion-deleted-segments-total": int,
        "exhaustion-deleted-bytes-total": int,
    },
    total=False,
)


class Metrics(_ClientMetrics, _DeletionMetrics):
    """The metrics of a client: `client.metrics()`. Totals count from the creation of the client and only grow.

    - `request-total`, `request-error-total`, `retry-total`, `throttle-time-total-ms`: requests; of these, those without
      a response; retries after an error; the total time for which brokers have throttled the client.
    - `records-skipped-total`: records that `on_error="skip"` has skipped, in consumers, scans and `tail`.
    - `connection-count`, `connection-creation-total`, `connection-failure-total`, `outgoing-byte-total`,
      `incoming-byte-total`: over all brokers; 0 for an embedded engine.
    - `brokers`: `BrokerMetrics` by "HOST:PORT"; empty for an embedded engine.
    - `producers`, `consumers`: the ones in use.
    - `REASON-deleted-segments-total`, `REASON-deleted-bytes-total`: only for an embedded engine, the deleted segments
      and their bytes. The reasons are `retention-time`, `retention-size`, `delete-records`, and `exhaustion` for a lack
      of space on the disk.
    """


class ArrowSchema(Protocol):
    """An object with an Arrow schema: from PyArrow, Polars, or `headwater.Schema`."""

    def __arrow_c_schema__(self) -> object:
        """Export it."""


class ArrowStream(Protocol):
    """An object with Arrow tables: frames, tables, readers, relations."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export them."""


class ArrowArray(Protocol):
    """An object with one Arrow table."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Export it."""


# The types of arguments, for type checkers.
ConfigValue: TypeAlias = str | int | float | bool | timedelta | Sequence[str] | None
"""The value of one of Kafka's keys. Keys in milliseconds take durations: a `timedelta`, or a text such as `"7d"` or `"1h30m"`."""

Format: TypeAlias = Literal["bytes", "string", "json"]
"""The format of keys or values."""

OnError: TypeAlias = Literal["raise", "null", "skip"]
"""The handling of a record that does not decode: an error, null in its place, or it is left out and counted."""

SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
"""Whether the connections of a server are encrypted and authenticated."""

SaslMechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
"""The authentication of a client with its password."""

IsolationLevel: TypeAlias = Literal["read_committed", "read_uncommitted"]
"""Whether records of transactions that are open or aborted are left out, or returned."""

Position: TypeAlias = (
    str
    | SupportsIndex
    | date
    | Mapping[int, SupportsIndex]
    | Mapping[TopicPartition, SupportsIndex]
    | Mapping[tuple[str, int], SupportsIndex]
)
"""A place in a topic: "earliest", "latest", an offset, offsets by partition, a date, an aware datetime, their ISO text, or
an age such as "-15m"."""

Bytes: TypeAlias = bytes | str | bytearray | memoryview
"""A key, a value or the value of a header; text is encoded in UTF-8."""

Headers: TypeAlias = Iterable[tuple[str, Bytes | None]] | Mapping[str, Bytes | None]
"""The headers of a record, in order."""

Partitions: TypeAlias = Iterable[tuple[str, SupportsIndex]]
"""Partitions, each as a pair of its topic and its number."""

Progress: TypeAlias = Callable[[int, int], object]
"""A function that is called with the number of records that were read, and the number of all records."""

OauthToken: TypeAlias = str | tuple[str, datetime | float | None]
"""An access token, or a pair of it and its expiry: an aware datetime, or seconds since 1970."""

OauthTokenFunction: TypeAlias = Callable[[], OauthToken]
"""A function that returns an access token."""

AsyncOauthTokenFunction: TypeAlias = Callable[[], OauthToken | Awaitable[OauthToken]]
"""A function or a coroutine function that returns an access token."""

Stats: TypeAlias = Callable[[Metrics], object]
"""A function that is called with the metrics of a client."""

AsyncStats: TypeAlias = Callable[[Metrics], object]
"""A function or a coroutine function that is called with the metrics of a client."""

Dtypes: TypeAlias = ArrowSchema | Mapping[str, Any]
"""The types of JSON fields: an Arrow schema, or types by name, such as `{"id": "int64"}`."""

Rows: TypeAlias = ArrowStream | ArrowArray | Iterable[Mapping[str, Any] | Bytes | None]
"""Records for `send_batch`: a table of any library that exports Arrow, or an iterable of values and of rows as dicts."""
