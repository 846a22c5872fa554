"""A broker in a process: its address, its output, and its end."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@dataclass(frozen=True)
class StartedBroker:
    """A running broker. `data` has a directory for each partition; `log` has the output of the process."""

    name: str
    process: subprocess.Popen[bytes]
    address: str
    data: Path
    log: Path
    clean_exits: tuple[int, ...] = (0,)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, seconds: float = 60) -> None:
        """End the process by its own id, and wait; an end that is not clean is an error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        assert code in self.clean_exits, f"{self.name} ended with {code}; the end of its log:\n{self.last_words()}"

    def last_words(self, lines: int = 60) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def await_line(started: StartedBroker, pattern: str, seconds: float = 180) -> re.Match[str]:
    """Wait until the process has printed a complete line that matches. If it ends or prints none in time, it is
    stopped.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = started.log.read_text(encoding="utf-8", errors="replace")
        found = re.search(pattern, said[: said.rfind("\n") + 1])
        if found:
            return found
        if started.process.poll() is not None:
            break
        time.sleep(0.02)
    started.process.kill()
    code = started.process.wait()
    problem = f"{started.name} never said {pattern!r} (it ended with {code}); the end of its log:\n{started.last_words()}"
    raise RuntimeError(problem)
