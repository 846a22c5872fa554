"""Apache Kafka's own tools in the complete scenario, and its performance and verification tools."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from tests.clients import records as scenario
from tests.clients.kafka_tools import TOOLS, KafkaTools
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics
from tests.foreign import kafka

if TYPE_CHECKING:
    from pathlib import Path

    from tests.foreign.process import StartedBroker

COUNT = 20_000


def events(said: str, name: str) -> list[dict[str, Any]]:
    """The events of that name in the output of a verifiable client."""
    found = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return [event for event in found if event["name"] == name]


class TestKafkaTools(Topics, Records, Groups):
    judge = KafkaTools

    def test_perf_tools_write_and_read_every_record(self, broker: str, name: str) -> None:
        self.reference.create_topic(name, 3, {})
        load = ("--topic", name, "--num-records", str(COUNT), "--record-size", "200", "--throughput", "-1")
        said = kafka.run(f"{TOOLS}.ProducerPerformance", *load, "--bootstrap-server", broker)
        assert re.search(rf"^{COUNT} records sent", said, re.MULTILINE), said
        assert sum(self.reference.offset(name, partition, "latest") or 0 for partition in range(3)) == COUNT
        said = kafka.run(f"{TOOLS}.ConsumerPerformance", "--bootstrap-server", broker, "--topic", name, "--num-records", str(COUNT))
        header, row = (line.split(", ") for line in said.splitlines() if ", " in line)
        assert dict(zip(header, row, strict=True))["data.consumed.in.nMsg"] == str(COUNT)

    def test_a_verifiable_consumer_gets_the_records_of_a_verifiable_producer(self, broker: str, name: str) -> None:
        self.reference.create_topic(name, 3, {})
        load = ("--topic", name, "--max-messages", str(COUNT), "--value-prefix", "7", "--acks", "-1", "--repeating-keys", "10")
        said = kafka.run(f"{TOOLS}.VerifiableProducer", "--bootstrap-server", broker, *load)
        sent = {event["value"] for event in events(said, "producer_send_success")}
        assert sent == {f"7.{n}" for n in range(COUNT)}
        said = self.consume_verifiably(broker, name)
        read = [(event["partition"], event["offset"], event["value"]) for event in events(said, "record_data")]
        with self.reference.read(name, 3, "earliest") as reader:
            stored = [(*record.place, (record.value or b"").decode()) for record in reader.await_records(COUNT)]
        assert sorted(read) == sorted(stored)
        assert {value for *_, value in read} == sent
        committed = {part["partition"]: part["offset"] for event in events(said, "offsets_committed") for part in event["offsets"]}
        assert self.reference.committed(f"group-{name}", name) == committed
        assert sum(committed.values()) == COUNT

    def consume_verifiably(self, broker: str, name: str) -> str:
        """Make a verifiable consumer read all records, and return its output."""
        load = ("--topic", name, "--group-id", f"group-{name}", "--max-messages", str(COUNT), "--reset-policy", "earliest", "--verbose")
        command = kafka.command(f"{TOOLS}.VerifiableConsumer", "--bootstrap-server", broker, *load)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    def test_log_directories_have_the_size_of_their_segments(self, target: StartedBroker, tmp_path: Path, name: str) -> None:
        self.reference.create_topic(name, 2, {})
        self.reference.write(name, scenario.make(scenario.ValueKind.BINARY, 2, 100))
        said = KafkaTools(target.address, tmp_path).run(f"{TOOLS}.LogDirsCommand", "--describe", "--topic-list", name)
        (answer,) = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
        (directory,) = answer["brokers"][0]["logDirs"]
        assert directory["error"] is None
        assert directory["logDir"] == str(target.data)
        sizes = {part["partition"]: part["size"] for part in directory["partitions"]}
        written = {f"{name}-{n}": sum(file.stat().st_size for file in (target.data / f"{name}-{n}").glob("*.log")) for n in range(2)}
        assert sizes == written
