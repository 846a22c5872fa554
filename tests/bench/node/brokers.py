"""The brokers: Apache Kafka, and ours, served by the Node package. Both start new groups at once."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from tests.bench.wire import contestant
from tests.bench.wire.contestant import Contestant
from tests.foreign.kafka import broker as kafka_broker
from tests.foreign.process import StartedBroker

HERE = Path(__file__).parent


def _prepare_kafka(folder: Path, port: int) -> Path:
    return kafka_broker.format_storage(folder, {"group.initial.rebalance.delay.ms": "0"}, port)


def _prepare_headwater(folder: Path, port: int) -> None:
    assert port
    folder.mkdir(parents=True)


def _launch_headwater(folder: Path, port: int) -> StartedBroker:
    log = folder / "headwater.log"
    with log.open("wb") as output:
        process = subprocess.Popen(["node", HERE / "serve.mjs", folder / "data", str(port)], stdout=output, stderr=subprocess.STDOUT)
    return StartedBroker("headwater", process, f"127.0.0.1:{port}", folder / "data", log)


KAFKA = dataclasses.replace(contestant.KAFKA, prepare=_prepare_kafka)
HEADWATER = Contestant("headwater", _prepare_headwater, _launch_headwater)
