"""The broker under test: Headwater, or Apache Kafka as the reference, both with the same settings."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.foreign.kafka import broker as kafka_broker
from tests.foreign.process import StartedBroker, await_line

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Differences from the defaults: records of any time are kept, the cleaner starts soon, groups start at once, and a
#: server-side rebalance takes one second instead of five.
SETTINGS = {
    "num.partitions": "3",
    "log.retention.ms": "-1",
    "offsets.topic.num.partitions": "4",
    "log.cleaner.backoff.ms": "100",
    "group.initial.rebalance.delay.ms": "0",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
}


def headwater_command(data: Path, settings: Mapping[str, str], listen: str) -> list[str]:
    """The command that serves a directory."""
    headwater = Path(sys.executable).with_name("headwater")
    assert headwater.exists(), f"{headwater} is missing: build and install the package (make .venv/package)"
    configuration = [part for key, value in settings.items() for part in ("--config", f"{key}={value}")]
    return [str(headwater), "serve", "--data", str(data), "--listen", listen, *configuration]


def spawn_headwater(folder: Path, settings: Mapping[str, str], listen: str) -> StartedBroker:
    """Start Headwater on `folder/data`, without waiting for the address that it prints."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "headwater.log"
    with log.open("wb") as output:
        process = subprocess.Popen(headwater_command(folder / "data", settings, listen), stdout=output, stderr=subprocess.STDOUT)
    return StartedBroker("headwater", process, "", folder / "data", log)


def start_headwater(folder: Path, settings: Mapping[str, str]) -> StartedBroker:
    """Start Headwater on a port that the system chooses, and wait for the line with its address."""
    started = spawn_headwater(folder, settings, "127.0.0.1:0")
    ready = await_line(started, r"ready on (127\.0\.0\.1:\d+)")
    return dataclasses.replace(started, address=ready[1])


def start(name: str, folder: Path, settings: Mapping[str, str] = SETTINGS) -> StartedBroker:
    """Start the target of that name with a new data directory in the folder, and return it when it serves requests."""
    return start_headwater(folder, settings) if name == "headwater" else kafka_broker.start(folder, settings)
