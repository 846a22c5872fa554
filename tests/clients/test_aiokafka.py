"""aiokafka in the complete scenario."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code

from tests.clients.client import At, Client, Group, Member, Strategy
from tests.clients.consumer import Consumer, PolledConsumer
from tests.clients.records import Record
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping

T = TypeVar("T")
#: The source of a config that is set for the topic itself.
TOPIC_CONFIG = 1


class Reader(PolledConsumer):
    """An `AIOKafkaConsumer` in its own event loop."""

    def __init__(self, config: dict[str, Any], topic: str, partitions: int, at: At | None) -> None:
        self._config = config
        self._topic = topic
        self._partitions = [aiokafka.TopicPartition(topic, n) for n in range(partitions)]
        self._at = at
        super().__init__()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Assign and seek, or subscribe."""
        with asyncio.Runner() as runner:
            self._runner = runner
            runner.run(self._open())
            try:
                yield
            finally:
                runner.run(self._consumer.stop())

    async def _open(self) -> None:
        self._consumer = aiokafka.AIOKafkaConsumer(**self._config)
        if self._at is None:
            self._consumer.subscribe([self._topic])
        await self._consumer.start()
        if self._at is not None:
            await self._seek(self._at)

    async def _seek(self, at: At) -> None:
        self._consumer.assign(self._partitions)
        if at == "earliest":
            await self._consumer.seek_to_beginning()
        elif at == "latest":
            await self._consumer.seek_to_end()
        else:
            for partition, found in (await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, at))).items():
                self._consumer.seek(partition, found.offset)

    def poll_once(self) -> None:
        """Report records, and check the assignment of the group."""
        for records in self._runner.run(self._get()).values():
            self.saw(*(_record(record) for record in records))
        self.owns(frozenset(owned.partition for owned in self._consumer.assignment()))

    async def _get(self) -> dict[aiokafka.TopicPartition, list[Any]]:
        found: dict[aiokafka.TopicPartition, list[Any]] = await self._consumer.getmany(timeout_ms=100)
        return found

    def commit(self) -> None:
        """Commit the positions."""
        self.call(lambda: self._runner.run(self._commit()))

    async def _commit(self) -> None:
        await self._consumer.commit()


class AioKafka(Client):
    """All functions of aiokafka."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._runner = asyncio.Runner()
        self._runner.run(self._connect())

    async def _connect(self) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await self._admin.start()

    def close(self) -> None:
        self._run(self._admin.close())
        self._runner.close()

    def _run(self, work: Awaitable[T]) -> T:
        async def do() -> T:
            return await work

        return self._runner.run(do())

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        done = self._run(self._admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=dict(configs))]))
        _raise_for(done.topic_errors)

    def topics(self) -> set[str]:
        return set(self._run(self._admin.list_topics()))

    def partitions(self, topic: str) -> set[int]:
        (described,) = self._run(self._admin.describe_topics([topic]))
        return {partition["partition"] for partition in described["partitions"] if partition["leader"] >= 0}

    def add_partitions(self, topic: str, total: int) -> None:
        self._run(self._admin.create_partitions({topic: NewPartitions(total)}))

    def delete_topic(self, topic: str) -> None:
        _raise_for(self._run(self._admin.delete_topics([topic])).topic_error_codes)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        place = aiokafka.TopicPartition(topic, partition)
        assert self._run(self._admin.delete_records({place: RecordsToDelete(before)})) == {place: before}

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        return {name: value for name, value, *_ in self._configs(ConfigResourceType.TOPIC, topic)}

    def broker_configs(self) -> Mapping[str, str]:
        (broker,) = self._run(self._admin.describe_cluster())["brokers"]
        return {name: value for name, value, *_ in self._configs(ConfigResourceType.BROKER, str(broker["node_id"]))}

    def _configs(self, kind: ConfigResourceType, name: str) -> list[tuple[Any, ...]]:
        (answer,) = self._run(self._admin.describe_configs([ConfigResource(kind, name)]))
        ((code, message, _, _, configs),) = answer.resources
        _raise_for([(name, code, message)])
        return list(configs)

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        # The old API replaces all configs of the topic: also send the others.
        kept = {name: old for name, old, _, source, *_ in self._configs(ConfigResourceType.TOPIC, topic) if source == TOPIC_CONFIG}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {**kept, key: value})
        (answer,) = self._run(self._admin.alter_configs([resource]))
        _raise_for([(name, code, message) for code, message, _, name in answer.resources])

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        self._run(self._write(topic, records, codec, idempotent))

    async def _write(self, topic: str, records: list[Record], codec: str, idempotent: bool) -> None:
        compression = None if codec == "none" else codec
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=self.address, compression_type=compression, enable_idempotence=idempotent, linger_ms=50, acks="all"
        ) as producer:
            sent = [
                await producer.send(topic, record.value, record.key, record.partition, record.timestamp, list(record.headers))
                for record in records
            ]
            await asyncio.gather(*sent)

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        return self._run(self._offset(aiokafka.TopicPartition(topic, partition), at))

    async def _offset(self, place: aiokafka.TopicPartition, at: At) -> int | None:
        async with aiokafka.AIOKafkaConsumer(bootstrap_servers=self.address) as consumer:
            if isinstance(at, int):
                found = (await consumer.offsets_for_times({place: at}))[place]
                return None if found is None else int(found.offset)
            ends = await (consumer.beginning_offsets([place]) if at == "earliest" else consumer.end_offsets([place]))
            return int(ends[place])

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        return Reader({"bootstrap_servers": self.address, "auto_offset_reset": "none"}, topic, partitions, at)

    def join(self, topic: str, member: Member) -> Consumer:
        if member.strategy is not Strategy.EAGER:
            self.cannot(f"join a group that is {member.strategy.name.lower()}")
        config = {
            "bootstrap_servers": self.address,
            "group_id": member.group,
            "group_instance_id": member.instance,
            "partition_assignment_strategy": [RangePartitionAssignor],
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": 45_000,
            "heartbeat_interval_ms": 500,
        }
        return Reader(config, topic, 0, None)

    def groups(self) -> set[str]:
        return {group for group, _ in self._run(self._admin.list_consumer_groups())}

    def group(self, group: str) -> Group:
        (answer,) = self._run(self._admin.describe_consumer_groups([group]))
        ((code, name, state, _, _, members, *_),) = answer.groups
        _raise_for([(name, code)])
        assigned = [ConsumerProtocolMemberAssignment.decode(assignment).assignment for _, *_, assignment in members]
        return Group.of(state, [{n for _, partitions in topics for n in partitions} for topics in assigned])

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        offsets = self._run(self._admin.list_consumer_group_offsets(group))
        return {place.partition: found.offset for place, found in offsets.items() if place.topic == topic}


def _raise_for(results: list[tuple[Any, ...]]) -> None:
    for name, code, *message in results:
        if code:
            raise for_code(code)(name, *message)


def _record(record: Any) -> Record:
    return Record(record.partition, record.offset, record.timestamp, record.key, record.value, tuple(record.headers))


class TestAioKafka(Topics, Records, Groups):
    judge = AioKafka
