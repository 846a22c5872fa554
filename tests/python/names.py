"""Names of topics and groups that no other test has, because tests share a cluster."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import headwater as hw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RUN = f"{time.time_ns():x}"
_tests = itertools.count()
_suffix = ""


def begin_test() -> None:
    """Start the names of another test."""
    global _suffix
    _suffix = f"{_RUN}-{next(_tests)}"


def name(own: str) -> str:
    """The actual name of this test's topic or group `own`, without new special characters of regular expressions."""
    return f"{own}-{_suffix}"


def place(partition: int, topic: str = "flights") -> hw.TopicPartition:
    """A partition of this test's topic."""
    return hw.TopicPartition(name(topic), partition)


def await_true(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for an effect that a broker of a cluster may delay."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def topic_info(client: hw.Client, own: str) -> hw.TopicInfo:
    """The topic as it is listed, which a broker of a cluster may do slightly after its creation."""
    found: list[hw.TopicInfo] = []

    def is_listed() -> bool:
        found[:] = [topic for topic in client.topics() if topic.name == name(own)]
        return bool(found)

    await_true(is_listed)
    return found[0]


def own_topics(topics: Iterable[hw.TopicInfo]) -> list[hw.TopicInfo]:
    """The topics of this test."""
    return [topic for topic in topics if topic.name.endswith(_suffix)]


def own_groups(groups: Iterable[hw.GroupInfo]) -> list[hw.GroupInfo]:
    """The groups of this test."""
    return [group for group in groups if group.group_id.endswith(_suffix)]
