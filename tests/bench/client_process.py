"""A client in a process of its own, so that its processor time is known."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A run: seconds on the clock, processor seconds of the client's process, and percentiles of awaited records."""

    records: int
    seconds: float
    cpu_seconds: float
    percentiles: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Millions of records a second."""
        return self.records / self.seconds / 1e6

    @property
    def cpu(self) -> float:
        """Processor seconds for a million records."""
        return self.cpu_seconds / self.records * 1e6


class ClientProcess:
    """The process. It reads a line, does its work and answers with a line, until its input ends."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it."""
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, topic: str) -> Run:
        """Run the load once, on a topic."""
        return Run(**json.loads(self.ask(topic)))

    def ask(self, line: str) -> str:
        """Write a line, and wait for the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the client ended with {self._process.wait()}"
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
