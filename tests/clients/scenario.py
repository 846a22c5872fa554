"""Shared parts of the scenario: the tested client, the reference client, a unique topic name."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import pytest

from tests.clients.client import Client
from tests.clients.librdkafka import ConfluentKafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.foreign.process import StartedBroker

_numbers = itertools.count()


class Scenario:
    """The tests of a client; the subclass sets the client."""

    judge: ClassVar[type[Client]]
    reference: Client

    @pytest.fixture(autouse=True)
    def _reference(self, target: StartedBroker, tmp_path: Path) -> Iterator[None]:
        self.reference = ConfluentKafka(target.address, tmp_path)
        yield
        self.reference.close()

    @pytest.fixture
    def client(self, target: StartedBroker, tmp_path: Path) -> Iterator[Client]:
        """The tested client."""
        client = self.judge(target.address, tmp_path)
        yield client
        client.close()

    @pytest.fixture
    def name(self) -> str:
        """A topic's name that no other test has."""
        return f"{self.judge.__name__.lower()}-{next(_numbers)}"
