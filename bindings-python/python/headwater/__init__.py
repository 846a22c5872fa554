"""Kafka as a library: open a directory, produce events, read them back as Arrow.

>>> import headwater as hw
>>> with hw.open() as client:  # in memory; a path keeps it
...     topic = client.create_topic("flights", partitions=4)
...     with client.producer() as producer:
...         _ = producer.send("flights", b'{"carrier": "UA", "delay": 12}', key=b"UA")
...     topic.scan(value="json", unnest=True, columns=["carrier", "delay"]).to_polars().rows()
[('UA', 12)]

``headwater.aio`` has the same names with the same meaning for asyncio, ``headwater.errors`` the exceptions.
"""

from typing import TYPE_CHECKING

from headwater._headwater import (
    Batch,
    BatchResult,
    Client,
    Consumer,
    Future,
    Message,
    Producer,
    RecordMetadata,
    Scan,
    Schema,
    Server,
    Topic,
    TopicInfo,
    __version__,
    connect,
    open,
)
from headwater.errors import (
    AuthenticationError,
    AuthorizationError,
    ClosedError,
    ConfigError,
    CorruptLogError,
    DecodeError,
    ForkError,
    HeadwaterError,
    InvalidArgumentError,
    InvalidTopicError,
    KafkaError,
    LockedError,
    NotADataDirectoryError,
    OffsetOutOfRangeError,
    OutOfOrderSequenceError,
    ProducerFencedError,
    RecordTooLargeError,
    RequestTimedOutError,
    StorageError,
    TopicAlreadyExistsError,
    TransportError,
    UnknownTopicOrPartitionError,
    WakeupError,
)
from headwater.types import GroupInfo, GroupOffset, TopicPartition

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "Batch",
    "BatchResult",
    "Client",
    "ClosedError",
    "ConfigError",
    "Consumer",
    "CorruptLogError",
    "DecodeError",
    "ForkError",
    "Future",
    "GroupInfo",
    "GroupOffset",
    "HeadwaterError",
    "InvalidArgumentError",
    "InvalidTopicError",
    "KafkaError",
    "LockedError",
    "Message",
    "NotADataDirectoryError",
    "OffsetOutOfRangeError",
    "OutOfOrderSequenceError",
    "Producer",
    "ProducerFencedError",
    "RecordMetadata",
    "RecordTooLargeError",
    "RequestTimedOutError",
    "Scan",
    "Schema",
    "Server",
    "StorageError",
    "Topic",
    "TopicAlreadyExistsError",
    "TopicInfo",
    "TopicPartition",
    "TransportError",
    "UnknownTopicOrPartitionError",
    "WakeupError",
    "__version__",
    "connect",
    "open",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import sys

        from headwater._foreign_names import attribute_error

        raise attribute_error("headwater", name, sys.modules[__name__])
