"""Resident memory: after all loads, and the increase by a thousand idle connections."""

from __future__ import annotations

import socket
import struct
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.bench.figure import Better, Figure, Kind, Limit
from tests.bench.wire.contestant import resident_mib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.foreign.process import StartedBroker

CONNECTIONS = 1_000
AFTER = Kind("resident memory after the run", "MiB", Better.LESS, 10)
#: ApiVersions, version 0, correlation id 7, no client id; its length comes first.
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


def rows(kafka: StartedBroker | None, ours: StartedBroker | None) -> Iterator[Figure | Limit]:
    """Measure both after the other measurements."""
    resident = [resident_mib(started) if started else None for started in (kafka, ours)]
    yield Figure(AFTER, *resident)
    added = [_connect(started) if started else None for started in (kafka, ours)]
    yield Limit(f"{CONNECTIONS:,} idle connections", "MiB", 100, *added)


def _connect(started: StartedBroker) -> float:
    """The memory that the connections add to the broker, each after one request and its response."""
    host, port = started.address.split(":")
    before = resident_mib(started)
    with ExitStack() as opened:
        for _ in range(CONNECTIONS):
            connection = opened.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(API_VERSIONS)
            answer = connection.recv(8, socket.MSG_WAITALL)
            assert struct.unpack(">ii", answer)[1] == 7
        return resident_mib(started) - before
