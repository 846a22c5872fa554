"""A pseudo-terminal for programs that behave differently on one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

#: Colours and movements of the cursor.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78])")


class Terminal:
    """A process whose input, output and errors are a terminal."""

    def __init__(self, arguments: list[str], columns: int = 80, environment: dict[str, str] | None = None) -> None:
        self.screen, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        variables = {"TERM": "xterm-256color", **(os.environ if environment is None else {}), **(environment or {})}
        self.process = subprocess.Popen(arguments, stdin=other, stdout=other, stderr=other, env=variables, start_new_session=True)
        os.close(other)
        self.output = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)

    @property
    def text(self) -> str:
        """The output without colours."""
        return ESCAPES.sub("", self.output).replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def _read(self, seconds: float) -> bool:
        """Read once. Returns whether there may be more."""
        if not select.select([self.screen], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.screen, 65_536)
        except OSError:
            return False
        self.output += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Wait until the output has the text."""
        end = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} is not in {self.text!r}"
            assert self._read(0.1), f"{text!r} is not in {self.text!r}"

    def end(self, seconds: float = 60) -> int:
        """Wait for the end of the process and of its output."""
        end = time.monotonic() + seconds
        while self._read(0.1) and time.monotonic() < end:
            if self.process.poll() is not None and not select.select([self.screen], [], [], 0)[0]:
                break
        return self.process.wait(max(1, end - time.monotonic()))
