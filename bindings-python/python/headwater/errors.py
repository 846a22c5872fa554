"""The exceptions of Headwater, as a hierarchy.

Every error has the fields ``code`` (Kafka's name, such as ``"OFFSET_OUT_OF_RANGE"``), ``retriable`` (the same call may
succeed later), ``fatal`` (the object that raised it is unusable) and, if known, ``topic``, ``partition`` and
``offset``. The message includes the remedy.

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
    """The base class of all exceptions of Headwater.

    >>> import headwater as hw
    >>> issubclass(hw.KafkaError, hw.HeadwaterError)
    True
    """

    code: str = "UNKNOWN_SERVER_ERROR"
    """Kafka's name for the error."""
    retriable: bool = False
    """Whether the same call may succeed later without any change."""
    fatal: bool = False
    """Whether the object that raised it is unusable and must be replaced."""
    topic: str | None = None
    """The topic concerned, if any."""
    partition: int | None = None
    """The partition concerned, if any."""
    offset: int | None = None
    """The offset concerned, if any."""

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
        # Set only given values on the instance: the others are class attributes. Pickling works too, because
        # `Exception.__reduce__` includes the message and this dictionary.
        self.__dict__.update({name: value for name, value in given.items() if value is not None})


class ClosedError(HeadwaterError):
    """The client, producer, consumer or scan was closed before the call, or while it waited.

    >>> import headwater as hw
    >>> client = hw.open()
    >>> client.close()
    >>> client.topics()
    Traceback (most recent call last):
        ...
    headwater.errors.ClosedError: The client is closed: create another one with headwater.open() or headwater.connect().
    """


class ForkError(HeadwaterError, RuntimeError):
    """The object was created before ``os.fork()`` and is used in the child, which has none of its threads.

    Open the client in the child instead, or start processes with the method ``"spawn"``.

    >>> import headwater as hw
    >>> issubclass(hw.ForkError, RuntimeError)
    True
    """


class KafkaError(HeadwaterError):
    """The engine or the broker refused the call; ``code`` is Kafka's name for the reason.

    >>> import headwater as hw
    >>> hw.KafkaError("No.", code="INVALID_REQUEST").code
    'INVALID_REQUEST'
    """


class AuthenticationError(KafkaError):
    """The broker refused the credentials, or could not prove its own identity with its certificate or the password.

    >>> import headwater as hw
    >>> issubclass(hw.AuthenticationError, hw.KafkaError)
    True
    """


class AuthorizationError(KafkaError, PermissionError):
    """The operating system or the cluster does not permit this to the user.

    >>> import headwater as hw
    >>> issubclass(hw.AuthorizationError, PermissionError)
    True
    """


class ConfigError(KafkaError, ValueError):
    """A configuration key is unknown, or its value is not allowed. The message suggests the most similar key.

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
    """A record does not have the requested format; ``topic``, ``partition`` and ``offset`` identify the record.

    ``key`` and ``value`` are its bytes. The records before it were returned; a consumer stays at the record until it
    seeks past it: ``consumer.seek({(error.topic, error.partition): error.offset + 1})``.

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
    """An argument of the call is invalid.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client.create_topic("a").offsets("yesterday")
    Traceback (most recent call last):
        ...
    headwater.errors.InvalidArgumentError: `yesterday` is not a position...
    """

    code = "INVALID_REQUEST"


class InvalidTopicError(KafkaError, ValueError):
    """The name is not a valid topic name.

    >>> import headwater as hw
    >>> with hw.open() as client:
    ...     client.create_topic("no/slash")
    Traceback (most recent call last):
        ...
    headwater.errors.InvalidTopicError: ...no/slash...
    """

    code = "INVALID_TOPIC_EXCEPTION"


class LockedError(KafkaError):
    """Another process has the directory open; the message includes its pid.

    >>> import headwater as hw
    >>> hw.LockedError("Process 42 has it open.", retriable=True).retriable
    True
    """


class NotADataDirectoryError(KafkaError, ValueError):
    """The directory contains files that are not Headwater's; it was not changed.

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
    """The idempotent producer lost its sequence: records were lost or repeated in transit.

    >>> import headwater as hw
    >>> hw.OutOfOrderSequenceError.code
    'OUT_OF_ORDER_SEQUENCE_NUMBER'
    """

    code = "OUT_OF_ORDER_SEQUENCE_NUMBER"


class ProducerFencedError(KafkaError):
    """A newer producer with the same identity has taken over: create a new producer.

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
    """The call did not finish within its timeout. It is a ``TimeoutError`` too.

    >>> import headwater as hw
    >>> issubclass(hw.RequestTimedOutError, TimeoutError)
    True
    """

    code = "REQUEST_TIMED_OUT"
    retriable = True


class StorageError(KafkaError):
    """The disk is full, or a write or fsync failed. Acknowledged records are safe.

    >>> import headwater as hw
    >>> hw.StorageError.code
    'KAFKA_STORAGE_ERROR'
    """

    code = "KAFKA_STORAGE_ERROR"


class TopicAlreadyExistsError(KafkaError):
    """The topic already exists; ``if_exists="ignore"`` uses the existing topic.

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
    """``consumer.wakeup()`` ended the waiting call. No records are lost: the next call continues.

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
