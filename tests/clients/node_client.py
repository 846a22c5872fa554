"""A client for Node: each operation runs its script, ``node/CLIENT.mjs``, which prints lines of JSON."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from tests.clients.client import At, Cannot, Client, Group, Member
from tests.clients.consumer import Consumer
from tests.clients.process_consumer import ProcessConsumer
from tests.clients.records import Record
from tests.foreign.one_at_a_time import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("node")
SECONDS = 60


@functools.cache
def node() -> str:
    """Node, with the clients in package-lock.json beside the scripts."""
    found, npm = shutil.which("node"), shutil.which("npm")
    assert found, "Node is missing: install Node 20 or newer, with npm"
    assert npm, "npm is missing: install Node 20 or newer, with npm"
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    with one_at_a_time("node-clients"):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, check=True)
    return found


def text(held: bytes | None) -> str | None:
    """Bytes as base64."""
    return None if held is None else base64.b64encode(held).decode()


def raw(held: str | None) -> bytes | None:
    """Base64 as bytes."""
    return None if held is None else base64.b64decode(held)


def result(event: dict[str, Any]) -> Any:
    """The operation's result, or its failure."""
    if "cannot" in event:
        raise Cannot(event["cannot"])
    if "error" in event:
        raise RuntimeError(event["error"])
    return event.get("result")


class NodeConsumer(ProcessConsumer):
    """A consumer whose script prints records, assignments and commits."""

    def __init__(self, command: list[str], arguments: str) -> None:
        self._committed = threading.Semaphore(0)
        super().__init__(command)
        self._tell(arguments)

    def parse(self, line: bytes) -> None:
        """Handle an event."""
        event = json.loads(line)
        if "record" in event:
            record = event["record"]
            headers = tuple((name, raw(value)) for name, value in record.pop("headers"))
            self.saw(Record(**{**record, "key": raw(record["key"]), "value": raw(record["value"])}, headers=headers))
        elif "owned" in event:
            self.owns(frozenset(event["owned"]))
        elif "committed" in event:
            self._committed.release()
        else:
            result(event)

    def commit(self) -> None:
        """Make the script commit."""
        self._tell("commit")
        assert self._committed.acquire(timeout=SECONDS), f"the commit did not finish; {self.said()}"

    def ask_to_stop(self) -> None:
        """Make the script close its consumer; a failed one is already ending."""
        with contextlib.suppress(BrokenPipeError):
            self._tell("close")

    def _tell(self, command: str) -> None:
        pipe = self.process.stdin
        assert pipe
        pipe.write(command.encode() + b"\n")
        pipe.flush()


class NodeClient(Client):
    """A client for Node, by the name of its script."""

    script: ClassVar[str]

    def _command(self, operation: str) -> list[str]:
        return [node(), str(FOLDER / self.script), operation]

    def _arguments(self, arguments: dict[str, object]) -> str:
        return json.dumps({"address": self.address, **arguments})

    def _call(self, operation: str, **arguments: object) -> Any:
        said = self._arguments(arguments).encode() + b"\n"
        done = subprocess.run(self._command(operation), input=said, capture_output=True, timeout=SECONDS, check=False)
        lines = done.stdout.splitlines()
        assert lines, f"{operation} ended with {done.returncode} and printed only {done.stderr.decode()}"
        return result(json.loads(lines[-1]))

    def create_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        self._call("createTopic", topic=topic, partitions=partitions, configs=dict(configs))

    def topics(self) -> set[str]:
        return set(self._call("topics"))

    def partitions(self, topic: str) -> set[int]:
        return set(self._call("partitions", topic=topic))

    def add_partitions(self, topic: str, total: int) -> None:
        self._call("addPartitions", topic=topic, total=total)

    def delete_topic(self, topic: str) -> None:
        self._call("deleteTopic", topic=topic)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        self._call("deleteRecords", topic=topic, partition=partition, before=before)

    def topic_configs(self, topic: str) -> Mapping[str, str]:
        return cast("dict[str, str]", self._call("topicConfigs", topic=topic))

    def broker_configs(self) -> Mapping[str, str]:
        return cast("dict[str, str]", self._call("brokerConfigs"))

    def alter_topic_config(self, topic: str, key: str, value: str) -> None:
        self._call("alterTopicConfig", topic=topic, key=key, value=value)

    def write(self, topic: str, records: list[Record], codec: str = "none", *, idempotent: bool = False) -> None:
        sent = [
            {
                "partition": record.partition,
                "timestamp": record.timestamp,
                "key": text(record.key),
                "value": text(record.value),
                "headers": [(name, text(value)) for name, value in record.headers],
            }
            for record in records
        ]
        self._call("write", topic=topic, records=sent, codec=codec, idempotent=idempotent)

    def offset(self, topic: str, partition: int, at: At) -> int | None:
        return cast("int | None", self._call("offset", topic=topic, partition=partition, at=at))

    def read(self, topic: str, partitions: int, at: At) -> Consumer:
        return self._consumer("read", {"topic": topic, "partitions": partitions, "at": at})

    def join(self, topic: str, member: Member) -> Consumer:
        strategy = member.strategy.name.lower()
        return self._consumer("join", {"topic": topic, "group": member.group, "strategy": strategy, "instance": member.instance})

    def _consumer(self, operation: str, arguments: dict[str, object]) -> Consumer:
        return NodeConsumer(self._command(operation), self._arguments(arguments))

    def groups(self) -> set[str]:
        return set(self._call("groups"))

    def group(self, group: str) -> Group:
        described = self._call("group", group=group)
        return Group.of(described["state"], [set(part) for part in described["assignment"]])

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        return {int(partition): offset for partition, offset in self._call("committed", group=group, topic=topic).items()}

    def delete_group(self, group: str) -> None:
        self._call("deleteGroup", group=group)
