"""Apache Kafka's own tools as one client: each call runs a tool, each consumer is a console consumer."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from typing import TYPE_CHECKING

from tests.clients.client import At, Client, Group, Member, Strategy
from tests.clients.consumer import Consumer
from tests.clients.librdkafka import ConfluentKafka
from tests.clients.process_consumer import CommittingConsumer
from tests.clients.records import Headers, Record, ValueKind
from tests.foreign import kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOOLS = "org.apache.kafka.tools"
TOPIC_COMMAND = f"{TOOLS}.TopicCommand"
GROUP_COMMAND = f"{TOOLS}.consumer.group.ConsumerGroupCommand"
CONSOLE_CONSUMER = f"{TOOLS}.consumer.ConsoleConsumer"
CONFIG_COMMAND = "kafka.admin.ConfigCommand"
NULL = "<null>"
ASSIGNORS = "org.apache.kafka.clients.consumer"
STRATEGIES: dict[Strategy, dict[str, str]] = {
    Strategy.EAGER: {"partition.assignment.strategy": f"{ASSIGNORS}.RangeAssignor"},
    Strategy.COOPERATIVE: {"partition.assignment.strategy": f"{ASSIGNORS}.CooperativeStickyAssignor"},
    Strategy.SERVER_SIDE: {"group.protocol": "consumer", "group.remote.assignor": "uniform"},
}
PRINTED = ("timestamp", "partition", "offset", "headers", "key", "value")
FORMAT = {**{f"print.{part}": "true" for part in PRINTED}, "null.literal": NULL, "key.separator": "\t", "headers.separator": ","}
_numbers = itertools.count()


class Reader(CommittingConsumer):
    """A console consumer. Its partitions come from the broker, because the tool does not print them."""

    def __init__(self, command: list[str], committed: Callable[[], Mapping[int, int]], assigned: Callable[[], frozenset[int]]) -> None:
        self._assigned = assigned
        super().__init__(command, committed)

    @property
    def owned(self) -> frozenset[int]:
        """The partitions of this member, according to the broker."""
        self.owns(self._assigned())
        return super().owned

    def parse(self, line: bytes) -> None:
        """A record."""
        stamp, partition, offset, headers, key, value = line.decode().split("\t")
        at, place, time = (int(part.split(":")[1]) for part in (partition, offset, stamp))
        self.saw(Record(at, place, time, _raw(key), _raw(value), _headers(headers)))


class KafkaTools(Client):
    """All functions of Kafka's tools."""

    data = ValueKind.TEXT

    def run(self, main_class: str, *arguments: str) -> str:
        """Run a tool against the broker."""
        return kafka.run(main_class, "--bootstrap-server", self.address, *arguments)

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        given = [part for key, value in configs.items() for part in ("--config", f"{key}={value}")]
        self.run(TOPIC_COMMAND, "--create", "--topic", topic, "--partitions", str(partitions), "--replication-factor", "1", *given)

    def topics(self) -> set[str]:
        return set(self.run(TOPIC_COMMAND, "--list").split())

    def partitions(self, topic: str) -> set[int]:
        described = self.run(TOPIC_COMMAND, "--describe", "--topic", topic)
        return {int(n) for n in re.findall(r"Partition: (\d+)\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+", described)}

    def add_partitions(self, topic: str, total: int) -> None:
        self.run(TOPIC_COMMAND, "--alter", "--topic", topic, "--partitions", str(total))

    def delete_topic(self, topic: str) -> None:
        self.run(TOPIC_COMMAND, "--delete", "--topic", topic)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        file = self.folder / "delete.json"
        file.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": partition, "offset": before}]}))
        said = self.run(f"{TOOLS}.DeleteRecordsCommand", "--offset-json-file", str(file))
        assert re.search(rf"partition: {topic}-{partition}\s+low_watermark: {before}\b", said), said

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        return _configs(self.run(CONFIG_COMMAND, "--describe", "--all", "--entity-type", "topics", "--entity-name", topic))

    def broker_configs(self) -> Mapping[str, str]:
        brokers = self.run(f"{TOOLS}.BrokerApiVersionsCommand")
        found = re.search(r"\(id: (\d+) ", brokers)
        assert found, brokers
        return _configs(self.run(CONFIG_COMMAND, "--describe", "--all", "--entity-type", "brokers", "--entity-name", found[1]))

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        self.run(CONFIG_COMMAND, "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", f"{key}={value}")

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        if any(record.partition or record.timestamp is not None for record in records):
            self.cannot("choose a record's partition or timestamp")
        lines = "".join(f"{_shown_headers(record.headers)}\t{_shown(record.key)}\t{_shown(record.value)}\n" for record in records)
        options = {"parse.headers": "true", "parse.key": "true", "null.marker": NULL}
        given = [part for key, value in options.items() for part in ("--reader-property", f"{key}={value}")]
        producer = ["--command-property", f"enable.idempotence={str(idempotent).lower()}", "--compression-codec", codec]
        arguments = ["--bootstrap-server", self.address, "--topic", topic, *producer, *given]
        command = kafka.command(f"{TOOLS}.ConsoleProducer", *arguments)
        done = subprocess.run(command, input=lines.encode(), capture_output=True, timeout=120, check=False)
        # The tool continues after an error, and prints it.
        assert done.returncode == 0, done.stderr.decode()
        assert b"ERROR" not in done.stdout + done.stderr, done.stdout + done.stderr

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        said = self.run(f"{TOOLS}.GetOffsetShell", "--topic-partitions", f"{topic}:{partition}", "--time", str(at))
        found = re.search(rf"^{topic}:{partition}:(\d+)$", said, re.MULTILINE)
        return int(found[1]) if found else None

    def read(self, topic: str, partitions: int, at: At) -> Consumer:  # noqa: ARG002 - it reads all of them
        if isinstance(at, int):
            self.cannot("start at a time")
        start = ["--from-beginning"] if at == "earliest" else []
        return Reader(self._console_consumer(topic, *start), dict, frozenset)

    def join(self, topic: str, member: Member) -> Consumer:
        name = f"console-{member.instance or next(_numbers)}"
        config = {
            "client.id": name,
            "auto.commit.interval.ms": "100",
            **STRATEGIES[member.strategy],
            **({"group.instance.id": member.instance} if member.instance else {}),
        }
        if member.strategy is not Strategy.SERVER_SIDE:
            config |= {"session.timeout.ms": "45000", "heartbeat.interval.ms": "500"}
        given = [part for key, value in config.items() for part in ("--command-property", f"{key}={value}")]
        command = self._console_consumer(topic, "--group", member.group, "--from-beginning", *given)
        reference = ConfluentKafka(self.address, self.folder)
        return Reader(command, lambda: reference.committed(member.group, topic), lambda: reference.assigned(member.group, name))

    def _console_consumer(self, topic: str, *options: str) -> list[str]:
        given = [part for key, value in FORMAT.items() for part in ("--formatter-property", f"{key}={value}")]
        arguments = ["--bootstrap-server", self.address, "--topic", topic, *options, *given]
        return kafka.command(CONSOLE_CONSUMER, *arguments)

    def groups(self) -> set[str]:
        return set(self.run(GROUP_COMMAND, "--list").split())

    def group(self, group: str) -> Group:
        state = self.run(GROUP_COMMAND, "--describe", "--group", group, "--state")
        members = self.run(GROUP_COMMAND, "--describe", "--group", group, "--members", "--verbose")
        (row,) = (line.split() for line in state.splitlines() if line.startswith(f"{group} "))
        rows = (line.split() for line in members.splitlines() if line.startswith(f"{group} "))
        # STATE is the last column but one; CURRENT-ASSIGNMENT, the seventh, is TOPIC:PARTITION,PARTITION.
        return Group.of(row[-2], [{int(n) for n in row[6].split(":")[1].split(",")} for row in rows])

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        said = self.run(GROUP_COMMAND, "--describe", "--group", group, "--offsets")
        rows = re.findall(rf"^{group}\s+{topic}\s+(\d+)\s+(\d+)\s", said, re.MULTILINE)
        return {int(partition): int(offset) for partition, offset in rows}

    def delete_group(self, group: str) -> None:
        said = self.run(GROUP_COMMAND, "--delete", "--group", group)
        assert "was successful" in said, said


def _raw(shown: str) -> bytes | None:
    return None if shown == NULL else shown.encode()


def _headers(shown: str) -> Headers:
    if shown == "NO_HEADERS":
        return ()
    pairs = (pair.split(":", 1) for pair in shown.split(","))
    return tuple((name, _raw(value)) for name, value in pairs)


def _shown(held: bytes | None) -> str:
    return NULL if held is None else held.decode()


def _shown_headers(headers: Headers) -> str:
    return ",".join(f"{name}:{_shown(value)}" for name, value in headers) or NULL


def _configs(said: str) -> dict[str, str]:
    return dict(re.findall(r"^  ([\w.]+)=(.*?) sensitive=", said, re.MULTILINE))
