"""The program `headwater`, run as a process."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HEADWATER = Path(sys.executable).with_name("headwater")


@dataclass(frozen=True)
class Ended:
    """What a command did: its exit code and what it wrote."""

    code: int
    output: bytes
    problems: str

    @property
    def lines(self) -> list[str]:
        """The lines of the output."""
        return self.output.decode().splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the lines, as other programs get them."""
        return [line.split("\t") for line in self.lines]

    @property
    def objects(self) -> list[Any]:
        """The lines of the output, which are JSON."""
        return [json.loads(line) for line in self.lines]


def command(*arguments: object) -> list[str]:
    assert HEADWATER.exists(), f"{HEADWATER} is missing: build and install the package (make .venv/package)"
    return [str(HEADWATER), *map(str, arguments)]


def files(most: int | None) -> Callable[[], None] | None:
    """What limits a process to so many open files and sockets before it starts."""
    return None if most is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(*arguments: object, given: bytes = b"", files_max: int | None = None) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(command(*arguments), input=given, capture_output=True, timeout=120, check=False, preexec_fn=files(files_max))
    return Ended(done.returncode, done.stdout, done.stderr.decode())


def succeed(*arguments: object, given: bytes = b"") -> Ended:
    """Run a command that must do what it is asked for, and have nothing to complain about."""
    ended = run(*arguments, given=given)
    assert (ended.code, ended.problems) == (0, ""), f"{arguments} ended with {ended.code}: {ended.problems}"
    return ended
