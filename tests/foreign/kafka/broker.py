"""One broker of Apache Kafka that is also its controller, started from the jars."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

from tests.foreign import kafka
from tests.foreign.process import StartedBroker, await_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
LOGGING = kafka.HERE / "log4j2.properties"
#: Enough for tests, and small enough for a shared machine.
SMALL_HEAP = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")
#: The options of Kafka's own start script.
DEFAULT_HEAP = ("-Xms1G", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")


def free_port() -> int:
    """A loopback port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def format_storage(folder: Path, settings: Mapping[str, str], port: int, users: Sequence[str] = ()) -> Path:
    """Write the broker's configuration and format its data directory, `folder/data`; return the configuration.

    `users` are SCRAM credentials in the format of `kafka-storage.sh --add-scram`.
    """
    controller = free_port()
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        **settings,
    }
    configuration = write_configuration(folder, lines)
    scram = [argument for user in users for argument in ("--add-scram", user)]
    kafka.run(*storage_format(configuration), *scram)
    return configuration


def write_configuration(folder: Path, settings: Mapping[str, str]) -> Path:
    """Write `folder/server.properties`."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "server.properties"
    configuration.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
    return configuration


def storage_format(configuration: Path) -> tuple[str, ...]:
    """The main class that formats the data directory of this configuration, and its arguments."""
    return "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(configuration)


def launch(
    folder: Path, configuration: Path, port: int, heap: tuple[str, ...] = SMALL_HEAP, nice: int = 15, log_name: str = "kafka.log"
) -> StartedBroker:
    """Start the broker on a formatted directory, without waiting until it serves requests."""
    log = folder / log_name
    command = ["java", *heap, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{kafka.jars()}/*", "kafka.Kafka", str(configuration)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, preexec_fn=lambda: os.nice(nice) and None)
    # A JVM that SIGTERM ended returns 128 + 15, after its shutdown hooks have closed the logs.
    return StartedBroker("kafka", process, f"127.0.0.1:{port}", folder / "data", log, clean_exits=(0, 143))


def start(folder: Path, settings: Mapping[str, str]) -> StartedBroker:
    """A running broker with small heaps."""
    port = free_port()
    started = launch(folder, format_storage(folder, settings, port), port)
    await_line(started, r"Kafka Server started")
    return started
