"""The Headwater client over TCP: it must support the features of the foreign clients at every broker."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import headwater as hw
from tests.clients.client import At, Client, Member, Strategy
from tests.clients.consumer import Consumer, PolledConsumer, eventually
from tests.clients.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STRATEGIES: dict[Strategy, dict[str, str]] = {
    Strategy.EAGER: {"partition_assignment_strategy": "range"},
    Strategy.COOPERATIVE: {"partition_assignment_strategy": "cooperative-sticky"},
    Strategy.SERVER_SIDE: {"group_protocol": "consumer", "group_remote_assignor": "uniform"},
}


class Reader(PolledConsumer):
    """A `headwater.Consumer` that reads given partitions or is a member of a group."""

    def __init__(self, client: hw.Client, topic: str, start: At | None, config: dict[str, Any]) -> None:
        self._client = client
        self._topic = topic
        self._start = start
        self._config = config
        super().__init__()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Assign or subscribe; a member leaves its group at the end."""
        with self._client.consumer(self._topic, **self._config) as self._consumer:
            if self._start is not None:
                self._consumer.seek(_position(self._start))
            yield

    def poll_once(self) -> None:
        """Report records, and check the assignment of the group."""
        self.saw(*(_record(message) for message in self._consumer.poll(0.1)))
        if self._start is None:
            self.owns(frozenset(owned.partition for owned in self._consumer.assignment()))

    def commit(self) -> None:
        """Commit the records that were read."""
        self.call(self._consumer.commit)


class ConnectedHeadwater(Client):
    """All functions of `headwater.connect`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._client = hw.connect(self.address)

    def close(self) -> None:
        self._client.close()

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        self._client.create_topic(topic, partitions=partitions, config=configs)
        eventually(lambda: len(self.partitions(topic)) == partitions, f"the leaders of {topic}")

    def topics(self) -> set[str]:
        return {topic.name for topic in self._client.topics(internal=True)}

    def partitions(self, topic: str) -> set[int]:
        return set(self._client.topic(topic).offsets("earliest"))

    def add_partitions(self, topic: str, total: int) -> None:
        self._client.alter_topic(topic, partitions=total)

    def delete_topic(self, topic: str) -> None:
        self._client.delete_topic(topic)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        deleted = self._client.delete_records(topic, {partition: before})
        assert deleted[partition] == before

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        self._client.alter_topic(topic, config={key: value})

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        with self._client.producer(compression_type=codec, enable_idempotence=idempotent, linger_ms=50) as producer:
            sent = [
                producer.send(
                    topic,
                    record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=record.partition,
                    timestamp=record.timestamp,
                )
                for record in records
            ]
            for future in sent:
                future.result(30)

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        found = self._client.topic(topic).offsets(_position(at))[partition]
        return None if isinstance(at, int) and found == self._client.topic(topic).offsets("latest")[partition] else found

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        assert partitions
        return Reader(self._client, topic, at, {"auto_offset_reset": "none"})

    def join(self, topic: str, member: Member) -> Consumer:
        config: dict[str, Any] = {
            **STRATEGIES[member.strategy],
            "group_id": member.group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
        }
        if member.strategy is not Strategy.SERVER_SIDE:
            config |= {"session_timeout_ms": 45_000, "heartbeat_interval_ms": 500}
        if member.instance:
            config["group_instance_id"] = member.instance
        return Reader(self._client, topic, None, config)

    def groups(self) -> set[str]:
        return {group.group_id for group in self._client.groups()}

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        return {found.partition: found.committed for found in self._client.group_offsets(group) if found.topic == topic}

    def delete_group(self, group: str) -> None:
        self._client.delete_group(group)


def _position(at: At) -> Any:
    """A position in the form of `headwater`: a time is an aware datetime."""
    if isinstance(at, str):
        return at
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at)


def _record(message: hw.Message) -> Record:
    assert message.key is None or isinstance(message.key, bytes)
    return Record(
        message.partition,
        message.offset,
        message.timestamp_ms,
        message.key,
        message.value,
        tuple(message.headers),
    )
