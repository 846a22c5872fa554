"""confluent-kafka, the Python binding of librdkafka: the main reference, which writes and reads for other clients."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import confluent_kafka as ck
from confluent_kafka import admin

from tests.clients.client import At, Client, Group, Member, Strategy
from tests.clients.consumer import Consumer, PolledConsumer, eventually
from tests.clients.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 30
STRATEGIES: dict[Strategy, dict[str, str]] = {
    Strategy.EAGER: {"partition.assignment.strategy": "range"},
    Strategy.COOPERATIVE: {"partition.assignment.strategy": "cooperative-sticky"},
    Strategy.SERVER_SIDE: {"group.protocol": "consumer", "group.remote.assignor": "uniform"},
}


class Reader(PolledConsumer):
    """A `confluent_kafka.Consumer` that reads given partitions or is a member of a group."""

    def __init__(self, config: dict[str, Any], topic: str, assigned: list[ck.TopicPartition] | None) -> None:
        self._config = config
        self._topic = topic
        self._assigned = assigned
        super().__init__()

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Assign or subscribe; a member leaves its group at the end."""
        self._consumer = ck.Consumer(self._config)
        if self._assigned is None:
            self._consumer.subscribe([self._topic])
        else:
            self._consumer.assign(self._assigned)
        try:
            yield
        finally:
            self._consumer.close()

    def poll_once(self) -> None:
        """Report records, raise errors, and check the assignment of the group."""
        for message in self._consumer.consume(500, 0.1):
            if message.error():
                raise ck.KafkaException(message.error())
            self.saw(_record(message))
        if self._assigned is None:
            self.owns(frozenset(owned.partition for owned in self._consumer.assignment()))

    def commit(self) -> None:
        """Commit the positions, if there are any."""
        self.call(self._commit)

    def _commit(self) -> None:
        try:
            for committed in self._consumer.commit(asynchronous=False) or []:
                if committed.error:
                    raise ck.KafkaException(committed.error)
        except ck.KafkaException as failure:
            if failure.args[0].code() != ck.KafkaError._NO_OFFSET:
                raise


