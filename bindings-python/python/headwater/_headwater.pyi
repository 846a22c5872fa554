import concurrent.futures
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, SupportsIndex, final, overload

import pandas as pd
import polars as pl
import pyarrow as pa

from headwater.types import (
    AsyncOauthTokenFunction,
    AsyncStats,
    Bytes,
    ConfigValue,
    Dtypes,
    Format,
    GroupInfo,
    GroupMetadata,
    GroupOffset,
    Headers,
    IsolationLevel,
    Metrics,
    OauthTokenFunction,
    OnError,
    Partitions,
    Position,
    Progress,
    RecoveryReport,
    Rows,
    SaslMechanism,
    SecurityProtocol,
    Stats,
    TopicPartition,
)

__all__ = [
    "AioClient",
    "AioConsumer",
    "AioProducer",
    "AioScan",
    "AioServer",
    "AioTopic",
    "Batch",
    "BatchResult",
    "Client",
    "Consumer",
    "Future",
    "Message",
    "Producer",
    "RecordMetadata",
    "Scan",
    "Schema",
    "Server",
    "Topic",
    "TopicInfo",
    "__version__",
    "_aio_connect",
    "_aio_open",
    "_main",
    "_unpickle_batch",
    "_unpickle_message",
    "_unpickle_record_metadata",
    "connect",
    "open",
]

__version__: str

