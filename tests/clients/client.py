"""The interface of the foreign clients. A client reports a missing feature; ``cannot.toml`` must contain the reason."""

# ruff: noqa: ARG002 - a missing feature ignores its arguments.

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn

from tests.clients.records import Record, ValueKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.clients.consumer import Consumer

#: A position in a partition: one of its ends, or the first record at or after a timestamp in milliseconds.
At = Literal["earliest", "latest"] | int


class Cannot(Exception):  # noqa: N818 - not an error, but a fact about the client
    """The client, rather than the broker, lacks the feature."""


class Strategy(enum.Enum):
    """The assignment in a group: by its leader, eager or cooperative, or by the broker (KIP-848)."""

    EAGER = enum.auto()
    COOPERATIVE = enum.auto()
    SERVER_SIDE = enum.auto()


@dataclass(frozen=True)
class Member:
    """The options of a group member; with an instance name it is a static member."""

    group: str
    strategy: Strategy
    instance: str | None = None


@dataclass(frozen=True)
class Group:
    """The description of a group: its state in Kafka's spelling, and the partitions of each member, in no order."""

    state: str
    assignment: tuple[frozenset[int], ...]

    @staticmethod
    def of(state: str, assignment: list[set[int]]) -> Group:
        """Create the description of a group without the order of its members."""
        return Group(state, tuple(sorted((frozenset(part) for part in assignment), key=sorted)))


class Client:
    """A foreign client of one broker. Each method returns after the broker's response; an error response raises."""

    data: ClassVar[ValueKind] = ValueKind.BINARY

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    def close(self) -> None:
        """Close the connections."""

    def cannot(self, what: str) -> NoReturn:
        """Report that this client lacks the feature."""
        problem = f"{type(self).__name__} cannot {what}"
        raise Cannot(problem)

    # Topics

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Create a topic and wait until its partitions have a leader."""
        self.cannot("create a topic")

    def topics(self) -> set[str]:
        """The names of all topics, including internal ones."""
        self.cannot("list topics")

    def partitions(self, topic: str) -> set[int]:
        """The partitions of an existing topic."""
        self.cannot("describe a topic")

    def add_partitions(self, topic: str, total: int) -> None:
        """Increase the number of a topic's partitions."""
        self.cannot("add partitions")

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""
        self.cannot("delete a topic")

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Delete the records before an offset."""
        self.cannot("delete records")

    # Configs

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        """The values of a topic's configs, including defaults."""
        self.cannot("describe a topic's configs")

    def broker_configs(self) -> Mapping[str, str]:
        """The values of the broker's configs, including defaults."""
        self.cannot("describe the broker's configs")

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        """Set one config of a topic without changing the others."""
        self.cannot("alter a topic's configs")

    # Records

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        """Write records in order to their partitions, and wait for the acknowledgements. The broker sets offsets."""
        self.cannot("produce")

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        """The offset of a position; `None` if all records are older than the time."""
        self.cannot("list offsets")

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        """Start to read the topic's partitions from a position, without a group."""
        self.cannot("consume without a group")

    # Groups

    def join(self, topic: str, member: Member) -> Consumer:
        """Join a group and subscribe to the topic. Start at the commits or at the first record. Commit when called."""
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
