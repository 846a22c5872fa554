"""Memory as a broker finds it that has run for days: full of what was read once, so that each new page takes the place of an old one.

On a virtual machine that gives free memory back to its host, the first touch of a free page costs up to twenty times what writing it costs.
Without this the figures say which broker got the pages that the other had just freed; `core/docs/decisions/` has the measurement.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

MIB = 1 << 20
#: What is left free: well above where the system begins to look for pages.
FREE_MAX = 200 * MIB
#: How much is read before it is seen whether there is less free memory than before.
STEP = 256 * MIB
#: A machine with more free memory than this is not filled: it would take minutes.
FILLED_MAX = 64 << 30


class FullMemory:
    """A sparse file that is read until little memory is free. What it occupies is clean cache, which the system takes back first."""

    def __init__(self, folder: Path) -> None:
        """Make the file in `folder`; it has no blocks."""
        self._file = os.open(folder / "sparse", os.O_RDWR | os.O_CREAT)
        os.ftruncate(self._file, 2 * FILLED_MAX)
        self._position = 0
        self._buffer = bytearray(MIB)
        self._is_wanted = _free_bytes() <= FILLED_MAX

    def fill(self) -> None:
        """Read on until memory is full, or what the system lets the cache of this process's group have; touch what is left."""
        left = _free_bytes()
        while self._is_wanted and left > FREE_MAX:
            before, left = left, self._read_step()
            if before - left < STEP // 2:
                break
        # Zeroed and given back at once: the next that asks for pages gets these.
        bytearray(b"\1") * FREE_MAX

    def _read_step(self) -> int:
        """Read what comes next; return what is free afterwards."""
        for _ in range(STEP // MIB):
            os.preadv(self._file, [self._buffer], self._position)
            self._position = (self._position + MIB) % (2 * FILLED_MAX)
        return _free_bytes()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        os.close(self._file)


def _free_bytes() -> int:
    """What nobody uses, not even as a cache (`MemFree`)."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemFree:"))
