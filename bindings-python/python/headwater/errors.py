"""What Headwater raises: one tree, so that one ``except`` catches as much as you like.

Every error has the fields ``code`` (Kafka's name, such as ``"OFFSET_OUT_OF_RANGE"``), ``retriable`` (the same call may
succeed later), ``fatal`` (the object that raised it is of no use any more) and, where they are known, ``topic``,
``partition`` and ``offset``. Its message says what to do.

>>> import headwater as hw
>>> with hw.open() as client:
...     try:
...         client.topic("nowhere").head()
...     except hw.KafkaError as error:
...         print(error.code, error.retriable, isinstance(error, LookupError))
UNKNOWN_TOPIC_OR_PARTITION True True
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "ClosedError",
    "ConfigError",
    "CorruptLogError",
    "DecodeError",
    "ForkError",
    "HeadwaterError",
    "InvalidArgumentError",
    "InvalidTopicError",
    "KafkaError",
    "LockedError",
    "NotADataDirectoryError",
    "OffsetOutOfRangeError",
    "OutOfOrderSequenceError",
    "ProducerFencedError",
    "RecordTooLargeError",
    "RequestTimedOutError",
    "StorageError",
    "TopicAlreadyExistsError",
    "TransportError",
    "UnknownTopicOrPartitionError",
    "WakeupError",
]


class HeadwaterError(Exception):
    """The root of the tree: catches everything that Headwater raises on its own account.

    >>> import headwater as hw
    >>> issubclass(hw.KafkaError, hw.HeadwaterError)
    True
    """

    code: str = "UNKNOWN_SERVER_ERROR"
    """Kafka's name of the error."""
    retriable: bool = False
    """Whether the same call may succeed later without any change."""
    fatal: bool = False
    """Whether the object that raised it must be replaced by a new one."""
    topic: str | None = None
    """The topic concerned, where one is."""
    partition: int | None = None
    """The partition concerned, where one is."""
    offset: int | None = None
    """The offset concerned, where one is."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retriable: bool | None = None,
        fatal: bool | None = None,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        given = {
            "code": code,
            "retriable": retriable,
            "fatal": fatal,
            "topic": topic,
            "partition": partition,
            "offset": offset,
        }
        # Set on the instance only what is known: the rest shows the class's own value. It also makes pickling work,
        # because `Exception.__reduce__` carries the message and this dictionary.
        self.__dict__.update({name: value for name, value in given.items() if value is not None})


class ClosedError(HeadwaterError):
    """The client, producer, consumer or scan was closed before the call, or while it waited.

    >>> import headwater as hw
    >>> client = hw.open()
    >>> client.close()
    >>> client.topics()
    Traceback (most recent call last):
        ...
    headwater.errors.ClosedError: The client is closed: make another one with headwater.open() or headwater.connect().
    """


class ForkError(HeadwaterError, RuntimeError):
    """The object was made before ``os.fork()`` and is used in the child, which has none of its threads.

    Open the client in the child instead, or start processes with the method ``"spawn"``.

    >>> import headwater as hw
    >>> issubclass(hw.ForkError, RuntimeError)
    True
    """


class KafkaError(HeadwaterError):
    """The engine or the broker refused the call; ``code`` is Kafka's name of the reason.

    >>> import headwater as hw
    >>> hw.KafkaError("No.", code="INVALID_REQUEST").code
    'INVALID_REQUEST'
    """


class AuthenticationError(KafkaError):
    """The broker refused the credentials, or could not prove its own identity (its certificate, its knowledge of the password).

    >>> import headwater as hw
    >>> issubclass(hw.AuthenticationError, hw.KafkaError)
    True
    """


class AuthorizationError(KafkaError, PermissionError):
    """The operating system, or the cluster, does not let this user do that.

    >>> import headwater as hw
    >>> issubclass(hw.AuthorizationError, PermissionError)
    True
    """


class ConfigError(KafkaError, ValueError):
    """A configuration key is unknown, or its value is not allowed. The message names the nearest key.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client.create_topic("a", config={"retention.mss": 1})
    Traceback (most recent call last):
        ...
    headwater.errors.ConfigError: ...retention.ms...
    """

    code = "INVALID_CONFIG"


class CorruptLogError(KafkaError):
    """Stored bytes are damaged: they do not match their checksum.

    >>> import headwater as hw
    >>> hw.CorruptLogError.code
    'CORRUPT_MESSAGE'
    """

    code = "CORRUPT_MESSAGE"


class DecodeError(KafkaError, ValueError):
    """A record does not have the form that was asked for; ``topic``, ``partition`` and ``offset`` name the record.

    ``key`` and ``value`` are its bytes. The records before it were handed over; a consumer stands at it until it is told to go on
    behind it: ``consumer.seek({(error.topic, error.partition): error.offset + 1})``.

    >>> import headwater as hw
    >>> with hw.open() as client, client.producer() as producer:
    ...     topic = client.create_topic("events")
    ...     producer.send("events", b"no json").result()
    ...     try:
    ...         topic.head(value="json", schema={"a": "int64"})
    ...     except hw.DecodeError as error:
    ...         print(error.topic, error.partition, error.offset)
    RecordMetadata(topic='events', partition=0, offset=0, timestamp_ms=...)
    events 0 0
    """

    topic: str
    """The topic."""
    partition: int
    """The partition."""
    offset: int
    """The record's offset."""
    key: bytes | None = None
    """The bytes of the record's key."""
    value: bytes | None = None
    """The bytes of the record's value."""

    def __init__(self, message: str, *, key: bytes | None = None, value: bytes | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.__dict__.update({name: given for name, given in (("key", key), ("value", value)) if given is not None})


class InvalidArgumentError(KafkaError, ValueError):
    """An argument of the call cannot be right.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client.create_topic("a").offsets("yesterday")
    Traceback (most recent call last):
        ...
    headwater.errors.InvalidArgumentError: `yesterday` is no position...
    """

    code = "INVALID_REQUEST"


class InvalidTopicError(KafkaError, ValueError):
    """The name may not be a topic's name.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client.create_topic("no/slash")
    Traceback (most recent call last):
        ...
    headwater.errors.InvalidTopicError: ...no/slash...
    """

    code = "INVALID_TOPIC_EXCEPTION"


class LockedError(KafkaError):
    """Another process has the directory open; the message names its pid.

    >>> import headwater as hw
    >>> hw.LockedError("Process 42 has it open.", retriable=True).retriable
    True
    """


class NotADataDirectoryError(KafkaError, ValueError):
    """The directory holds files that are not Headwater's; none of them was touched.

    >>> import headwater as hw
    >>> issubclass(hw.NotADataDirectoryError, ValueError)
    True
    """


class OffsetOutOfRangeError(KafkaError):
    """The offset is not, or no longer, in the log.

    >>> import headwater as hw
    >>> hw.OffsetOutOfRangeError.code
    'OFFSET_OUT_OF_RANGE'
    """

    code = "OFFSET_OUT_OF_RANGE"


class OutOfOrderSequenceError(KafkaError):
    """The idempotent producer lost its sequence: records were lost or repeated on the way.

    >>> import headwater as hw
    >>> hw.OutOfOrderSequenceError.code
    'OUT_OF_ORDER_SEQUENCE_NUMBER'
    """

    code = "OUT_OF_ORDER_SEQUENCE_NUMBER"


class ProducerFencedError(KafkaError):
    """A newer producer with the same identity has taken over: make a new producer.

    >>> import headwater as hw
    >>> hw.ProducerFencedError.fatal
    True
    """

    code = "PRODUCER_FENCED"
    fatal = True


class RecordTooLargeError(KafkaError, ValueError):
    """The record or its batch is larger than ``max.message.bytes`` or ``max.request.size`` allows.

    >>> import headwater as hw
    >>> hw.RecordTooLargeError.code
    'MESSAGE_TOO_LARGE'
    """

    code = "MESSAGE_TOO_LARGE"


class RequestTimedOutError(KafkaError, TimeoutError):
    """The call did not finish in its time. It is a ``TimeoutError`` too.

    >>> import headwater as hw
    >>> issubclass(hw.RequestTimedOutError, TimeoutError)
    True
    """

    code = "REQUEST_TIMED_OUT"
    retriable = True


class StorageError(KafkaError):
    """The disk is full, or a write or fsync failed. What was acknowledged before is safe.

    >>> import headwater as hw
    >>> hw.StorageError.code
    'KAFKA_STORAGE_ERROR'
    """

    code = "KAFKA_STORAGE_ERROR"


class TopicAlreadyExistsError(KafkaError):
    """The topic exists already; ``if_exists="ignore"`` takes it as it is.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     _ = client.create_topic("a")
    ...     client.create_topic("a")
    Traceback (most recent call last):
        ...
    headwater.errors.TopicAlreadyExistsError: ...
    """

    code = "TOPIC_ALREADY_EXISTS"


class TransportError(KafkaError):
    """The broker cannot be reached.

    >>> import headwater as hw
    >>> hw.TransportError.retriable
    True
    """

    code = "NETWORK_EXCEPTION"
    retriable = True


class UnknownTopicOrPartitionError(KafkaError, LookupError):
    """The topic or the partition does not exist. It is a ``LookupError`` too.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client["nowhere"].head()
    Traceback (most recent call last):
        ...
    headwater.errors.UnknownTopicOrPartitionError: ...nowhere...
    """

    code = "UNKNOWN_TOPIC_OR_PARTITION"
    retriable = True


class WakeupError(HeadwaterError):
    """The call that waited was ended with ``consumer.wakeup()``. Nothing is lost: the next call goes on.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     _ = client.create_topic("a")
    ...     consumer = client.consumer("a")
    ...     consumer.wakeup()
    ...     consumer.poll(timeout=60)
    Traceback (most recent call last):
        ...
    headwater.errors.WakeupError: The consumer was woken with wakeup()...
    """
