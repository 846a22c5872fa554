"""A running `headwater serve` process."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.cli.command import command, files
from tests.foreign.process import StartedBroker, await_line

if TYPE_CHECKING:
    import signal
    from pathlib import Path


@dataclass(frozen=True)
class RunningServer:
    """A running server with its printed addresses and its output."""

    process: subprocess.Popen[bytes]
    addresses: list[str]
    log: Path

    @classmethod
    def start(cls, log: Path, *arguments: object, files_max: int | None = None) -> Self:
        with log.open("wb") as output:
            process = subprocess.Popen(command("serve", *arguments), stdout=output, stderr=subprocess.STDOUT, preexec_fn=files(files_max))
        ready = await_line(StartedBroker("headwater", process, "", log.parent, log), r"ready on (\S+:\d+(?:, \S+:\d+)*)")
        return cls(process, ready[1].split(", "), log)

    @property
    def address(self) -> str:
        """The first address."""
        return self.addresses[0]

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(60)
