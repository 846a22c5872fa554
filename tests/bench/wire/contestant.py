"""The two brokers with the settings of their users: Kafka with its script's heap, both with default durability."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.clients import target
from tests.foreign.kafka import broker as kafka_broker
from tests.foreign.kafka.broker import free_port
from tests.foreign.process import StartedBroker

if TYPE_CHECKING:
    from collections.abc import Callable

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
#: The index of a process's user and system time in /proc/PID/stat, after the name.
USER_TIME, SYSTEM_TIME = 11, 12


@dataclass(frozen=True)
class Contestant:
    """A broker by its name. `prepare` creates its directory; `launch` starts it without waiting until it serves
    requests.
    """

    name: str
    prepare: Callable[[Path, int], object]
    launch: Callable[[Path, int], StartedBroker]

    def start(self, folder: Path) -> StartedBroker:
        """Start the broker on a new directory, and wait until it listens."""
        port = free_port()
        self.prepare(folder, port)
        started = self.launch(folder, port)
        await_listener(started)
        return started


def await_listener(started: StartedBroker, seconds: float = 60) -> None:
    """Wait until the broker accepts connections."""
    host, port = started.address.split(":")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert started.process.poll() is None, started.last_words()
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            time.sleep(0.001)
        else:
            return
    started.process.kill()
    raise TimeoutError(started.last_words())


def cpu_seconds(started: StartedBroker) -> float:
    """The user and system CPU time of the broker's process."""
    fields = Path(f"/proc/{started.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[USER_TIME]) + int(fields[SYSTEM_TIME])) / TICKS_PER_SECOND


def resident_mib(started: StartedBroker) -> float:
    """The resident memory of the broker's process."""
    pages = int(Path(f"/proc/{started.process.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _prepare_kafka(folder: Path, port: int) -> Path:
    return kafka_broker.format_storage(folder, {}, port)


def _launch_kafka(folder: Path, port: int) -> StartedBroker:
    return kafka_broker.launch(folder, folder / "server.properties", port, kafka_broker.DEFAULT_HEAP, nice=0)


def _prepare_headwater(folder: Path, port: int) -> None:
    assert port
    folder.mkdir(parents=True, exist_ok=True)


def _launch_headwater(folder: Path, port: int) -> StartedBroker:
    return replace(target.spawn_headwater(folder, {}, f"127.0.0.1:{port}"), address=f"127.0.0.1:{port}")


KAFKA = Contestant("kafka", _prepare_kafka, _launch_kafka)
HEADWATER = Contestant("headwater", _prepare_headwater, _launch_headwater)
