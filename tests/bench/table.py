"""A row of the table: a measurement, its reference, and the floor."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = f"{'what':<58} {'ours':>14} {'against':>14}  {'ratio':>6}  {'floor':>6}"


@dataclass(frozen=True)
class Row:
    """A figure: ours, the reference, and the minimum or maximum of their ratio."""

    what: str
    ours: float
    against: float
    floor: float
    unit: str = "records/s"
    most: bool = False

    @property
    def ratio(self) -> float:
        """Ours divided by the reference."""
        return self.ours / self.against

    @property
    def reached(self) -> bool:
        """Whether the ratio is within its floor or ceiling."""
        return self.ratio <= self.floor if self.most else self.ratio >= self.floor

    def __str__(self) -> str:
        """Format the row of the table."""
        floor = f"{'<=' if self.most else '>='}{self.floor:g}"
        verdict = "" if self.reached else "  missed"
        return f"{self.what:<58} {self._figure(self.ours)} {self._figure(self.against)}  {self.ratio:>6.2f}  {floor:>6}{verdict}"

    def _figure(self, value: float) -> str:
        if self.unit == "records/s":
            return f"{value / 1e6:>9.2f} M/s  "
        return f"{value:>10.1f} {self.unit}"


def print_rows(rows: list[Row]) -> bool:
    """Print a table and return whether all floors are reached."""
    print(HEADER)
    for row in rows:
        print(row, flush=True)
    return all(row.reached for row in rows)


def rate(records: int, work: Callable[[], object]) -> float:
    """Records per second of one run of `work`, without garbage collection."""
    gc.collect()
    gc.disable()
    try:
        started = time.perf_counter()
        work()
        return records / (time.perf_counter() - started)
    finally:
        gc.enable()


def in_turns(rounds: int, *contestants: Callable[[], float]) -> list[float]:
    """Run the contestants in turns and return the best result of each."""
    best = [0.0] * len(contestants)
    for _ in range(rounds):
        for index, contestant in enumerate(contestants):
            best[index] = max(best[index], contestant())
    return best
