"""A consumer in a process: threads read its output, and a signal stops it."""

from __future__ import annotations

import signal
import subprocess
import threading
from typing import TYPE_CHECKING, BinaryIO

from tests.clients.consumer import Consumer, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ProcessConsumer(Consumer):
    """Runs until it is closed. If the process ends earlier, the error contains its standard error."""

    def __init__(self, command: list[str]) -> None:
        super().__init__()
        self._closing = False
        self._errors: list[str] = []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout
        assert self.process.stderr
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.parse), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.parse_error), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def parse(self, line: bytes) -> None:
        """Handle a line of the output, without its newline."""
        raise NotImplementedError

    def parse_error(self, line: bytes) -> None:
        """Handle a line of the standard error."""
        self._errors.append(line.decode(errors="replace"))

    def said(self) -> str:
        """Its standard error so far."""
        return "\n".join(self._errors)

    def ask_to_stop(self) -> None:
        """Stop the process."""
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Stop the process, and check that it ends."""
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
            for thread in self._threads:
                thread.join(60)
        _ = self.records

    def _read(self, output: BinaryIO, parse: Callable[[bytes], None]) -> None:
        try:
            for line in output:
                parse(line.rstrip(b"\n"))
            if not self._closing:
                problem = f"the consumer ended by itself: {self.said()}"
                raise RuntimeError(problem)
        except BaseException as failure:  # noqa: BLE001 - the reader of the records gets it
            self.failed(failure)


class CommittingConsumer(ProcessConsumer):
    """A process that commits automatically at short intervals: a commit waits for the next automatic one."""

    def __init__(self, command: list[str], committed: Callable[[], Mapping[int, int]]) -> None:
        self._committed = committed
        super().__init__(command)

    def commit(self) -> None:
        """Wait until the offsets after all records so far are committed."""
        expected: dict[int, int] = {}
        for record in self.records:
            expected[record.partition] = max(expected.get(record.partition, 0), record.offset + 1)

        def is_done() -> bool:
            committed = self._committed()
            return all(committed.get(partition, 0) >= offset for partition, offset in expected.items())

        eventually(is_done, lambda: f"commits of {expected}; there are {self._committed()}")
