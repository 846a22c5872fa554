"""The work of a client in each run."""

from __future__ import annotations

import functools
import random
from abc import ABC, abstractmethod
from contextlib import ExitStack

RECORD_BYTES = 100


class Load(ABC):
    """A client of the broker at `address`. The constructor runs before the first run and is not measured."""

    def __init__(self, address: str, records: int) -> None:
        """Connect, and prepare the objects that each run needs."""
        self.address = address
        self.records = records
        #: The objects that a run leaves open. They are closed after its time was taken.
        self.after = ExitStack()

    @abstractmethod
    def run(self, topic: str) -> object:
        """Do the measured work."""

    @abstractmethod
    def check(self, result: object) -> None:
        """Check the result of a run, after its time was taken."""


@functools.cache
def random_values(records: int) -> list[bytes]:
    """Values of random bytes, always the same ones."""
    chance = random.Random(7)
    block = chance.randbytes(RECORD_BYTES * 100_000)
    # The blocks have different starts, so that nearby values differ.
    starts = (chance.randrange(RECORD_BYTES) for _ in range(-(-records // 99_999)))
    values = [block[at : at + RECORD_BYTES] for start in starts for at in range(start, len(block) - RECORD_BYTES + 1, RECORD_BYTES)]
    return values[:records]
