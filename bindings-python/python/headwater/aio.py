"""Headwater for asyncio: the same names, with native futures and no pool of threads.

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

from typing import TYPE_CHECKING, Any

from headwater._headwater import (
    _aio_open,
)
from headwater._headwater import (
    _AioClient as Client,
)
from headwater._headwater import (
    _AioConsumer as Consumer,
)
from headwater._headwater import (
    _AioProducer as Producer,
)
from headwater._headwater import (
    _AioScan as Scan,
)
from headwater._headwater import (
    _AioServer as Server,
)
from headwater._headwater import (
    _AioTopic as Topic,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Mapping
    from types import TracebackType

    from headwater.types import ConfigValue

__all__ = ["Client", "Consumer", "Producer", "Scan", "Server", "Topic", "open"]


class _Opening:
    """An engine that is being opened: ``await`` it, or enter it with ``async with``."""

    def __init__(self, path: str | os.PathLike[str] | None, config: Mapping[str, ConfigValue] | None, keys: Any) -> None:
        self._arguments = (path, config, keys)
        self._client: Client | None = None

    async def _open(self) -> Client:
        path, config, keys = self._arguments
        self._client = await _aio_open(path, config=config, **keys)
        return self._client

    def __await__(self) -> Generator[Any, None, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        return await self._open()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            await self._client.close()


def open(  # noqa: A001
    path: str | os.PathLike[str] | None = None,
    *,
    config: Mapping[str, ConfigValue] | None = None,
    **kafka_config: ConfigValue,
) -> _Opening:
    """Open an embedded engine: ``await hw.open(...)``, or ``async with hw.open(...) as client``.

    See ``headwater.open``, also for what happens when the disk is full.

    >>> import asyncio, headwater.aio as hw
    >>> async def main():
    ...     client = await hw.open()
    ...     await client.close()
    ...     return client.closed
    >>> asyncio.run(main())
    True
    """
    return _Opening(path, config, kafka_config)
