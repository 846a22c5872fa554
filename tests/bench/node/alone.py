"""Figures of the Node package alone: against the core in Rust, the delay of its event loop, and its memory."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import rust_program
from tests.bench.figure import Better, Figure, Kind, Limit
from tests.bench.node.brokers import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.node.turns import Topics

MIB = 1 << 20
#: Records of the topic that is read again and again.
WIDE_BYTES = 1_000


def _node(program: str, *arguments: object) -> str:
    command = ["node", str(HERE / program), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def embedded(records: int, rounds: int) -> Figure:
    """Batches of a directory, against the core's: both read what the core wrote."""
    program = rust_program.build("headwater-python", "core_frames")
    kind = Kind("batches of a directory, as Arrow IPC / the core in Rust", "M/s", Better.MORE, 0.5)
    core, ours = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            said = subprocess.run([program, folder, str(records)], check=True, stdout=subprocess.PIPE, text=True).stdout
            core.append(float(dict(line.split() for line in said.splitlines())["batches"]) / 1e6)
            ours.append(float(_node("embedded.mjs", folder, records)) / 1e6)
    return Figure(kind, kind.best(core), kind.best(ours))


def delay(seconds: float) -> Iterator[Limit]:
    """The event loop, while an engine that syncs each append produces and consumes."""
    for way in ("messages", "batches"):
        with tempfile.TemporaryDirectory() as folder:
            measured = json.loads(_node("delay.mjs", Path(folder) / "data", way, seconds))
        assert measured["written"] > 0
        assert measured["read"] > 0
        yield Limit(f"event-loop delay by {way}, flush.messages=1: p99", "ms", 10, None, measured["p99"])


def memory(address: str, topics: Topics, topic_bytes: int, total_bytes: int) -> Iterator[Limit]:
    """The memory of a consumer that reads a topic until so many bytes have come."""
    topic = topics.filled(topic_bytes // WIDE_BYTES, WIDE_BYTES)
    for way in ("batches", "messages"):
        grown = float(_node("memory.mjs", address, way, topic, total_bytes)) / MIB
        yield Limit(f"memory while consuming {total_bytes / (1 << 30):g} GiB by {way}: growth", "MiB", 64, None, grown)
