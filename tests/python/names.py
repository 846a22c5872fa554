"""Names of topics and groups that no other test has: on a cluster that tests share, each has its own."""

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
    """From here on, names are those of another test."""
    global _suffix
    _suffix = f"{_RUN}-{next(_tests)}"


def name(own: str) -> str:
    """The name of this test's topic or group that it calls so itself. It means itself in a regular expression if `own` does."""
    return f"{own}-{_suffix}"


def place(partition: int, topic: str = "flights") -> hw.TopicPartition:
    """A partition of this test's topic."""
    return hw.TopicPartition(name(topic), partition)


def await_true(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for what a broker of a cluster does a moment later."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def topic_info(client: hw.Client, own: str) -> hw.TopicInfo:
    """The topic as it is listed: by a broker of a cluster perhaps a moment after its creation."""
    found: list[hw.TopicInfo] = []

    def is_listed() -> bool:
        found[:] = [topic for topic in client.topics() if topic.name == name(own)]
        return bool(found)

    await_true(is_listed)
    return found[0]


def own_topics(topics: Iterable[hw.TopicInfo]) -> list[hw.TopicInfo]:
    """Those of this test."""
    return [topic for topic in topics if topic.name.endswith(_suffix)]


def own_groups(groups: Iterable[hw.GroupInfo]) -> list[hw.GroupInfo]:
    """Those of this test."""
    return [group for group in groups if group.group_id.endswith(_suffix)]
