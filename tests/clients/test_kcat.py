"""kcat in the complete scenario: librdkafka on the command line, with records as lines and no administration."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from tests.clients import records as scenario
from tests.clients.client import At, Client, Member, Strategy
from tests.clients.consumer import Consumer, eventually
from tests.clients.librdkafka import ConfluentKafka
from tests.clients.process_consumer import CommittingConsumer
from tests.clients.records import Record, ValueKind
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics

if TYPE_CHECKING:
    pass

SECONDS = 60
STRATEGIES = {Strategy.EAGER: "range", Strategy.COOPERATIVE: "cooperative-sticky"}


class Reader(CommittingConsumer):
    """kcat that prints a JSON object for each record, and its assignments on standard error."""

    def parse(self, line: bytes) -> None:
        """A record."""
        found = json.loads(line)
        assert found["tstype"] == "create"
        names = found.get("headers", [])
        headers = tuple((name, _raw(value)) for name, value in zip(names[::2], names[1::2], strict=True))
        record = Record(found["partition"], found["offset"], found["ts"], _raw(found["key"]), _raw(found["payload"]), headers)
        self.saw(record)

    def parse_error(self, line: bytes) -> None:
        """A change of the assignment, or a line to keep."""
        super().parse_error(line)
        if re.match(rb"% Group .* rebalanced", line):
            partitions = frozenset(int(partition) for partition in re.findall(rb"\[(\d+)\]", line))
            gained = re.search(rb": (assigned|incremental assignment)\b", line)
            self.owns(self.owned | partitions if gained else self.owned - partitions)


class Kcat(Client):
    """All functions of kcat."""

    data = ValueKind.TEXT

    def _command(self, *arguments: str) -> list[str]:
        kcat = shutil.which("kcat")
        assert kcat, "kcat is missing: run tests/foreign/install.sh (Debian: apt-get install kcat)"
        return [kcat, "-b", self.address, *arguments]

    def _run(self, *arguments: str, said: bytes = b"") -> str:
        done = subprocess.run(self._command(*arguments), input=said, capture_output=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def _listed(self, *arguments: str) -> dict[str, Any]:
        return {topic["topic"]: topic for topic in json.loads(self._run("-L", "-J", *arguments))["topics"]}

    def topics(self) -> set[str]:
        return set(self._listed())

    def partitions(self, topic: str) -> set[int]:
        return {partition["partition"] for partition in self._listed("-t", topic)[topic]["partitions"] if partition["leader"] >= 0}

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        if any(record.timestamp is not None for record in records):
            self.cannot("set a timestamp")
        # Partition and headers apply to all lines.
        for (partition, headers), group in itertools.groupby(records, lambda record: (record.partition, record.headers)):
            given = [part for name, value in headers for part in ("-H", name if value is None else f"{name}={value.decode()}")]
            options = ["-z", codec, "-X", f"enable.idempotence={str(idempotent).lower()}", "-X", "linger.ms=50", *given]
            lines = b"".join((record.key or b"") + b"\t" + (record.value or b"") + b"\n" for record in group)
            self._run("-P", "-t", topic, "-p", str(partition), "-K", "\t", "-Z", *options, said=lines)

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        time = {"earliest": -2, "latest": -1}.get(str(at), at)
        found = re.search(r"\[\d+\] offset (-?\d+)", self._run("-Q", "-t", f"{topic}:{partition}:{time}"))
        assert found
        return None if int(found[1]) < 0 else int(found[1])

    def read(self, topic: str, partitions: int, at: At) -> Consumer:  # noqa: ARG002 - it reads all of them
        start = {"earliest": "beginning", "latest": "end"}.get(str(at), f"s@{at}")
        return Reader(self._command("-C", "-t", topic, "-o", start, "-J", "-u"), dict)

    def join(self, topic: str, member: Member) -> Consumer:
        if member.strategy not in STRATEGIES:
            self.cannot("let the broker assign")
        # auto.commit.interval.ms cannot be set, because kcat uses it as a topic property: a commit takes 5 s.
        config = {
            "partition.assignment.strategy": STRATEGIES[member.strategy],
            "auto.offset.reset": "earliest",
            "session.timeout.ms": "45000",
            "heartbeat.interval.ms": "500",
            **({"group.instance.id": member.instance} if member.instance else {}),
        }
        options = [part for key, value in config.items() for part in ("-X", f"{key}={value}")]
        reference = ConfluentKafka(self.address, self.folder)
        return Reader(self._command(*options, "-J", "-u", "-G", member.group, topic), lambda: reference.committed(member.group, topic))


def _raw(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


class TestKcat(Topics, Records, Groups):
    judge = Kcat

    def test_the_first_record_creates_its_topic(self, client: Client, name: str) -> None:
        written = scenario.unstamped(scenario.make(client.data, 1, 20))
        client.write(name, written)
        eventually(lambda: self.reference.partitions(name) == {0, 1, 2}, "the broker's num.partitions")
        assert scenario.unstamped(self.read_all(self.reference, name, 3, "earliest", len(written))) == written


def test_kcat_has_no_administration() -> None:
    """kcat's manual confirms the entries of cannot.toml about it."""
    manual = subprocess.run(["kcat", "-h"], capture_output=True, text=True, check=False).stdout
    assert re.findall(r"-([A-Z])\b[^\n]*Mode:", manual) == ["C", "G"], manual
    assert "-C | -P | -L | -Q  Mode: Consume, Produce, Metadata List, Query mode" in manual
