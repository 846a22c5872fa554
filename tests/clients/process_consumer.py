"""A consumer that is a process: its lines are read by a thread, and commands go to its standard input."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, BinaryIO

from tests.clients.consumer import Consumer

if TYPE_CHECKING:
    from pathlib import Path


class ProcessConsumer(Consumer):
    """Runs until it is told to stop. What it says on standard error is kept, and shown if it fails."""

    def __init__(self, command: list[str], folder: Path) -> None:
        super().__init__()
        self._errors = folder / f"consumer-{id(self)}.log"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        assert self.process.stdout
        self._closing = False
        self._thread = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._thread.start()

    def parse(self, output: BinaryIO) -> None:
        """Report what the process prints, until it prints no more."""
        raise NotImplementedError

    def ask_to_stop(self) -> None:
        """Tell the process to end."""
        raise NotImplementedError

    def said(self) -> str:
        """What it has said on standard error."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Stop the process, and see to it that it ended as it was told to."""
        if self._closing:
            return
        self._closing = True
        if self.process.poll() is None:
            self.ask_to_stop()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self._thread.join(60)
        _ = self.records

    def _read(self, output: BinaryIO) -> None:
        try:
            self.parse(output)
            if not self._closing:
                problem = f"the consumer ended by itself:\n{self.said()}"
                raise RuntimeError(problem)
        except BaseException as failure:
            self.failed(failure)