class ConfluentKafka(Client):
    """All functions of confluent-kafka."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._common: dict[str, Any] = {"bootstrap.servers": self.address, "log_level": 4}
        self._admin = admin.AdminClient(self._common)

    def close(self) -> None:
        del self._admin

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        new = admin.NewTopic(topic, partitions, 1, config=dict(configs))
        self._admin.create_topics([new])[topic].result(SECONDS)
        eventually(lambda: topic in self.topics() and len(self.partitions(topic)) == partitions, f"the leaders of {topic}")

    def topics(self) -> set[str]:
        return set(self._admin.list_topics(timeout=SECONDS).topics)

    def partitions(self, topic: str) -> set[int]:
        described = self._admin.describe_topics(ck.TopicCollection([topic]))[topic].result(SECONDS)
        return {partition.id for partition in described.partitions if partition.leader and partition.isr}

    def add_partitions(self, topic: str, total: int) -> None:
        self._admin.create_partitions([admin.NewPartitions(topic, total)])[topic].result(SECONDS)

    def delete_topic(self, topic: str) -> None:
        self._admin.delete_topics([topic])[topic].result(SECONDS)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        (future,) = self._admin.delete_records([ck.TopicPartition(topic, partition, before)]).values()
        assert future.result(SECONDS).low_watermark == before

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        return self._configs(admin.ConfigResource(admin.RESOURCE_TOPIC, topic))

    def broker_configs(self) -> Mapping[str, str]:
        (broker,) = self._admin.list_topics(timeout=SECONDS).brokers
        return self._configs(admin.ConfigResource(admin.RESOURCE_BROKER, str(broker)))

    def _configs(self, resource: admin.ConfigResource) -> dict[str, str]:
        entries = self._admin.describe_configs([resource])[resource].result(SECONDS)
        return {name: entry.value for name, entry in entries.items()}

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        entry = admin.ConfigEntry(key, value, incremental_operation=admin.AlterConfigOpType.SET)
        resource = admin.ConfigResource(admin.RESOURCE_TOPIC, topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(SECONDS)

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        failures: list[ck.KafkaError] = []
        producer = ck.Producer({**self._common, "compression.type": codec, "enable.idempotence": idempotent, "linger.ms": 50})
        for record in records:
            producer.produce(
                topic,
                record.value,
                record.key,
                record.partition,
                on_delivery=lambda error, _: failures.append(error) if error else None,
                timestamp=record.timestamp or 0,
                headers=list(record.headers),
            )
        left = producer.flush(SECONDS)
        assert not failures, failures
        assert not left, f"{left} records were never acknowledged"

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        if at == "earliest":
            spec = admin.OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        elif at == "latest":
            spec = admin.OffsetSpec.latest()  # type: ignore[no-untyped-call]
        else:
            spec = admin.OffsetSpec.for_timestamp(at)
        (future,) = self._admin.list_offsets({ck.TopicPartition(topic, partition): spec}).values()
        found: int = future.result(SECONDS).offset
        return None if found < 0 else found

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        config = {**self._common, "group.id": "nobody", "enable.auto.commit": False, "auto.offset.reset": "error"}
        start = {"earliest": ck.OFFSET_BEGINNING, "latest": ck.OFFSET_END}[at] if isinstance(at, str) else at
        assigned = [ck.TopicPartition(topic, n, start) for n in range(partitions)]
        if isinstance(at, int):
            looker = ck.Consumer(config)
            assigned = looker.offsets_for_times(assigned, SECONDS)
            looker.close()
        return Reader(config, topic, assigned)

    def join(self, topic: str, member: Member) -> Consumer:
        config = {
            **self._common,
            **STRATEGIES[member.strategy],
            "group.id": member.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
        if member.strategy is not Strategy.SERVER_SIDE:
            config |= {"session.timeout.ms": 45_000, "heartbeat.interval.ms": 500}
        if member.instance:
            config["group.instance.id"] = member.instance
        return Reader(config, topic, None)

    def groups(self) -> set[str]:
        listed = self._admin.list_consumer_groups().result(SECONDS)
        assert not listed.errors, listed.errors
        return {group.group_id for group in listed.valid}

    def group(self, group: str) -> Group:
        described = self._admin.describe_consumer_groups([group])[group].result(SECONDS)
        assignment = [{owned.partition for owned in member.assignment.topic_partitions} for member in described.members]
        return Group.of(described.state.name.title().replace("_", ""), assignment)

    def assigned(self, group: str, client_id: str) -> frozenset[int]:
        """The partitions of the member with that client id; nothing if it does not exist."""
        described = self._admin.describe_consumer_groups([group])[group].result(SECONDS)
        members = [member for member in described.members if member.client_id == client_id]
        return frozenset(owned.partition for member in members for owned in member.assignment.topic_partitions)

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        (future,) = self._admin.list_consumer_group_offsets([ck.ConsumerGroupTopicPartitions(group)]).values()
        return {found.partition: found.offset for found in future.result(SECONDS).topic_partitions if found.topic == topic}

    def delete_group(self, group: str) -> None:
        self._admin.delete_consumer_groups([group])[group].result(SECONDS)


def _record(message: ck.Message) -> Record:
    kind, timestamp = message.timestamp()
    assert kind == ck.TIMESTAMP_CREATE_TIME
    partition, offset, headers = message.partition(), message.offset(), message.headers() or []
    assert partition is not None
    assert offset is not None
    assert isinstance(headers, list)
    return Record(
        partition, offset, timestamp, _raw(message.key()), _raw(message.value()), tuple((name, _raw(held)) for name, held in headers)
    )


def _raw(held: str | bytes | None) -> bytes | None:
    assert not isinstance(held, str)
    return held
