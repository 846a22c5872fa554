"""Small types of the public API, and names for what its arguments may be.

>>> from headwater.types import TopicPartition
>>> TopicPartition("flights", 3).partition
3
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, SupportsIndex, TypeAlias, TypedDict

__all__ = ["GroupInfo", "GroupOffset", "RecoveredPartition", "RecoveryReport", "TopicPartition"]


class TopicPartition(NamedTuple):
    """A partition of a topic. Wherever one is taken, any pair of a name and a number will do.

    >>> import headwater as hw
    >>> hw.TopicPartition("flights", 0) == ("flights", 0)
    True
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""


class GroupInfo(NamedTuple):
    """A line of the list of groups.

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
    """How its members agree: "classic" or "consumer" (KIP-848)."""
    protocol_type: str
    """What the group is for: "consumer", or what its members say; empty where it never had any."""
    state: str
    """Kafka's name of its state: "Stable", "Empty", ..."""


class GroupOffset(NamedTuple):
    """What a group has committed for a partition.

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
    """The next offset to be read."""
    end: int | None
    """The end of the partition, exclusive; `None` if it is there no more."""
    lag: int | None
    """How many offsets lie between; `None` if the partition is there no more."""


class RecoveredPartition(NamedTuple):
    """What opening repaired in a partition.

    >>> from headwater.types import RecoveredPartition
    >>> RecoveredPartition("flights", 0, 117, 2_000, 0, "").truncated_bytes
    117
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""
    truncated_bytes: int
    """How many bytes were cut off the end, because they were not a whole, valid batch."""
    log_end_offset: int
    """The next offset to be written."""
    rebuilt_indexes: int
    """Index files that were rebuilt."""
    details: str
    """The whole report as text."""


class RecoveryReport(NamedTuple):
    """What opening a directory found: `client.recovery`.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     print(client.recovery)  # nothing to report
    None
    """

    clean_shutdown: bool
    """Whether the last process closed the directory in order."""
    elapsed: float
    """How long opening took, in seconds."""
    recovered: list[RecoveredPartition]
    """Partitions that were repaired."""
    missing: list[TopicPartition]
    """Partitions whose directory was missing although it had held records. They are empty now and continue at their last offset."""
    damaged_checkpoints: list[Path]
    """Checkpoint files that could not be read and were rebuilt."""
    strays: list[Path]
    """Directories of unknown topics: they were left as they are."""


# What `client.metrics()` returns. The keys have dashes, as Kafka's metrics have, so these types are not classes. Totals count from the
# making of the client and only grow; times are in milliseconds.
BrokerMetrics = TypedDict(
    "BrokerMetrics",
    {
        # The broker's id; None if the metadata names no broker at this address: a bootstrap address, or a broker that has left.
        "node-id": int | None,
        # Connections that are open now, that were opened, and attempts that failed.
        "connection-count": int,
        "connection-creation-total": int,
        "connection-failure-total": int,
        # Requests that were written; of these, those that ended without a response because the connection was lost; those in flight now.
        "request-total": int,
        "request-error-total": int,
        "requests-in-flight": int,
        # The bytes of requests and responses, as Kafka encodes them: without TLS, and without the messages that open a connection.
        "outgoing-byte-total": int,
        "incoming-byte-total": int,
        # From request to response, over the last minute or two. A fetch and a join of a group wait in the broker, which counts too.
        "request-latency-avg-ms": float,
        "request-latency-p50-ms": float,
        "request-latency-p99-ms": float,
        "request-latency-max-ms": float,
        # For how long the broker has asked the client to wait, because a quota was exceeded.
        "throttle-time-total-ms": float,
    },
)
"""A broker in `headwater.types.Metrics`."""

ProducerMetrics = TypedDict(
    "ProducerMetrics",
    {
        "client-id": str,
        # Records that were accepted and have no result yet, and the bytes of `buffer.memory` that they take.
        "queued-records": int,
        "queued-bytes": int,
    },
)
"""A producer in `headwater.types.Metrics`."""

ConsumerMetrics = TypedDict(
    "ConsumerMetrics",
    {
        "client-id": str,
        # None: it belongs to no group.
        "group-id": str | None,
        # By topic and partition: the offsets between the position and the end that the last response named.
        # `consumer.lag()` asks the brokers.
        "records-lag": dict[str, dict[int, int]],
    },
)
"""A consumer in `headwater.types.Metrics`."""

_ClientMetrics = TypedDict(
    "_ClientMetrics",
    {
        # Requests; of these, those without a response; how often something was tried again after an error; for how long brokers
        # have asked the client to wait.
        "request-total": int,
        "request-error-total": int,
        "retry-total": int,
        "throttle-time-total-ms": float,
        # Over all brokers; 0 for an embedded engine.
        "connection-count": int,
        "connection-creation-total": int,
        "connection-failure-total": int,
        "outgoing-byte-total": int,
        "incoming-byte-total": int,
        # By "HOST:PORT"; empty for an embedded engine.
        "brokers": dict[str, BrokerMetrics],
        # Those that are in use.
        "producers": list[ProducerMetrics],
        "consumers": list[ConsumerMetrics],
    },
)

_DeletionMetrics = TypedDict(
    "_DeletionMetrics",
    {
        # Only of an embedded engine: the segments that left the logs, and the bytes of their records, by reason.
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
    """What a client has done, in numbers: `client.metrics()`."""


class ArrowSchema(Protocol):
    """Anything with an Arrow schema: of PyArrow, Polars, or `headwater.Schema`."""

    def __arrow_c_schema__(self) -> object:
        """Export it."""


class ArrowStream(Protocol):
    """Anything with Arrow tables: frames, tables, readers, relations."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export them."""


class ArrowArray(Protocol):
    """Anything with one Arrow table."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Export it."""


# What arguments may be, for type checkers.
ConfigValue: TypeAlias = str | int | float | bool | Sequence[str] | None
Format: TypeAlias = Literal["bytes", "string", "json"]
OnError: TypeAlias = Literal["raise", "null", "skip"]
SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
IsolationLevel: TypeAlias = Literal["read_committed", "read_uncommitted"]
Position: TypeAlias = (
    str
    | SupportsIndex
    | datetime
    | Mapping[int, SupportsIndex]
    | Mapping[TopicPartition, SupportsIndex]
    | Mapping[tuple[str, int], SupportsIndex]
)
Bytes: TypeAlias = bytes | str | bytearray | memoryview
Headers: TypeAlias = Iterable[tuple[str, Bytes | None]] | Mapping[str, Bytes | None]
Partitions: TypeAlias = Iterable[tuple[str, SupportsIndex]]
Progress: TypeAlias = Callable[[int, int], object]
OauthToken: TypeAlias = str | tuple[str, datetime | float | None]
OauthTokenFunction: TypeAlias = Callable[[], OauthToken]
AsyncOauthTokenFunction: TypeAlias = Callable[[], OauthToken | Awaitable[OauthToken]]
Stats: TypeAlias = Callable[[Metrics], object]
AsyncStats: TypeAlias = Callable[[Metrics], object]
Dtypes: TypeAlias = ArrowSchema | Mapping[str, Any]
Rows: TypeAlias = ArrowStream | ArrowArray | Iterable[Mapping[str, Any] | Bytes | None]
