"""The targets of the Python tests: an engine in this process, a Headwater server, or an Apache Kafka cluster."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import headwater as hw
import headwater.aio
from tests.foreign.kafka import cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

EMBEDDED, SERVED, KAFKA = NAMES = ("embedded", "served", "kafka")


@contextlib.contextmanager
def served(**config: Any) -> Iterator[str]:
    """The address of a server on an engine in memory."""
    with hw.open(**config) as engine, engine.serve(port=0) as server:
        yield server.address


class Target(ABC):
    """A kind of broker. It returns clients of a broker without topics of this test. Keywords configure the broker."""

    @abstractmethod
    def client(self, **config: Any) -> contextlib.AbstractContextManager[hw.Client]:
        """A client that is closed at the end."""

    @abstractmethod
    def address(self) -> contextlib.AbstractContextManager[str]:
        """Where programs connect to a broker."""

    @abstractmethod
    def aio(self, **config: Any) -> contextlib.AbstractAsyncContextManager[headwater.aio.Client]:
        """The same for asyncio."""


class EmbeddedTarget(Target):
    """An engine in memory, in this process."""

    def client(self, **config: Any) -> contextlib.AbstractContextManager[hw.Client]:
        return hw.open(**config)

    def address(self) -> contextlib.AbstractContextManager[str]:
        return served()

    def aio(self, **config: Any) -> contextlib.AbstractAsyncContextManager[headwater.aio.Client]:
        return headwater.aio.open(**config)


class ServedTarget(Target):
    """Over TCP, a server on an engine in memory."""

    @contextlib.contextmanager
    def client(self, **config: Any) -> Iterator[hw.Client]:
        with served(**config) as address, hw.connect(address) as client:
            yield client

    def address(self) -> contextlib.AbstractContextManager[str]:
        return served()

    @contextlib.asynccontextmanager
    async def aio(self, **config: Any) -> AsyncIterator[headwater.aio.Client]:
        with served(**config) as address:
            async with headwater.aio.connect(address) as client:
                yield client


class KafkaTarget(Target):
    """An Apache Kafka cluster over TCP, shared by all tests. Its configuration is exactly `cluster.properties`."""

    def __init__(self) -> None:
        assert cluster.VARIABLE in os.environ, f"{cluster.VARIABLE} is not set: run make test-kafka"
        self.bootstrap = os.environ[cluster.VARIABLE]
        self.settings = cluster.settings()

    @contextlib.contextmanager
    def client(self, **config: Any) -> Iterator[hw.Client]:
        self._check(config)
        with hw.connect(self.bootstrap) as client:
            yield client

    def address(self) -> contextlib.AbstractContextManager[str]:
        return contextlib.nullcontext(self.bootstrap)

    @contextlib.asynccontextmanager
    async def aio(self, **config: Any) -> AsyncIterator[headwater.aio.Client]:
        self._check(config)
        async with headwater.aio.connect(self.bootstrap) as client:
            yield client

    def _check(self, config: dict[str, Any]) -> None:
        for key, value in config.items():
            assert self.settings[key.replace("_", ".")] == str(value), f"the cluster is not configured with {key}={value}"


def of_name(name: str) -> Target:
    """The target of that name."""
    kinds: dict[str, Callable[[], Target]] = {EMBEDDED: EmbeddedTarget, SERVED: ServedTarget, KAFKA: KafkaTarget}
    return kinds[name]()