def open(
    path: str | os.PathLike[str] | None = None,
    *,
    stats: Stats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Client:
    """Open an embedded engine and return the client on it.

    `path` is its directory, which is created if missing; `None` keeps everything in memory until the client is closed.
    Opening the same path again in one process returns the same engine, which closes with its last client; a second
    process, or a child of `os.fork()`, gets `LockedError` with the pid of the first one. If the directory is removed or
    replaced while it is open, each call raises an error, and opening the path again opens the new directory.

    The engine logs to `logging`, under "headwater".

    When the disk is full, or a limit of `headwater.storage.max.bytes` or `headwater.storage.min.free.bytes` is reached,
    the oldest records are deleted, even within their retention, so that new ones can be written. Each deletion logs a
    warning with topic and offsets. With `headwater_storage_on_full="fail"` nothing is deleted, and writes fail with
    `KAFKA_STORAGE_ERROR` until there is space.

    Tables may be the files themselves, mapped into memory. The engine never changes them; but if another program
    truncates a file of an open directory, this process is killed (SIGBUS).

    `config` takes the broker's and the client's keys in Kafka's spelling; keyword arguments take them with underscores.
    `stats` is a function that is called with `client.metrics()` every `statistics_interval_ms` (60,000), in a thread of
    the package or in the event loop; it should return quickly.

    >>> import headwater as hw
    >>> with hw.open(num_partitions=2) as client:
    ...     client.create_topic("flights", partitions=4)
    Topic('flights')
    """

def connect(
    bootstrap_servers: str | Sequence[str],
    *,
    oauth_token: OauthTokenFunction | None = None,
    stats: Stats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Client:
    """Connect to a Kafka cluster and return the client on it: Apache Kafka, a Headwater server, or any other server of
    Kafka's protocol.

    `bootstrap_servers` is one or more "HOST:PORT", separated by commas or in a list; one reachable broker is enough.
    The call returns when a broker has answered. It raises `TransportError` if none can be reached within
    `socket_connection_setup_timeout_ms` (10,000), and `AuthenticationError` if the broker refuses the credentials, or
    its certificate is not trusted.

    The client is the same as from `open()`, except that `serve()` is refused.

    `config` takes the keys of clients and connections in Kafka's spelling, such as `security.protocol`,
    `ssl.truststore.location` (PEM), `sasl.mechanism` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER),
    `sasl.username` and `sasl.password`; keyword arguments take them with underscores.

    OAUTHBEARER gets its tokens from `oauth_token`, or from the token endpoint `sasl.oauthbearer.token.endpoint.url`.
    `oauth_token` is a function without arguments that returns the access token, or a tuple of the token and its expiry:
    an aware datetime or seconds since 1970. A JSON Web Token contains its expiry; a token without one is used for one
    connection. The function is called in its own thread, when the first connection is opened and before a token
    expires; it may wait, and for `headwater.aio` it can be a coroutine function.

    `stats` is a function that is called with `client.metrics()` every `statistics_interval_ms` (60,000), in a thread of
    the package or in the event loop; it should return quickly. Both functions are kept until the client is closed.

    >>> import headwater as hw
    >>> with hw.open() as engine, engine.serve(port=0) as server:
    ...     with hw.connect(server.address) as client:
    ...         _ = client.create_topic("flights")
    ...         client.topics()[0].name
    'flights'
    """

@final
class Client:
    """A connection to an engine or cluster: creates topics, producers and consumers. Any number of threads may use it.

    It is also a collection of the names of its topics, without internal ones: `client["flights"]` is the topic,
    `"flights" in client`, `list(client)` and `len(client)` request the names.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     topic = client.create_topic("flights", partitions=4, retention_ms=-1)
    ...     list(client), len(client), client["flights"] == topic
    (['flights'], 1, True)
    """
    def create_topic(
        self,
        name: str,
        *,
        partitions: int | None = 1,
        replication_factor: int | None = None,
        if_exists: Literal["error", "ignore"] = "error",
        config: Mapping[str, ConfigValue] | None = None,
        **topic_config: ConfigValue,
    ) -> Topic:
        """Create a topic. `if_exists="ignore"` returns an existing topic unchanged. Keyword arguments and `config` take
        Kafka's topic keys; keys in milliseconds take durations too: `retention_ms="7d"`, or a `timedelta`.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.create_topic("flights", partitions=4, cleanup_policy="delete", config={"retention.ms": -1})
        Topic('flights')
        """
    def topic(self, name: str) -> Topic:
        """The topic with this name. Sends no request: an unknown topic is an error when it is first used.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     client.topic("flights"), client["flights"]
        (Topic('flights'), Topic('flights'))
        """
    def __getitem__(self, key: str, /) -> Topic: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def topics(self, internal: bool = False) -> list[TopicInfo]:
        """Every topic, by name; `internal=True` includes internal topics.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights", partitions=4)
        ...     client.topics()
        [TopicInfo(name='flights', partitions=4, internal=False)]
        """
    def config(self, broker: int | None = None) -> dict[str, str | None]:
        """The effective configuration of a broker by its id, by default of the one with the lowest id: each of Kafka's
        keys with its value as text, `None` for a secret. The configuration of a topic is `topic.config()`.

        >>> import headwater as hw
        >>> with hw.open(log_retention_hours=24) as client:
        ...     client.config()["log.retention.hours"]
        '24'
        """
    def alter_topic(
        self,
        name: str,
        *,
        partitions: int | None = None,
        config: Mapping[str, ConfigValue] | None = None,
        **topic_config: ConfigValue,
    ) -> None:
        """Add partitions, or change configuration. `None` resets a key to its default.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     client.alter_topic("flights", partitions=4, retention_ms=None)
        ...     client.topics()[0].partitions
        4
        """
    def delete_topic(self, name: str, *, missing_ok: bool = False) -> bool:
        """Delete a topic with all its records, and return whether it existed. An unknown topic is an error unless
        `missing_ok`.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     client.delete_topic("flights"), client.delete_topic("flights", missing_ok=True)
        (True, False)
        """
    def delete_records(self, name: str, before: Position) -> dict[int, int]:
        """Delete the records before a position. Returns the new start offset of each partition.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     client.delete_records("flights", before=2)
        {0: 2}
        """
    def groups(self) -> list[GroupInfo]:
        """Every consumer group, by name: type ("classic" or "consumer"), protocol, and the state with Kafka's name.

        The rows are named tuples, so a data frame accepts them directly: `pl.DataFrame(client.groups())`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
        ...     _ = client.create_topic("flights")
        ...     consumer.commit({("flights", 0): 0})
        ...     [(group.group_id, group.state) for group in client.groups()]
        [('readers', 'Empty')]
        """
    def group_offsets(self, group_id: str) -> list[GroupOffset]:
        """The committed offsets of a group, by topic and partition, with the end of each partition and the lag, the number
        of offsets in between. Both are `None` for a partition that no longer exists. An unknown group has no committed
        offsets.

        The rows are named tuples, so a data frame accepts them directly:
        `pl.DataFrame(client.group_offsets("readers"))`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer, client.consumer(group_id="readers") as consumer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     consumer.commit({("flights", 0): 1})
        ...     client.group_offsets("readers")
        [GroupOffset(topic='flights', partition=0, committed=1, end=3, lag=2)]
        """
    def reset_group_offsets(self, group_id: str, topic: str, to: Position) -> dict[int, int]:
        """Set the committed offsets of a group for a topic, and return them: the next offset to read, for each partition.

        `to` is a position: "earliest", "latest", an offset, `{partition: offset}` (other partitions do not change), an
        aware datetime (the first record at or after it), or an age such as "-15m". An offset outside the log becomes
        its start or its end. The group must have no members; an unknown group is created.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     client.reset_group_offsets("readers", "flights", "latest"), client.reset_group_offsets("readers", "flights", to=1)
        ({0: 3}, {0: 1})
        """
    def delete_group(self, group_id: str) -> None:
        """Delete a group with its committed offsets. It must have no members.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     _ = client.reset_group_offsets("readers", "flights", "earliest")
        ...     client.delete_group("readers")
        ...     client.groups()
        []
        """
    def producer(self, *, config: Mapping[str, ConfigValue] | None = None, **producer_config: ConfigValue) -> Producer:
        """A producer. Keyword arguments and `config` take Kafka's producer keys.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer(linger_ms=5, compression_type="zstd") as producer:
        ...     _ = client.create_topic("flights")
        ...     producer.send("flights", b"late").result().offset
        0
        """
    def consumer(
        self,
        topics: str | Iterable[str] | re.Pattern[str] | None = None,
        *,
        group_id: str | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
        config: Mapping[str, ConfigValue] | None = None,
        **consumer_config: ConfigValue,
    ) -> Consumer:
        """A consumer of all partitions of these topics; without topics, pass the partitions to `Consumer.assign`. With
        `group_id` it shares them with the other consumers of the group, starts at the committed offsets, and
        periodically commits finished records: a batch or a message is finished when the next one is requested. With a
        group, topics can also be a `re.compile(...)`. A topic that does not exist is an error here, and in asyncio at
        the first read.

        The members of a group assign its partitions; with `group_protocol="consumer"` the broker does (KIP-848), with
        the assignor `group_remote_assignor`, if set. The broker then also sets the session timeout and the heartbeat
        interval, and finds the topics of a pattern. Members of both protocols can share a group while it migrates from
        one to the other.

        `key`, `value`, `schema`, `unnest`, `unnest_prefix`, `rest` and `on_error` are the formats of `Topic.scan`.
        Without a schema, the types of JSON are inferred for each batch, and lose no key. The value of a message is the
        result of `json.loads`. After a `DecodeError` the consumer is at the record. To continue after it:
        `consumer.seek({(error.topic, error.partition): error.offset + 1})`. Other keyword arguments and `config` take
        Kafka's consumer keys.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     with client.consumer("flights", auto_offset_reset="earliest", value="string") as consumer:
        ...         [message.value for message in consumer.poll()]
        ['a', 'b']
        """
    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 9092,
        *,
        advertised: str | None = None,
        security_protocol: SecurityProtocol = "PLAINTEXT",
        tls_cert: str | os.PathLike[str] | None = None,
        tls_key: str | os.PathLike[str] | None = None,
        sasl_mechanisms: Sequence[SaslMechanism] | None = None,
        allow_insecure: bool = False,
    ) -> Server:
        """Open the engine to any Kafka client. `port=0` uses a free port; `advertised="HOST:PORT"` is the address that
        clients connect to.

        An address that other machines can reach is refused without `security_protocol="SASL_SSL"` (TLS with `tls_cert`
        and `tls_key`, PEM files; users from `headwater user add` with `sasl_mechanisms`, any by default) or
        `allow_insecure=True`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.serve(port=0) as server:
        ...     configuration = {"bootstrap.servers": server.bootstrap_servers}  # for confluent_kafka.Producer, ...
        ...     configuration
        {'bootstrap.servers': '127.0.0.1:...'}
        """
    def close(self) -> None:
        """Send the queued records of all producers, then close this client and everything created from it. The engine is
        flushed and closed with its last client: each `open()` of the same path creates one. Idempotent; `with` calls
        it.

        Raises an error if records could not be sent, with their number and topics. The client is closed nevertheless.

        >>> import headwater as hw
        >>> client = hw.open()
        >>> client.close()
        >>> client.close()
        """
    @property
    def aio(self) -> AioClient:
        """This client for asyncio: the same engine, closed with either.

        >>> import asyncio, headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     async def main():
        ...         return await client.aio.topics()
        ...     asyncio.run(main())
        [TopicInfo(name='flights', partitions=1, internal=False)]
        """
    @property
    def recovery(self) -> RecoveryReport | None:
        """The report of opening the directory, a `headwater.types.RecoveryReport`; `None` if the directory is new, or was
        closed in order and is complete.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     print(client.recovery)
        None
        """
    def metrics(self) -> Metrics:
        """The metrics of this client: requests and their latencies, connections and bytes for each broker, queued records
        of producers, and the lag of consumers. `headwater.types.Metrics` has each key with its unit. Sends no request.
        `stats=` of `open()` and `connect()` is periodically called with the same.

        An embedded engine also counts deleted segments, and their bytes, by reason. `exhaustion` counts segments that
        were deleted before their retention ended because the disk, or `headwater.storage.max.bytes`, was full;
        `retention-time` and `retention-size` count deletions by `retention.ms` and `retention.bytes`, `delete-records`
        those by `delete_records`. All clients on one directory of this process have the same counts.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.metrics()["exhaustion-deleted-segments-total"]
        ...     topic = client.create_topic("flights")
        ...     client.metrics()["request-total"] > 0
        0
        True
        """
    @property
    def closed(self) -> bool:
        """Whether it was closed.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     pass
        >>> client.closed
        True
        """
    def __enter__(self) -> Client: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Server:
    """A listener of an engine for Kafka clients, until it or its client is closed. `Client.serve` creates it.

    >>> import headwater as hw
    >>> with hw.open() as client, client.serve(port=0) as server:
    ...     server
    Server('127.0.0.1:...')
    """
    @property
    def address(self) -> str:
        """The address on which it listens, with the actual port.

        >>> import headwater as hw
        >>> with hw.open() as client, client.serve(port=0) as server:
        ...     server.address
        '127.0.0.1:...'
        """
    @property
    def bootstrap_servers(self) -> str:
        """The addresses that clients connect to: the `bootstrap.servers` of their configuration.

        >>> import headwater as hw
        >>> with hw.open() as client, client.serve(port=0, advertised="localhost:9092") as server:
        ...     server.bootstrap_servers
        'localhost:9092'
        """
    def close(self) -> None:
        """Answer the requests that have arrived, for a few seconds at most, and close all connections; the client stays
        open. Idempotent; `with` calls it.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     server = client.serve(port=0)
        ...     server.close()
        ...     client.topics()
        []
        """
    def __enter__(self) -> Server: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class TopicInfo:
    """A topic in the list of topics.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     _ = client.create_topic("flights", partitions=4)
    ...     info = client.topics()[0]
    >>> info.name, info.partitions, info.internal, len(info.topic_id)
    ('flights', 4, False, 36)
    """
    @property
    def name(self) -> str:
        """The topic's name."""
    @property
    def topic_id(self) -> str:
        """The topic's id. A recreated topic has another id."""
    @property
    def partitions(self) -> int:
        """The number of partitions."""
    @property
    def internal(self) -> bool:
        """Whether it is an internal topic."""

@final
class Topic:
    """A topic of a client. Creating it sends no request; `len()` is the number of its records, counted from batch headers.
    Topics of one client are equal if they have the same name, and can be keys of a dictionary.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     topic = client.create_topic("flights")
    ...     _ = producer.send_batch("flights", [{"delay": 12}, {"delay": 0}])
    ...     len(topic), topic.scan(value="json", unnest=True).to_polars()["delay"].to_list()
    (2, [12, 0])
    """
    @property
    def name(self) -> str:
        """The topic's name.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.topic("flights").name
        'flights'
        """
    @property
    def partitions(self) -> int:
        """The number of partitions, as the cluster has it now.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.create_topic("flights", partitions=4).partitions
        4
        """
    @property
    def size_bytes(self) -> int | None:
        """The size of the topic's log in bytes: of all partitions, without replicas. `None` if a leader does not report
        it.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     done = producer.send_batch("flights", [b"a", b"b"])
        ...     topic.size_bytes == done.bytes
        True
        """
    def config(self) -> dict[str, str | None]:
        """The effective configuration: each of Kafka's topic keys with its value as text, whether it was set for the topic
        or is the broker's default. `None` for a secret. `client.alter_topic()` changes it.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     config = client.create_topic("flights", retention_ms=-1).config()
        >>> config["retention.ms"], config["cleanup.policy"]
        ('-1', 'delete')
        """
    def scan(
        self,
        start: Position = "earliest",
        end: Position = "latest",
        *,
        partitions: Iterable[int] | None = None,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
        infer_records: int | None = None,
        isolation_level: IsolationLevel = "read_committed",
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Scan:
        """The records from `start` to before `end` as a table that is read on use, any number of times.

        `start` and `end` are positions: "earliest", "latest", an offset, `{partition: offset}`, a date (its midnight in
        UTC), an aware datetime, the ISO text of one of these ("2026-01-31", "2026-01-31T10:00:00Z"), or an age such as
        "-15m". `key` and `value` are "bytes", "string" or "json"; a `schema` (an Arrow schema or `{"name": dtype}`)
        types the JSON value, `unnest=True` turns its fields into columns, and `on_error` ("raise", "null", "skip")
        handles records that do not fit: the whole schema decides which records are skipped, whatever `columns`
        contains. `skipped` counts them. `columns` are the columns to read. Reading stops after `limit` records:
        partition by partition, in offset order. `progress` is called with the records done and the total, which is
        counted first.

        With `unnest=True`, a field with the name of a record column (`timestamp`, `key`, `offset`, `partition`,
        `headers`, `topic`, `timestamp_type`, `leader_epoch`) becomes a column with `unnest_prefix` before its name:
        `json_timestamp`.

        Without a schema, the types of JSON are inferred from the first `infer_records` values (10,000). A field that
        first appears later is left out and logged once, as a warning with its name and offset. `rest="rest"` keeps the
        fields that the types do not name, with and without a schema: as an object in JSON, in the additional text field
        `rest` of the value, or null. A field whose objects have such fields is in it as a whole.

        A value fits a type that represents it exactly; floats are rounded to the nearest, and a decimal with too many
        decimals is rounded, halves away from zero. Dates and times are in the years 1 to 9999. A Python datetime has
        microseconds: finer decimals are rounded down.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [{"carrier": "UA", "delay": 12}, {"carrier": "AA", "delay": 0}])
        ...     topic.scan(start=1, value="json", unnest=True, columns=["offset", "carrier"]).to_polars().rows()
        ...     topic.scan(limit=1).count()
        [(1, 'AA')]
        1
        """
    def head(
        self,
        n: int = 10,
        *,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
    ) -> Batch:
        """The first `n` records: partition by partition, in offset order.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
        ...     [message.value for message in client["t"].head(2)]
        [b'a', b'b']
        """
    def tail(
        self,
        n: int = 10,
        *,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
    ) -> Batch:
        """The `n` newest records of all partitions. Reads only the end of the topic.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
        ...     [message.value for message in client["t"].tail(2)]
        [b'b', b'c']
        """
    def count(self) -> int:
        """The number of records, counted from batch headers.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("t")
        ...     _ = producer.send_batch("t", [b"a", b"b"])
        ...     topic.count()
        2
        """
    def offsets(self, at: Position) -> dict[int, int]:
        """The offset of a position in each partition.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("t", partitions=2)
        ...     _ = producer.send("t", b"a", partition=1).result()
        ...     topic.offsets("latest")
        {0: 0, 1: 1}
        """
    def rate(self, every: str = "1m", *, start: Position = "earliest", end: Position = "latest") -> Batch:
        """Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes`. A batch
        that spans several intervals is spread evenly.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("t")
        ...     _ = producer.send("t", b"a", timestamp=3_600_000).result()
        ...     topic.rate("1h").to_polars()["records"].to_list()
        [1]
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def _repr_html_(self) -> str | None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Scan:
    """A range of a topic, which is read on use, any number of times; each reading fixes its own end when it starts.

    Iterating it yields `Batch`es. It implements the Arrow capsule interface: `pa.table(scan)` and `duckdb.sql("from
    scan")` work and keep only a part of it in memory at a time.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     topic = client.create_topic("flights")
    ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    ...     scan = topic.scan()
    ...     scan.count(), [len(batch) for batch in scan], scan.to_polars()["value"].to_list()
    (3, [3], [b'a', b'b', b'c'])
    """
    @overload
    def to_polars(self, lazy: Literal[False] = False) -> pl.DataFrame:
        """Convert to a `polars.DataFrame`, without a copy of keys and values. `lazy=True` returns a `polars.LazyFrame`
        with the same results: filters on `offset`, `partition` and `timestamp`, the selected columns and row limits are
        pushed down to the log's indexes, and Polars does the rest. Its schema is fixed when it is created; its records
        are read when it is collected.

        >>> import headwater as hw, polars as pl
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     topic.scan().to_polars(lazy=True).filter(pl.col("offset") >= 1).select("value").collect().rows()
        [(b'b',), (b'c',)]
        """
    @overload
    def to_polars(self, lazy: Literal[True]) -> pl.LazyFrame:
        """Convert to a `polars.DataFrame`, without a copy of keys and values. `lazy=True` returns a `polars.LazyFrame`
        with the same results: filters on `offset`, `partition` and `timestamp`, the selected columns and row limits are
        pushed down to the log's indexes, and Polars does the rest. Its schema is fixed when it is created; its records
        are read when it is collected.

        >>> import headwater as hw, polars as pl
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     topic.scan().to_polars(lazy=True).filter(pl.col("offset") >= 1).select("value").collect().rows()
        [(b'b',), (b'c',)]
        """
    def to_pandas(self, dtype_backend: Literal["pyarrow", "numpy_nullable"] | None = None) -> pd.DataFrame:
        """Convert to a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable"). Bytes become
        objects, which is slow: use `value="string"` or a schema.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     topic.scan(value="string").to_pandas()["value"].tolist()
        ['a', 'b']
        """
    def to_arrow(self) -> pa.Table:
        """As a `pyarrow.Table`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     topic.scan().to_arrow()["value"].to_pylist()
        [b'a', b'b']
        """
    def to_reader(self) -> pa.RecordBatchReader:
        """A `pyarrow.RecordBatchReader`, which keeps only a part in memory at a time.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     sum(batch.num_rows for batch in topic.scan().to_reader())
        2
        """
    def count(self) -> int:
        """The number of records, counted from batch headers. With `on_error="skip"` keys and values that have a format are
        decoded.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     topic.scan(start=1).count()
        1
        """
    def explain(self) -> str:
        """Describe how it will be read, as text.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     "flights" in client.create_topic("flights").scan().explain()
        True
        """
    @property
    def skipped(self) -> int:
        """The number of records that `on_error="skip"` has skipped since a reading of the scan last started.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
        ...     scan = client["t"].scan(value="json", on_error="skip")
        ...     scan.to_polars().height, scan.skipped
        (2, 1)
        """
    @property
    def schema(self) -> Schema:
        """The names and types of the columns: convert it to a `polars.Schema`, a `pyarrow.schema` or a DataFrame. JSON
        without a schema is inferred from the first records.

        >>> import headwater as hw, pyarrow as pa
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [{"delay": 12}])
        ...     pa.schema(topic.scan(value="json", columns=["offset", "value"]).schema).field("value").type
        StructType(struct<delay: int64>)
        """
    def __iter__(self) -> Iterator[Batch]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _narrow(
        self,
        *,
        columns: Sequence[str] | None = None,
        partitions: Sequence[int] | None = None,
        offsets: tuple[int | None, int | None] = (None, None),
        timestamps: tuple[int | None, int | None] = (None, None),
        limit: int | None = None,
    ) -> Scan: ...

@final
class Schema:
    """The names and types of a table's columns, for any function that takes an Arrow schema.

    >>> import headwater as hw, pyarrow as pa
    >>> with hw.open() as client:
    ...     pa.schema(client.create_topic("t").scan(columns=["offset"]).schema).names
    ['offset']
    """
    @property
    def names(self) -> list[str]:
        """The names of the columns."""
    def __arrow_c_schema__(self) -> object: ...

@final
class Producer:
    """Sends records. Any number of threads may use it at once.

    It partitions like the Java producer: by the murmur2 hash of the key, and without a key by filling one partition
    after the other.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     topic = client.create_topic("flights")
    ...     with client.producer() as producer:
    ...         for delay in range(3):
    ...             _ = producer.send("flights", f"{delay}", key=b"UA")
    ...     len(topic)
    3
    """
    def send(
        self,
        topic: str,
        value: Bytes | None = None,
        *,
        key: Bytes | None = None,
        headers: Headers | None = None,
        partition: SupportsIndex | None = None,
        timestamp: SupportsIndex | date | str | None = None,
    ) -> Future:
        """Send a record. Returns the future of its result at once, unless `buffer_memory` is full: then it waits up to
        `max_block_ms`.

        `value` and `key` are bytes, or str as UTF-8; `headers` a list of pairs of a name and bytes; `timestamp`
        milliseconds since 1970, an aware datetime, a date (its midnight in UTC) or the ISO text of one, rounded down to
        milliseconds. `value=None` deletes the key in a compacted topic.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights", partitions=4)
        ...     producer.send("flights", b"late", key="UA", headers=[("gate", b"B7")], partition=3).result().partition
        3
        """
    def send_batch(
        self,
        topic: str,
        rows_or_arrow: Rows,
        *,
        key: str | None = None,
        value: str | None = None,
        headers: str | None = None,
        partition: SupportsIndex | str | None = None,
        timestamp: str | None = None,
        value_format: Literal["json"] = "json",
    ) -> BatchResult:
        """Send a table, or many rows, and wait until all of it is written. There is no cost in Python per record.

        `rows` is any object with an Arrow capsule (a frame of Polars or pandas, a table of PyArrow or DuckDB), or an
        iterable of dicts, bytes or str. `key`, `value`, `headers`, `timestamp` and `partition` are the names of its
        columns; without `value` the remaining columns are packed as JSON. `partition` can be a number.

        Every value is written exactly, or refused with its row and column: NaN, and dates and times outside the years 1
        to 9999, cannot be expressed in JSON. Bytes are written in hexadecimal, times in ISO 8601. A key or value column
        of text, bytes, numbers, dates or times is written as plain text, without quotes. Timestamps are rounded down to
        milliseconds. Of rows in memory the first 256 MiB are checked before anything is written; if a row is refused
        later, the error has the number of rows written.

        >>> import headwater as hw, polars as pl
        >>> frame = pl.DataFrame({"carrier": ["UA", "AA"], "delay": [12, 0]})
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     producer.send_batch("flights", frame, key="carrier").records
        ...     [(message.key, message.value) for message in topic.head()]
        2
        [(b'UA', b'{"delay":12}'), (b'AA', b'{"delay":0}')]
        """
    def flush(self, timeout: float | None = None) -> None:
        """Send all records accepted before, and wait for the results, at most `timeout` seconds. Errors are raised by the
        futures only.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     topic = client.create_topic("flights")
        ...     _ = producer.send("flights", b"late")
        ...     producer.flush()
        ...     len(topic)
        1
        """
    def close(self) -> None:
        """Flush, then accept no more records. Idempotent; `with` calls it.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     producer = client.producer()
        ...     producer.close()
        ...     producer.close()
        """
    def __enter__(self) -> Producer: ...
    def __exit__(self, *_exception: object) -> None: ...

@final
class Future(concurrent.futures.Future[RecordMetadata]):
    """The result of a record: its position in the log, or its error.

    It needs no polling: records are sent when their batch is full, `linger_ms` after the first of them, or at once when
    a caller waits. It is a `concurrent.futures.Future` that cannot be cancelled: `wait`, `as_completed` and
    `asyncio.wrap_future` accept it; and it can be awaited. It can be dropped: the record is sent anyway.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     _ = client.create_topic("flights")
    ...     future = producer.send("flights", b"late")
    ...     future.result(timeout=10).offset, future.done()
    (0, True)
    """
    def result(self, timeout: float | None = None) -> RecordMetadata:
        """The position of the record; waits for it at most `timeout` seconds. Raises the error if it could not be written.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     producer.send("flights", b"late", timestamp=0).result()
        RecordMetadata(topic='flights', partition=0, offset=0, timestamp_ms=0)
        """
    def exception(self, timeout: float | None = None) -> Exception | None:
        """The error of the record, or `None` if it was written; waits for it at most `timeout` seconds.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     print(producer.send("flights", b"late").exception())
        None
        """
    def done(self) -> bool:
        """Whether the result is available. Does not send the record earlier.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     future = producer.send("flights", b"late")
        ...     producer.flush()
        ...     future.done()
        True
        """
    def cancel(self) -> bool:
        """Always false: a record cannot be cancelled.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     producer.send("flights", b"late").cancel()
        False
        """
    def cancelled(self) -> bool:
        """Always false.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     producer.send("flights", b"late").cancelled()
        False
        """
    def running(self) -> bool:
        """Whether the result is not available yet.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     future = producer.send("flights", b"late")
        ...     producer.flush()
        ...     future.running()
        False
        """
    def add_done_callback(self, function: Callable[[Future], object]) -> None:
        """Call `function(future)` when the result is available, in a thread of the package. Does not send the record
        earlier.

        >>> import headwater as hw, threading
        >>> done = threading.Event()
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     producer.send("flights", b"late").add_done_callback(lambda future, done=done: done.set())
        ...     producer.flush()
        ...     done.wait(10)
        True
        """
    def __await__(self) -> Generator[Any, None, RecordMetadata]: ...

@final
class RecordMetadata:
    """The position of a written record.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     _ = client.create_topic("flights")
    ...     done = producer.send("flights", b"late", timestamp=0).result()
    >>> done.topic, done.partition, done.offset, done.timestamp_ms
    ('flights', 0, 0, 0)
    """
    @property
    def topic(self) -> str:
        """The topic's name."""
    @property
    def partition(self) -> int:
        """The partition's number."""
    @property
    def offset(self) -> int | None:
        """The offset; `None` with `acks=0`, because the broker does not answer."""
    @property
    def timestamp_ms(self) -> int:
        """The timestamp of the record in milliseconds since 1970: the producer's, or the broker's for topics with
        `LogAppendTime`.
        """
    def __eq__(self, other: object, /) -> bool: ...

@final
class BatchResult:
    """The result of sending a table.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     _ = client.create_topic("flights")
    ...     done = producer.send_batch("flights", [b"a", b"b"])
    >>> done.records, done.offsets, done.bytes > 0
    (2, {0: [range(0, 2)]}, True)
    """
    @property
    def records(self) -> int:
        """The number of records written."""
    @property
    def bytes(self) -> int:
        """Their size in the log in bytes."""
    @property
    def offsets(self) -> dict[int, list[range]]:
        """The ranges of offsets of the rows in each partition, in order."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Consumer:
    """Reads partitions in offset order: manually assigned ones, or with `group_id` those that the group assigns. For one
    thread at a time, except `wakeup` and `close`; iterating yields `Message`s as they arrive.

    With `group_id`, auto-commit commits finished records (`enable_auto_commit`): every `auto_commit_interval_ms`,
    before partitions go to other members, and at `close`. A batch or message is finished when you request the next one,
    or when you commit it. So the last batch before `close` is delivered again unless you commit it.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     _ = client.create_topic("flights")
    ...     _ = producer.send_batch("flights", [b"a", b"b"])
    ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    ...         for message in consumer:
    ...             print(message.offset, message.value)
    ...             if message.offset == 1:
    ...                 break
    0 b'a'
    1 b'b'
    """
    def assign(self, partitions: Partitions) -> None:
        """Read these partitions from now on, and no others: pairs of a topic and a number. A partition that stays keeps
        its position; a new one starts according to `auto_offset_reset`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.consumer() as consumer:
        ...     _ = client.create_topic("flights", partitions=4)
        ...     consumer.assign([("flights", 0), ("flights", 3)])
        ...     consumer.assignment()
        [TopicPartition(topic='flights', partition=0), TopicPartition(topic='flights', partition=3)]
        """
    def subscribe(
        self,
        topics: str | Iterable[str] | re.Pattern[str],
        *,
        on_assign: Callable[[list[TopicPartition]], object] | None = None,
        on_revoke: Callable[[list[TopicPartition]], object] | None = None,
        on_lost: Callable[[list[TopicPartition]], object] | None = None,
    ) -> None:
        """Read the partitions of these topics that the group (`group_id`) assigns: a name, names, or a `re.compile(...)`
        that must match the whole name of a topic, now or later. The group assigns partitions while the consumer is
        polled.

        `on_assign`, `on_revoke` and `on_lost` are called with the partitions: after they were assigned, before they are
        revoked (they can still be committed), and when others may already own them. Without `on_lost`, `on_revoke` is
        called instead. They run in the thread that polls; in asyncio in the event loop, where they can be coroutine
        functions.

        >>> import headwater as hw
        >>> with hw.open(group_initial_rebalance_delay_ms=0) as client, client.consumer(group_id="readers") as consumer:
        ...     _ = client.create_topic("flights")
        ...     consumer.subscribe("flights", on_assign=lambda partitions: print("assigned", partitions))
        ...     while not consumer.assignment():
        ...         _ = consumer.poll(0.1)
        assigned [TopicPartition(topic='flights', partition=0)]
        """
    def unsubscribe(self) -> None:
        """Leave the group and release all partitions; finished records are committed first, unless `enable_auto_commit` is
        false. `on_revoke` is called before, and may commit.

        >>> import headwater as hw
        >>> with hw.open() as client, client.consumer("flights", group_id="readers") as consumer:
        ...     consumer.unsubscribe()
        ...     consumer.assignment()
        []
        """
    def commit(self, what: Batch | Message | Mapping[tuple[str, int], int] | None = None, *, wait: bool = True) -> None:
        """Commit offsets for the group: of all records returned so far, of a `Batch` or a `Message`, or by partition (the
        next offsets to read). The records before them are finished: auto-commit never goes back before them. Topics
        that were deleted meanwhile are left out. With `wait=False` a failure is only logged.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer, client.consumer(group_id="readers") as consumer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     consumer.assign([("flights", 0)])
        ...     consumer.seek("earliest")
        ...     consumer.commit(consumer.poll())
        ...     consumer.committed()
        {TopicPartition(topic='flights', partition=0): 2}
        """
    def committed(self, partitions: Partitions | None = None) -> dict[TopicPartition, int]:
        """The committed offsets of the group for these partitions, or for all assigned ones. Partitions without a commit
        are left out.

        >>> import headwater as hw
        >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
        ...     _ = client.create_topic("flights")
        ...     consumer.commit({("flights", 0): 0})
        ...     consumer.committed([("flights", 0)])
        {TopicPartition(topic='flights', partition=0): 0}
        """
    def group_metadata(self) -> GroupMetadata | None:
        """The consumer's membership in its group as it is known now, or `None` without a group. Sends no request, and can
        be called while another call waits.

        >>> import headwater as hw
        >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
        ...     member = consumer.group_metadata()
        ...     member.group_id, member.member_id, member.generation_id
        ('readers', '', -1)
        """
    def assignment(self) -> list[TopicPartition]:
        """The assigned partitions.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     client.consumer("flights").assignment()
        [TopicPartition(topic='flights', partition=0)]
        """
    def poll(self, timeout: float = 1.0, *, max_records: int | None = None) -> Batch:
        """The next records, at most `max_records` (by default `max_poll_records`). If none arrive within `timeout`
        seconds, the batch is empty and false.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
        ...         len(consumer.poll()), bool(consumer.poll(timeout=0))
        (2, False)
        """
    def batches(
        self,
        *,
        max_records: int = 65_536,
        max_bytes: int = 16_777_216,
        max_wait: float = 0.1,
        until: Literal["forever", "end"] = "forever",
    ) -> Iterator[Batch]:
        """The stream as batches of at most `max_records` records and about `max_bytes` bytes. After the first record,
        waits up to `max_wait` seconds for a fuller batch. `until="end"` stops at the current end of each partition.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
        ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
        ...         [len(batch) for batch in consumer.batches(max_records=2, until="end")]
        [2, 1]
        """
    def position(self) -> dict[TopicPartition, int]:
        """The next offset to read, for each partition.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     client.consumer("flights", auto_offset_reset="earliest").position()
        {TopicPartition(topic='flights', partition=0): 0}
        """
    def lag(self) -> dict[TopicPartition, int]:
        """The number of offsets between the position and the end, for each partition.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     client.consumer("flights", auto_offset_reset="earliest").lag()
        {TopicPartition(topic='flights', partition=0): 2}
        """
    def seek(self, to: Position, *, partitions: Partitions | None = None) -> None:
        """Move the position in these partitions, or in all. A dictionary can contain the partitions instead.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a", b"b"])
        ...     with client.consumer("flights") as consumer:
        ...         consumer.seek("earliest")
        ...         first = consumer.poll(max_records=1)
        ...         consumer.seek({("flights", 0): 0})
        ...         len(first), len(consumer.poll())
        (1, 2)
        """
    def pause(self, partitions: Partitions | None = None) -> None:
        """Stop reading these partitions, or all, without releasing them.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = client.create_topic("flights")
        ...     _ = producer.send_batch("flights", [b"a"])
        ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
        ...         consumer.pause()
        ...         paused = len(consumer.poll(timeout=0.01))
        ...         consumer.resume()
        ...         paused, len(consumer.poll())
        (0, 1)
        """
    def resume(self, partitions: Partitions | None = None) -> None:
        """Read paused partitions again: these, or all by default.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     with client.consumer("flights") as consumer:
        ...         consumer.pause([("flights", 0)])
        ...         consumer.resume([("flights", 0)])
        ...         consumer.paused()
        []
        """
    def paused(self) -> list[TopicPartition]:
        """The paused partitions.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.consumer().paused()
        []
        """
    @property
    def skipped(self) -> int:
        """The number of records that `on_error="skip"` has skipped so far. May be read from any thread. Records that are
        decoded again, after a seek or a rebalance, count again.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
        ...     with client.consumer("t", auto_offset_reset="earliest", value="json", on_error="skip") as consumer:
        ...         len(consumer.poll()), consumer.skipped
        (2, 1)
        """
    def wakeup(self) -> None:
        """End the waiting call, from any thread or signal handler: it raises `WakeupError`, and no records are lost. If no
        call is waiting, the next one that may wait raises it.

        >>> import headwater as hw, threading
        >>> with hw.open() as client:
        ...     _ = client.create_topic("flights")
        ...     with client.consumer("flights") as consumer:
        ...         threading.Timer(0.1, consumer.wakeup).start()
        ...         try:
        ...             consumer.poll(timeout=60)
        ...         except hw.WakeupError:
        ...             print("woken")
        woken
        """
    def close(self) -> None:
        """Commit finished records (unless `enable_auto_commit` is false), leave the group and clear the assignment. A
        batch or message is finished when the next one was requested, or when it was committed. Idempotent; `with` calls
        it.

        `on_revoke` of the subscription is called before the partitions are released, and may commit; its exception is
        raised after the consumer is closed. Any thread may close a consumer: a waiting call in another thread raises
        `ClosedError`.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     consumer = client.consumer()
        ...     consumer.close()
        ...     consumer.close()
        """
    def __enter__(self) -> Consumer: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __iter__(self) -> Consumer: ...
    def __next__(self) -> Message: ...

@final
class Batch:
    """Records as a table, ordered by partition and offset.

    It implements the Arrow capsule interface: `pl.DataFrame(batch)`, `pa.table(batch)` and `duckdb.sql("from batch")`
    work. Iterating it yields `Message`s, `batch[0]` is the first one, and `batch[10:20]` a batch of ten rows without a
    copy. An empty batch is false.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     topic = client.create_topic("flights")
    ...     _ = producer.send_batch("flights", [{"carrier": "UA", "delay": 12}, {"carrier": "AA", "delay": 0}])
    ...     batch = topic.head()
    >>> len(batch), bool(batch)
    (2, True)
    >>> [message.value for message in batch]
    [b'{"carrier":"UA","delay":12}', b'{"carrier":"AA","delay":0}']
    """
    def to_polars(self) -> pl.DataFrame:
        """As a `polars.DataFrame`, without a copy.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
        ...     client["t"].head().to_polars()["value"].to_list()
        [b'a', b'b']
        """
    def to_pandas(self, dtype_backend: Literal["pyarrow", "numpy_nullable"] | None = None) -> pd.DataFrame:
        """As a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable").

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
        ...     client["t"].head(value="string").to_pandas()["value"].tolist()
        ['a', 'b']
        """
    def to_arrow(self) -> pa.Table:
        """As a `pyarrow.Table`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
        ...     client["t"].head().to_arrow().num_rows
        2
        """
    def decode(
        self,
        *,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
    ) -> Batch:
        """The same records with keys and values decoded: see `Topic.scan` for the formats. The batch must have them as
        bytes.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [{"delay": 12}])
        ...     batch = client["t"].head()
        >>> [message.value for message in batch.decode(value="json", schema={"delay": "int64"})]
        [{'delay': 12}]
        """
    @property
    def skipped(self) -> int:
        """The number of records that `on_error="skip"` has skipped since the previous batch. An unpickled batch has 0.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
        ...     batch = client["t"].head(value="json", on_error="skip")
        >>> len(batch), batch.skipped
        (2, 1)
        """
    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        """The position after the batch, for each partition in it: pass it to `Consumer.seek` or `Topic.scan(start=...)`.

        >>> import headwater as hw
        >>> with hw.open() as client, client.producer() as producer:
        ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
        ...     client["t"].head().next_offsets
        {TopicPartition(topic='t', partition=0): 2}
        """
    @property
    def columns(self) -> list[str]:
        """The names of the columns.

        >>> import headwater as hw
        >>> with hw.open() as client:
        ...     client.create_topic("t").head().columns
        ['partition', 'offset', 'timestamp', 'key', 'value', 'headers']
        """
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __iter__(self) -> Iterator[Message]: ...
    def __reversed__(self) -> Iterator[Message]: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Message: ...
    @overload
    def __getitem__(self, index: slice, /) -> Batch: ...
    def _repr_html_(self) -> str: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

@final
class Message:
    """One record of a topic. Its attributes cannot be changed.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     topic = client.create_topic("flights")
    ...     _ = producer.send("flights", b"late", key=b"UA", timestamp=0, headers=[("gate", b"B7")]).result()
    ...     message = next(iter(topic.head(1)))
    >>> message.topic, message.partition, message.offset, message.key, message.value
    ('flights', 0, 0, b'UA', b'late')
    >>> message.timestamp.isoformat(), message.timestamp_ms, message.headers
    ('1970-01-01T00:00:00+00:00', 0, [('gate', b'B7')])
    """
    @property
    def topic(self) -> str:
        """The topic's name."""
    @property
    def partition(self) -> int:
        """The partition's number."""
    @property
    def offset(self) -> int:
        """The offset in the partition."""
    @property
    def timestamp(self) -> datetime:
        """The timestamp of the record as a datetime in UTC."""
    @property
    def timestamp_ms(self) -> int:
        """The timestamp of the record in milliseconds since 1970."""
    @property
    def key(self) -> Any:
        """The key: bytes, or decoded by its format."""
    @property
    def value(self) -> Any:
        """The value: bytes, or decoded by its format; JSON without a schema by `json.loads`. NaN and Infinity are not JSON
        and are refused, and so are numbers beyond the largest float.
        """
    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        """The headers: pairs of a name and bytes, in order; names may repeat."""

