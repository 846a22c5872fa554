"""Kafka as a library: open a directory, produce events, read them back as Arrow.

>>> import headwater as hw
>>> with hw.open() as client:  # in memory; a path keeps it
...     topic = client.create_topic("flights", partitions=4)
...     with client.producer() as producer:
...         _ = producer.send("flights", b'{"carrier": "UA", "delay": 12}', key=b"UA")
...     topic.scan(value="json", unnest=True, columns=["carrier", "delay"]).to_polars().rows()
[('UA', 12)]

``headwater.aio`` has the same names with the same meaning for asyncio, ``headwater.errors`` the exceptions, and
``headwater.pytest`` fixtures for tests of any Kafka client.
"""

# Type checkers take this name for true; importing it takes longer than the rest of this module. Jedi would skip the
# imports below if it were the literal `False`.
TYPE_CHECKING = bool()  # noqa: UP018

if TYPE_CHECKING:
    from headwater import aio as aio
    from headwater import errors as errors
    from headwater import types as types
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
    from headwater.types import GroupInfo, GroupMetadata, GroupOffset, TopicPartition

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
    "GroupMetadata",
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

_MODULES = {"aio", "errors", "types"}

# The first use of a name imports all of them: `headwater.pytest` is loaded in every test run, and must not load the
# engine. Later nothing is imported any more, so that errors can be raised without access to the package's files.
if not TYPE_CHECKING:

    def __getattr__(name):
        import sys
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"headwater.{name}")
        if name not in __all__:
            raise import_module("headwater._foreign_names").attribute_error("headwater", name, sys.modules[__name__])
        for module in ("errors", "types", "_headwater"):
            found = vars(import_module(f"headwater.{module}"))
            globals().update({public: found[public] for public in __all__ if public in found})
        return globals()[name]

    def __dir__():
        return sorted({*globals(), *__all__, *_MODULES})
