"""Headwater for asyncio: the same names with the same meaning, awaited, and without a thread pool.

``len(client)``, ``list(client)``, ``len(topic)``, the Arrow capsule interface of topics and scans, and the table of a
topic in notebooks exist only in ``headwater``, because Python calls them without ``await``. ``await client.topics()``,
``await topic.count()`` and ``await scan.to_reader()`` exist in both.

>>> import asyncio, headwater.aio as hw
>>> async def main():
...     async with hw.open() as client:
...         topic = await client.create_topic("flights")
...         async with client.producer() as producer:
...             await producer.send("flights", b"late")
...         return [message.value async for batch in topic.scan() for message in batch]
>>> asyncio.run(main())
[b'late']
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from headwater import (
    AuthenticationError,
    AuthorizationError,
    Batch,
    BatchResult,
    ClosedError,
    ConfigError,
    CorruptLogError,
    DecodeError,
    ForkError,
    Future,
    GroupInfo,
    GroupMetadata,
    GroupOffset,
    HeadwaterError,
    InvalidArgumentError,
    InvalidTopicError,
    KafkaError,
    LockedError,
    Message,
    NotADataDirectoryError,
    OffsetOutOfRangeError,
    OutOfOrderSequenceError,
    ProducerFencedError,
    RecordMetadata,
    RecordTooLargeError,
    RequestTimedOutError,
    Schema,
    StorageError,
    TopicAlreadyExistsError,
    TopicInfo,
    TopicPartition,
    TransportError,
    UnknownTopicOrPartitionError,
    WakeupError,
    __version__,
)
from headwater._headwater import (
    AioClient as Client,
)
from headwater._headwater import (
    AioConsumer as Consumer,
)
from headwater._headwater import (
    AioProducer as Producer,
)
from headwater._headwater import (
    AioScan as Scan,
)
from headwater._headwater import (
    AioServer as Server,
)
from headwater._headwater import (
    AioTopic as Topic,
)
from headwater._headwater import (
    _aio_connect,
    _aio_open,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
    from types import TracebackType

    from headwater.types import AsyncOauthTokenFunction, AsyncStats, ConfigValue

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


class Opening(Coroutine[Any, Any, Client]):
    """The coroutine of ``open()`` and ``connect()``: await it, create a task from it, or use it in ``async with``."""

    def __init__(self, name: str, start: Callable[[], Awaitable[Client]]) -> None:
        self._name = name
        self._start = start
        self._client: Client | None = None
        self._running: Coroutine[Any, Any, Client] | None = None

    def __repr__(self) -> str:
        state = "await it, or use it in async with" if self._running is None else "running" if self._client is None else "done"
        return f"<headwater.aio.{self._name}(): {state}>"

    async def _open(self) -> Client:
        self._client = await self._start()
        return self._client

    def _coroutine(self) -> Coroutine[Any, Any, Client]:
        """Return the opening coroutine. It is created on demand: Python warns about one that never starts."""
        if self._running is None:
            self._running = self._open()
        return self._running

    def __await__(self) -> Generator[Any, Any, Client]:
        return self._coroutine().__await__()

    def send(self, value: Any, /) -> Any:
        return self._coroutine().send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine().throw(*error)

    def close(self) -> None:
        if self._running is not None:
            self._running.close()

    async def __aenter__(self) -> Client:
        return await self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            await self._client.close()


def open(  # noqa: A001
    path: str | os.PathLike[str] | None = None,
    *,
    stats: AsyncStats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Opening:
    """Open an embedded engine: ``await hw.open(...)``, or ``async with hw.open(...) as client``.

    See ``headwater.open``, also for the behaviour when the disk is full.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     client = await hw.open()
    ...     await client.close()
    ...     return client.closed
    >>> asyncio.run(main())
    True
    """
    return Opening("open", lambda: _aio_open(path, stats=stats, config=config, **kafka_config))


def connect(
    bootstrap_servers: str | Sequence[str],
    *,
    oauth_token: AsyncOauthTokenFunction | None = None,
    stats: AsyncStats | None = None,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> Opening:
    """Connect to a Kafka cluster: ``await hw.connect("host:9092")``, or ``async with hw.connect(...) as client``.

    See ``headwater.connect``. ``oauth_token`` and ``stats`` may be coroutine functions; they run in this event loop.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     async with hw.open() as engine, await engine.serve(port=0) as server:
    ...         async with hw.connect(server.address) as client:
    ...             await client.create_topic("flights")
    ...             return [topic.name for topic in await client.topics()]
    >>> asyncio.run(main())
    ['flights']
    """
    return Opening("connect", lambda: _aio_connect(bootstrap_servers, oauth_token=oauth_token, stats=stats, config=config, **kafka_config))