def _aio_open(
    path: str | os.PathLike[str] | None = None,
    *,
    stats: AsyncStats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Coroutine[Any, Any, AioClient]: ...
def _aio_connect(
    bootstrap_servers: str | Sequence[str],
    *,
    oauth_token: AsyncOauthTokenFunction | None = None,
    stats: AsyncStats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Coroutine[Any, Any, AioClient]: ...
def _unpickle_batch(stream: bytes, json: bytes | None, topic: str | None, next_offsets: dict[TopicPartition, int]) -> Batch: ...
def _unpickle_message(stream: bytes, json: bytes | None, topic: str | None) -> Message: ...
def _unpickle_record_metadata(topic: str, partition: int, offset: int | None, timestamp_ms: int) -> RecordMetadata: ...
def _main() -> int: ...
def _at_exit() -> None: ...

# The classes of headwater.aio. Written by bindings-python/stubs.py from the classes above: change those, and run it.

@final
class AioClient:
    """`headwater.Client` for asyncio.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client:
    ...         await client.create_topic("flights", partitions=4)
    ...         return await client.topics()
    >>> asyncio.run(main())
    [TopicInfo(name='flights', partitions=4, internal=False)]
    """
    async def create_topic(
        self,
        name: str,
        *,
        partitions: int | None = 1,
        replication_factor: int | None = None,
        if_exists: Literal["error", "ignore"] = "error",
        config: Mapping[str, ConfigValue] | None = None,
        **topic_config: ConfigValue,
    ) -> AioTopic:
        """Create a topic. `if_exists="ignore"` returns an existing topic unchanged. Keyword arguments and `config` take
        Kafka's topic keys; keys in milliseconds take durations too: `retention_ms="7d"`, or a `timedelta`.
        """
    def topic(self, name: str) -> AioTopic:
        """The topic with this name. Sends no request: an unknown topic is an error when it is first used."""
    def __getitem__(self, key: str, /) -> AioTopic: ...
    def __contains__(self, key: object, /) -> bool: ...
    async def topics(self, internal: bool = False) -> list[TopicInfo]:
        """Every topic, by name; `internal=True` includes internal topics."""
    async def config(self, broker: int | None = None) -> dict[str, str | None]:
        """The effective configuration of a broker by its id, by default of the one with the lowest id: each of Kafka's
        keys with its value as text, `None` for a secret. The configuration of a topic is `topic.config()`.
        """
    async def alter_topic(
        self,
        name: str,
        *,
        partitions: int | None = None,
        config: Mapping[str, ConfigValue] | None = None,
        **topic_config: ConfigValue,
    ) -> None:
        """Add partitions, or change configuration. `None` resets a key to its default."""
    async def delete_topic(self, name: str, *, missing_ok: bool = False) -> bool:
        """Delete a topic with all its records, and return whether it existed. An unknown topic is an error unless
        `missing_ok`.
        """
    async def delete_records(self, name: str, before: Position) -> dict[int, int]:
        """Delete the records before a position. Returns the new start offset of each partition."""
    async def groups(self) -> list[GroupInfo]:
        """Every consumer group, by name: type ("classic" or "consumer"), protocol, and the state with Kafka's name.

        The rows are named tuples, so a data frame accepts them directly: `pl.DataFrame(client.groups())`.
        """
    async def group_offsets(self, group_id: str) -> list[GroupOffset]:
        """The committed offsets of a group, by topic and partition, with the end of each partition and the lag, the number
        of offsets in between. Both are `None` for a partition that no longer exists. An unknown group has no committed
        offsets.

        The rows are named tuples, so a data frame accepts them directly:
        `pl.DataFrame(client.group_offsets("readers"))`.
        """
    async def reset_group_offsets(self, group_id: str, topic: str, to: Position) -> dict[int, int]:
        """Set the committed offsets of a group for a topic, and return them: the next offset to read, for each partition.

        `to` is a position: "earliest", "latest", an offset, `{partition: offset}` (other partitions do not change), an
        aware datetime (the first record at or after it), or an age such as "-15m". An offset outside the log becomes
        its start or its end. The group must have no members; an unknown group is created.
        """
    async def delete_group(self, group_id: str) -> None:
        """Delete a group with its committed offsets. It must have no members."""
    def producer(self, *, config: Mapping[str, ConfigValue] | None = None, **producer_config: ConfigValue) -> AioProducer:
        """A producer. Keyword arguments and `config` take Kafka's producer keys."""
    def consumer(
        self,
        topics: str | Iterable[str] | re.Pattern[str] | None = None,
        *,
        group_id: str | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
        config: Mapping[str, ConfigValue] | None = None,
        **consumer_config: ConfigValue,
    ) -> AioConsumer:
        """A consumer of all partitions of these topics; without topics, pass the partitions to `Consumer.assign`. With
        `group_id` it shares them with the other consumers of the group, starts at the committed offsets, and
        periodically commits finished records: a batch or a message is finished when the next one is requested. With a
        group, topics can also be a `re.compile(...)`. A topic that does not exist is an error here, and in asyncio at
        the first read.

        The members of a group assign its partitions; with `group_protocol="consumer"` the broker does (KIP-848), with
        the assignor `group_remote_assignor`, if set. The broker then also sets the session timeout and the heartbeat
        interval, and finds the topics of a pattern. Members of both protocols can share a group while it migrates from
        one to the other.

        `key`, `value`, `schema`, `unnest`, `unnest_prefix`, `rest` and `on_error` are the formats of `Topic.scan`.
        Without a schema, the types of JSON are inferred for each batch, and lose no key. The value of a message is the
        result of `json.loads`. After a `DecodeError` the consumer is at the record. To continue after it:
        `consumer.seek({(error.topic, error.partition): error.offset + 1})`. Other keyword arguments and `config` take
        Kafka's consumer keys.
        """
    async def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 9092,
        *,
        advertised: str | None = None,
        security_protocol: SecurityProtocol = "PLAINTEXT",
        tls_cert: str | os.PathLike[str] | None = None,
        tls_key: str | os.PathLike[str] | None = None,
        sasl_mechanisms: Sequence[SaslMechanism] | None = None,
        allow_insecure: bool = False,
    ) -> AioServer:
        """Open the engine to any Kafka client. `port=0` uses a free port; `advertised="HOST:PORT"` is the address that
        clients connect to.

        An address that other machines can reach is refused without `security_protocol="SASL_SSL"` (TLS with `tls_cert`
        and `tls_key`, PEM files; users from `headwater user add` with `sasl_mechanisms`, any by default) or
        `allow_insecure=True`.
        """
    async def close(self) -> None:
        """Send the queued records of all producers, then close this client and everything created from it. The engine is
        flushed and closed with its last client: each `open()` of the same path creates one. Idempotent; `with` calls
        it.

        Raises an error if records could not be sent, with their number and topics. The client is closed nevertheless.
        """
    @property
    def sync(self) -> Client:
        """This client without asyncio: the same engine, closed with either.

        >>> import asyncio, headwater.aio as hw
        >>> async def main():
        ...     async with hw.open() as client:
        ...         client.sync.create_topic("flights")
        ...         return await client.topics()
        >>> asyncio.run(main())
        [TopicInfo(name='flights', partitions=1, internal=False)]
        """
    @property
    def recovery(self) -> RecoveryReport | None:
        """The report of opening the directory, a `headwater.types.RecoveryReport`; `None` if the directory is new, or was
        closed in order and is complete.
        """
    def metrics(self) -> Metrics:
        """The metrics of this client: requests and their latencies, connections and bytes for each broker, queued records
        of producers, and the lag of consumers. `headwater.types.Metrics` has each key with its unit. Sends no request.
        `stats=` of `open()` and `connect()` is periodically called with the same.

        An embedded engine also counts deleted segments, and their bytes, by reason. `exhaustion` counts segments that
        were deleted before their retention ended because the disk, or `headwater.storage.max.bytes`, was full;
        `retention-time` and `retention-size` count deletions by `retention.ms` and `retention.bytes`, `delete-records`
        those by `delete_records`. All clients on one directory of this process have the same counts.
        """
    @property
    def closed(self) -> bool:
        """Whether it was closed."""
    async def __aenter__(self) -> AioClient: ...
    async def __aexit__(self, *_exception: object) -> None: ...

@final
class AioTopic:
    """`headwater.Topic` for asyncio; `await topic.count()` is its number of records.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client, client.producer() as producer:
    ...         topic = await client.create_topic("flights")
    ...         await producer.send_batch("flights", [b"a", b"b"])
    ...         return len(await topic.head(1)), await topic.count()
    >>> asyncio.run(main())
    (1, 2)
    """
    @property
    def name(self) -> str:
        """The topic's name."""
    @property
    def partitions(self) -> Coroutine[Any, Any, int]:
        """The number of partitions, as the cluster has it now."""
    @property
    def size_bytes(self) -> Coroutine[Any, Any, int | None]:
        """The size of the topic's log in bytes: of all partitions, without replicas. `None` if a leader does not report
        it.
        """
    async def config(self) -> dict[str, str | None]:
        """The effective configuration: each of Kafka's topic keys with its value as text, whether it was set for the topic
        or is the broker's default. `None` for a secret. `client.alter_topic()` changes it.
        """
    def scan(
        self,
        start: Position = "earliest",
        end: Position = "latest",
        *,
        partitions: Iterable[int] | None = None,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
        infer_records: int | None = None,
        isolation_level: IsolationLevel = "read_committed",
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> AioScan:
        """The records from `start` to before `end` as a table that is read on use, any number of times.

        `start` and `end` are positions: "earliest", "latest", an offset, `{partition: offset}`, a date (its midnight in
        UTC), an aware datetime, the ISO text of one of these ("2026-01-31", "2026-01-31T10:00:00Z"), or an age such as
        "-15m". `key` and `value` are "bytes", "string" or "json"; a `schema` (an Arrow schema or `{"name": dtype}`)
        types the JSON value, `unnest=True` turns its fields into columns, and `on_error` ("raise", "null", "skip")
        handles records that do not fit: the whole schema decides which records are skipped, whatever `columns`
        contains. `skipped` counts them. `columns` are the columns to read. Reading stops after `limit` records:
        partition by partition, in offset order. `progress` is called with the records done and the total, which is
        counted first.

        With `unnest=True`, a field with the name of a record column (`timestamp`, `key`, `offset`, `partition`,
        `headers`, `topic`, `timestamp_type`, `leader_epoch`) becomes a column with `unnest_prefix` before its name:
        `json_timestamp`.

        Without a schema, the types of JSON are inferred from the first `infer_records` values (10,000). A field that
        first appears later is left out and logged once, as a warning with its name and offset. `rest="rest"` keeps the
        fields that the types do not name, with and without a schema: as an object in JSON, in the additional text field
        `rest` of the value, or null. A field whose objects have such fields is in it as a whole.

        A value fits a type that represents it exactly; floats are rounded to the nearest, and a decimal with too many
        decimals is rounded, halves away from zero. Dates and times are in the years 1 to 9999. A Python datetime has
        microseconds: finer decimals are rounded down.
        """
    async def head(
        self,
        n: int = 10,
        *,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
    ) -> Batch:
        """The first `n` records: partition by partition, in offset order."""
    async def tail(
        self,
        n: int = 10,
        *,
        columns: Sequence[str] | None = None,
        key: Format = "bytes",
        value: Format = "bytes",
        schema: Dtypes | None = None,
        unnest: bool = False,
        unnest_prefix: str | None = None,
        rest: str | None = None,
        on_error: OnError = "raise",
    ) -> Batch:
        """The `n` newest records of all partitions. Reads only the end of the topic."""
    async def count(self) -> int:
        """The number of records, counted from batch headers."""
    async def offsets(self, at: Position) -> dict[int, int]:
        """The offset of a position in each partition."""
    async def rate(self, every: str = "1m", *, start: Position = "earliest", end: Position = "latest") -> Batch:
        """Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes`. A batch
        that spans several intervals is spread evenly.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class AioScan:
    """`headwater.Scan` for asyncio: `async for batch in scan`.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client, client.producer() as producer:
    ...         topic = await client.create_topic("flights")
    ...         await producer.send_batch("flights", [b"a", b"b"])
    ...         return [len(batch) async for batch in topic.scan()], (await topic.scan().to_polars())["value"].to_list()
    >>> asyncio.run(main())
    ([2], [b'a', b'b'])
    """
    @overload
    async def to_polars(self, lazy: Literal[False] = False) -> pl.DataFrame:
        """Convert to a `polars.DataFrame`, without a copy of keys and values. `lazy=True` returns a `polars.LazyFrame`
        with the same results: filters on `offset`, `partition` and `timestamp`, the selected columns and row limits are
        pushed down to the log's indexes, and Polars does the rest. Its schema is fixed when it is created; its records
        are read when it is collected.
        """
    @overload
    async def to_polars(self, lazy: Literal[True]) -> pl.LazyFrame:
        """Convert to a `polars.DataFrame`, without a copy of keys and values. `lazy=True` returns a `polars.LazyFrame`
        with the same results: filters on `offset`, `partition` and `timestamp`, the selected columns and row limits are
        pushed down to the log's indexes, and Polars does the rest. Its schema is fixed when it is created; its records
        are read when it is collected.
        """
    async def to_pandas(self, dtype_backend: Literal["pyarrow", "numpy_nullable"] | None = None) -> pd.DataFrame:
        """Convert to a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable"). Bytes become
        objects, which is slow: use `value="string"` or a schema.
        """
    async def to_arrow(self) -> pa.Table:
        """As a `pyarrow.Table`."""
    async def to_reader(self) -> pa.RecordBatchReader:
        """A `pyarrow.RecordBatchReader`, which keeps only a part in memory at a time."""
    async def count(self) -> int:
        """The number of records, counted from batch headers. With `on_error="skip"` keys and values that have a format are
        decoded.
        """
    async def explain(self) -> str:
        """Describe how it will be read, as text."""
    @property
    def skipped(self) -> int:
        """The number of records that `on_error="skip"` has skipped since a reading of the scan last started."""
    @property
    def schema(self) -> Coroutine[Any, Any, Schema]:
        """The names and types of the columns: convert it to a `polars.Schema`, a `pyarrow.schema` or a DataFrame. JSON
        without a schema is inferred from the first records.
        """
    def __aiter__(self) -> AsyncIterator[Batch]: ...

@final
class AioProducer:
    """`headwater.Producer` for asyncio. `send()` accepts the record at once; its result is awaited.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client, client.producer() as producer:
    ...         await client.create_topic("flights")
    ...         done = await asyncio.gather(*(producer.send("flights", f"{delay}") for delay in range(3)))
    ...         return [metadata.offset for metadata in done]
    >>> asyncio.run(main())
    [0, 1, 2]
    """
    async def send(
        self,
        topic: str,
        value: Bytes | None = None,
        *,
        key: Bytes | None = None,
        headers: Headers | None = None,
        partition: SupportsIndex | None = None,
        timestamp: SupportsIndex | date | str | None = None,
    ) -> RecordMetadata:
        """Send a record. Returns the future of its result at once, unless `buffer_memory` is full: then it waits up to
        `max_block_ms`.

        `value` and `key` are bytes, or str as UTF-8; `headers` a list of pairs of a name and bytes; `timestamp`
        milliseconds since 1970, an aware datetime, a date (its midnight in UTC) or the ISO text of one, rounded down to
        milliseconds. `value=None` deletes the key in a compacted topic.
        """
    async def send_batch(
        self,
        topic: str,
        rows_or_arrow: Rows,
        *,
        key: str | None = None,
        value: str | None = None,
        headers: str | None = None,
        partition: SupportsIndex | str | None = None,
        timestamp: str | None = None,
        value_format: Literal["json"] = "json",
    ) -> BatchResult:
        """Send a table, or many rows, and wait until all of it is written. There is no cost in Python per record.

        `rows` is any object with an Arrow capsule (a frame of Polars or pandas, a table of PyArrow or DuckDB), or an
        iterable of dicts, bytes or str. `key`, `value`, `headers`, `timestamp` and `partition` are the names of its
        columns; without `value` the remaining columns are packed as JSON. `partition` can be a number.

        Every value is written exactly, or refused with its row and column: NaN, and dates and times outside the years 1
        to 9999, cannot be expressed in JSON. Bytes are written in hexadecimal, times in ISO 8601. A key or value column
        of text, bytes, numbers, dates or times is written as plain text, without quotes. Timestamps are rounded down to
        milliseconds. Of rows in memory the first 256 MiB are checked before anything is written; if a row is refused
        later, the error has the number of rows written.
        """
    async def flush(self, timeout: float | None = None) -> None:
        """Send all records accepted before, and wait for the results, at most `timeout` seconds. Errors are raised by the
        futures only.
        """
    async def close(self) -> None:
        """Flush, then accept no more records. Idempotent; `with` calls it."""
    async def __aenter__(self) -> AioProducer: ...
    async def __aexit__(self, *_exception: object) -> None: ...

@final
class AioConsumer:
    """`headwater.Consumer` for asyncio: `async for message in consumer`. One task at a time. Concurrent calls take effect
    in the order in which they were made; a call that reads, such as `poll`, in the order in which it was awaited.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client, client.producer() as producer:
    ...         await client.create_topic("flights")
    ...         await producer.send_batch("flights", [b"a", b"b"])
    ...         async with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    ...             async for message in consumer:
    ...                 return message.value
    >>> asyncio.run(main())
    b'a'
    """
    async def assign(self, partitions: Partitions) -> None:
        """Read these partitions from now on, and no others: pairs of a topic and a number. A partition that stays keeps
        its position; a new one starts according to `auto_offset_reset`.
        """
    async def subscribe(
        self,
        topics: str | Iterable[str] | re.Pattern[str],
        *,
        on_assign: Callable[[list[TopicPartition]], object] | None = None,
        on_revoke: Callable[[list[TopicPartition]], object] | None = None,
        on_lost: Callable[[list[TopicPartition]], object] | None = None,
    ) -> None:
        """Read the partitions of these topics that the group (`group_id`) assigns: a name, names, or a `re.compile(...)`
        that must match the whole name of a topic, now or later. The group assigns partitions while the consumer is
        polled.

        `on_assign`, `on_revoke` and `on_lost` are called with the partitions: after they were assigned, before they are
        revoked (they can still be committed), and when others may already own them. Without `on_lost`, `on_revoke` is
        called instead. They run in the thread that polls; in asyncio in the event loop, where they can be coroutine
        functions.
        """
    async def unsubscribe(self) -> None:
        """Leave the group and release all partitions; finished records are committed first, unless `enable_auto_commit` is
        false. `on_revoke` is called before, and may commit.
        """
    async def commit(self, what: Batch | Message | Mapping[tuple[str, int], int] | None = None, *, wait: bool = True) -> None:
        """Commit offsets for the group: of all records returned so far, of a `Batch` or a `Message`, or by partition (the
        next offsets to read). The records before them are finished: auto-commit never goes back before them. Topics
        that were deleted meanwhile are left out. With `wait=False` a failure is only logged.
        """
    async def committed(self, partitions: Partitions | None = None) -> dict[TopicPartition, int]:
        """The committed offsets of the group for these partitions, or for all assigned ones. Partitions without a commit
        are left out.
        """
    def group_metadata(self) -> GroupMetadata | None:
        """The consumer's membership in its group as it is known now, or `None` without a group. Sends no request, and can
        be called while another call waits.
        """
    async def assignment(self) -> list[TopicPartition]:
        """The assigned partitions."""
    async def poll(self, timeout: float = 1.0, *, max_records: int | None = None) -> Batch:
        """The next records, at most `max_records` (by default `max_poll_records`). If none arrive within `timeout`
        seconds, the batch is empty and false.
        """
    def batches(
        self,
        *,
        max_records: int = 65_536,
        max_bytes: int = 16_777_216,
        max_wait: float = 0.1,
        until: Literal["forever", "end"] = "forever",
    ) -> AsyncIterator[Batch]:
        """The stream as batches of at most `max_records` records and about `max_bytes` bytes. After the first record,
        waits up to `max_wait` seconds for a fuller batch. `until="end"` stops at the current end of each partition.
        """
    async def position(self) -> dict[TopicPartition, int]:
        """The next offset to read, for each partition."""
    async def lag(self) -> dict[TopicPartition, int]:
        """The number of offsets between the position and the end, for each partition."""
    async def seek(self, to: Position, *, partitions: Partitions | None = None) -> None:
        """Move the position in these partitions, or in all. A dictionary can contain the partitions instead."""
    async def pause(self, partitions: Partitions | None = None) -> None:
        """Stop reading these partitions, or all, without releasing them."""
    async def resume(self, partitions: Partitions | None = None) -> None:
        """Read paused partitions again: these, or all by default."""
    async def paused(self) -> list[TopicPartition]:
        """The paused partitions."""
    @property
    def skipped(self) -> int:
        """The number of records that `on_error="skip"` has skipped so far. May be read from any thread. Records that are
        decoded again, after a seek or a rebalance, count again.
        """
    def wakeup(self) -> None:
        """End the waiting call, from any thread or signal handler: it raises `WakeupError`, and no records are lost. If no
        call is waiting, the next one that may wait raises it.
        """
    async def close(self) -> None:
        """Commit finished records (unless `enable_auto_commit` is false), leave the group and clear the assignment. A
        batch or message is finished when the next one was requested, or when it was committed. Idempotent; `with` calls
        it.

        `on_revoke` of the subscription is called before the partitions are released, and may commit; its exception is
        raised after the consumer is closed. Any thread may close a consumer: a waiting call in another thread raises
        `ClosedError`.
        """
    async def __aenter__(self) -> AioConsumer: ...
    async def __aexit__(self, *_exception: object) -> None: ...
    def __aiter__(self) -> AioConsumer: ...
    async def __anext__(self) -> Message: ...

@final
class AioServer:
    """`headwater.Server` for asyncio: `async with await client.serve() as server`.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as client, await client.serve(port=0) as server:
    ...         return server.address
    >>> asyncio.run(main())
    '127.0.0.1:...'
    """
    @property
    def address(self) -> str:
        """The address on which it listens, with the actual port."""
    @property
    def bootstrap_servers(self) -> str:
        """The addresses that clients connect to: the `bootstrap.servers` of their configuration."""
    async def close(self) -> None:
        """Answer the requests that have arrived, for a few seconds at most, and close all connections; the client stays
        open. Idempotent; `with` calls it.
        """
    async def __aenter__(self) -> AioServer: ...
    async def __aexit__(self, *_exception: object) -> None: ...
