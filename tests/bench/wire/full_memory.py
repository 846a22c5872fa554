"""Fills the page cache, as on a machine that has run for days: each new page replaces an old one.

On a virtual machine that returns free memory to its host, the first write to a free page costs up to twenty times more
than later ones. Without this, the figures depend on which broker gets the pages that the other has just freed;
`core/docs/decisions/` has the measurement.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

MIB = 1 << 20
#: The memory that stays free: well above the level at which the system begins to reclaim pages.
FREE_MAX = 200 * MIB
#: The bytes read between two checks whether free memory shrinks.
STEP = 256 * MIB
#: A machine with more free memory than this is not filled, because it would take minutes.
FILLED_MAX = 64 << 30


class FullMemory:
    """A sparse file that is read until little memory is free. Its pages are clean cache, which the system reclaims
    first.
    """

    def __init__(self, folder: Path) -> None:
        """Create the file in `folder`, without blocks."""
        self._file = os.open(folder / "sparse", os.O_RDWR | os.O_CREAT)
        os.ftruncate(self._file, 2 * FILLED_MAX)
        self._position = 0
        self._buffer = bytearray(MIB)
        self._is_wanted = _free_bytes() <= FILLED_MAX

    def fill(self) -> None:
        """Read until memory is full, or until the cache of this control group is; then touch the free memory."""
        left = _free_bytes()
        while self._is_wanted and left > FREE_MAX:
            before, left = left, self._read_step()
            if before - left < STEP // 2:
                break
        # Zeroed and freed at once: the next process that allocates pages gets these.
        bytearray(b"\1") * FREE_MAX

    def _read_step(self) -> int:
        """Read the next part; return the free memory afterwards."""
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
    """The memory without any use, also not as cache (`MemFree`)."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemFree:"))
