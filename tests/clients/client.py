"""What a foreign client is asked to do. A client that cannot do something says so; ``cannot.toml`` must then say why."""

# ruff: noqa: ARG002 - what a client cannot do, it cannot do with any argument.

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn

from tests.clients.records import Data, Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.clients.consumer import Consumer

#: A place in a partition: one of its ends, or the first record that is as young as a time in milliseconds.
At = Literal["earliest", "latest"] | int


class Cannot(Exception):  # noqa: N818 - not an error, but a fact about the client
    """The client, not the broker, has no way to do it."""


class Strategy(enum.Enum):
    """How a group divides its partitions: by its leader, taking all away first or not, or by the broker (KIP-848)."""

    EAGER = enum.auto()
    COOPERATIVE = enum.auto()
    SERVER_SIDE = enum.auto()


@dataclass(frozen=True)
class Member:
    """How a consumer takes part in a group; with an instance's name it is a static member."""

    group: str
    strategy: Strategy
    instance: str | None = None


@dataclass(frozen=True)
class Group:
    """A group as it is described: its state in Kafka's spelling, and the partitions of each member, in no order."""

    state: str
    assignment: tuple[frozenset[int], ...]

    @staticmethod
    def of(state: str, assignment: list[set[int]]) -> Group:
        """Describe a group; the members' order does not matter."""
        return Group(state, tuple(sorted((frozenset(part) for part in assignment), key=sorted)))


class Client:
    """A foreign client at one broker. Every method returns when the broker has answered; an error answer raises."""

    data: ClassVar[Data] = Data.BINARY

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    def close(self) -> None:
        """Give up the connections."""

    def cannot(self, what: str) -> NoReturn:
        """Say that this client has no way to do it."""
        problem = f"{type(self).__name__} cannot {what}"
        raise Cannot(problem)

    # Topics

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Create a topic and wait until its partitions have a leader."""
        self.cannot("create a topic")

    def topics(self) -> set[str]:
        """The names of all topics, internal ones or not."""
        self.cannot("list topics")

    def partitions(self, topic: str) -> set[int]:
        """The partitions of a topic that is there."""
        self.cannot("describe a topic")

    def add_partitions(self, topic: str, total: int) -> None:
        """Give a topic as many partitions."""
        self.cannot("add partitions")

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""
        self.cannot("delete a topic")

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Delete the records before an offset."""
        self.cannot("delete records")

    # Configs

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        """The values of a topic's configs, set or default."""
        self.cannot("describe a topic's configs")

    def broker_configs(self) -> Mapping[str, str]:
        """The values of the broker's configs, set or default."""
        self.cannot("describe the broker's configs")

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        """Set one config of a topic and leave the others as they are."""
        self.cannot("alter a topic's configs")

    # Records

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        """Write records, in order, to their partitions, and wait for the acknowledgements. Their offsets are for the broker to give."""
        self.cannot("produce")

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        """The offset at a place; none if all records are older than the time."""
        self.cannot("list offsets")

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        """Start to read the topic's partitions from a place, without a group."""
        self.cannot("consume without a group")

    # Groups

    def join(self, topic: str, member: Member) -> Consumer:
        """Join a group and subscribe to the topic; start at the beginning where nothing is committed, and commit when asked."""
        self.cannot("join a group")

    def groups(self) -> set[str]:
        """The names of all groups."""
        self.cannot("list groups")

    def group(self, group: str) -> Group:
        """Describe a group."""
        self.cannot("describe a group")

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """The committed offsets of a group, for the partitions that have one."""
        self.cannot("list committed offsets")

    def delete_group(self, group: str) -> None:
        """Delete a group without members."""
        self.cannot("delete a group")
