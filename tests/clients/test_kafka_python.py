"""kafka-python in the complete scenario."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import kafka
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor

from tests.clients.client import At, Client, Group, Member, Strategy
from tests.clients.consumer import Consumer, PolledConsumer
from tests.clients.records import Record
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 30
ASSIGNORS = {Strategy.EAGER: RangePartitionAssignor, Strategy.COOPERATIVE: CooperativeStickyAssignor}


class Reader(PolledConsumer):
    """A `KafkaConsumer` that reads given partitions from a position, or is a member of a group."""

    def __init__(self, config: dict[str, Any], topic: str, partitions: int, at: At | None) -> None:
        self._config = config
        self._topic = topic
        self._partitions = [kafka.TopicPartition(topic, n) for n in range(partitions)]
        self._at = at
        super().__init__()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Assign and seek, or subscribe."""
        self._consumer = kafka.KafkaConsumer(**self._config)
        try:
            if self._at is None:
                self._consumer.subscribe([self._topic])
                # Without this, a leader may join before it has the topic's metadata. It then joins again, and if polls
                # end before that, the client drops the assignment from the broker.
                self._consumer.partitions_for_topic(self._topic)
            else:
                self._seek(self._at)
            yield
        finally:
            self._consumer.close()

    def _seek(self, at: At) -> None:
        self._consumer.assign(self._partitions)
        if at == "earliest":
            self._consumer.seek_to_beginning()
        elif at == "latest":
            self._consumer.seek_to_end()
        else:
            for partition, found in self._consumer.offsets_for_times(dict.fromkeys(self._partitions, at)).items():
                self._consumer.seek(partition, found.offset)

    def poll_once(self) -> None:
        """Report records, and check the assignment of the group."""
        for records in self._consumer.poll(timeout_ms=100).values():
            self.saw(*(_record(record) for record in records))
        self.owns(frozenset(owned.partition for owned in self._consumer.assignment()))

    def commit(self) -> None:
        """Commit the positions."""
        self.call(self._consumer.commit)


class KafkaPython(Client):
    """All functions of kafka-python."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._admin = KafkaAdminClient(bootstrap_servers=self.address)

    def close(self) -> None:
        self._admin.close()

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        options = {"num_partitions": partitions, "replication_factor": 1, "configs": dict(configs)}
        self._admin.create_topics({topic: options}, wait_for_metadata=True)

    def topics(self) -> set[str]:
        return set(self._admin.list_topics())

    def partitions(self, topic: str) -> set[int]:
        (described,) = self._admin.describe_topics([topic])
        return {partition["partition_index"] for partition in described["partitions"] if partition["leader_id"] >= 0}

    def add_partitions(self, topic: str, total: int) -> None:
        self._admin.create_partitions({topic: total})

    def delete_topic(self, topic: str) -> None:
        self._admin.delete_topics([topic])

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        place = kafka.TopicPartition(topic, partition)
        assert self._admin.delete_records({place: before})[place]["low_watermark"] == before

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        return self._configs(ConfigResource(ConfigResourceType.TOPIC, topic))

    def broker_configs(self) -> Mapping[str, str]:
        (broker,) = self._admin.describe_cluster()["brokers"]
        return self._configs(ConfigResource(ConfigResourceType.BROKER, str(broker["broker_id"])))

    def _configs(self, resource: ConfigResource) -> dict[str, str]:
        found = self._admin.describe_configs([resource], config_filter=ConfigFilterType.ALL)
        return {name: config["value"] for name, config in found[resource.resource_type.name.lower()][resource.name].items()}

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        done = self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={key: value})], incremental=True)
        assert done == {"topic": {topic: "OK"}}

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        producer = kafka.KafkaProducer(
            bootstrap_servers=self.address,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            linger_ms=50,
            acks="all",
        )
        try:
            for future in [
                producer.send(topic, record.value, record.key, list(record.headers), record.partition, record.timestamp)
                for record in records
            ]:
                future.get(SECONDS)
        except TypeError as refusal:
            self.cannot(f"send this: {refusal}")
        finally:
            producer.close()

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        place = kafka.TopicPartition(topic, partition)
        consumer = kafka.KafkaConsumer(bootstrap_servers=self.address)
        try:
            if isinstance(at, int):
                found = consumer.offsets_for_times({place: at})[place]
                return None if found is None else int(found.offset)
            ends = consumer.beginning_offsets([place]) if at == "earliest" else consumer.end_offsets([place])
            return int(ends[place])
        finally:
            consumer.close()

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        return Reader({"bootstrap_servers": self.address, "auto_offset_reset": "none"}, topic, partitions, at)

    def join(self, topic: str, member: Member) -> Consumer:
        if member.strategy not in ASSIGNORS:
            self.cannot("let the broker assign")
        config = {
            "bootstrap_servers": self.address,
            "group_id": member.group,
            "group_instance_id": member.instance,
            "partition_assignment_strategy": [ASSIGNORS[member.strategy]],
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": 45_000,
            "heartbeat_interval_ms": 500,
        }
        return Reader(config, topic, 0, None)

    def groups(self) -> set[str]:
        return {group["group_id"] for group in self._admin.list_groups()}

    def group(self, group: str) -> Group:
        described = self._admin.describe_groups([group])[group]
        assert described["error"] is None, described
        assigned = [member["member_assignment"]["assigned_partitions"] for member in described["members"]]
        return Group.of(described["group_state"], [{n for topic in topics for n in topic["partitions"]} for topics in assigned])

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        offsets = self._admin.list_group_offsets(group)[group]
        return {place.partition: found.offset for place, found in offsets.items() if place.topic == topic}

    def delete_group(self, group: str) -> None:
        assert self._admin.delete_groups([group]) == {group: "OK"}


def _record(record: Any) -> Record:
    return Record(record.partition, record.offset, record.timestamp, record.key, record.value, tuple(tuple(h) for h in record.headers))


class TestKafkaPython(Topics, Records, Groups):
    judge = KafkaPython
