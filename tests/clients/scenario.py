"""What the parts of the scenario have in common: the client that is tried, the reference beside it, a name of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import pytest

from tests.clients.client import Client
from tests.clients.librdkafka import ConfluentKafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.foreign.process import Started

_numbers = itertools.count()


class Scenario:
    """The tests of a client; its test class names the client."""

    judge: ClassVar[type[Client]]
    reference: Client

    @pytest.fixture(autouse=True)
    def _reference(self, target: Started, tmp_path: Path) -> Iterator[None]:
        self.reference = ConfluentKafka(target.address, tmp_path)
        yield
        self.reference.close()

    @pytest.fixture
    def client(self, target: Started, tmp_path: Path) -> Iterator[Client]:
        """The client that is tried."""
        client = self.judge(target.address, tmp_path)
        yield client
        client.close()

    @pytest.fixture
    def name(self) -> str:
        """A topic's name that no other test has."""
        return f"{self.judge.__name__.lower()}-{next(_numbers)}"
