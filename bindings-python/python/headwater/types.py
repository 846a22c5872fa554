"""Small types of the public API that are made of nothing but values."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TopicPartition"]


class TopicPartition(NamedTuple):
    """A partition of a topic. Wherever one is taken, any pair of a name and a number will do.

    >>> import headwater as hw
    >>> hw.TopicPartition("flights", 0) == ("flights", 0)
    True
    """

    topic: str
    """The topic's name."""
    partition: int
    """The partition's number."""
