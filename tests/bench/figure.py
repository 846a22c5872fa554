"""A row of a table: Headwater's figure, another program's figure, their ratio (more is better for us), its floor."""

from __future__ import annotations

import enum
from dataclasses import dataclass


def header(theirs: str) -> str:
    """The header of a table that compares with `theirs`."""
    return f"{'what':<66} {'unit':>10} {theirs:>10} {'ours':>10} {'ratio':>7} {'floor':>7}"


class Better(enum.Enum):
    """Which of two figures is better."""

    LESS = enum.auto()
    MORE = enum.auto()


@dataclass(frozen=True)
class Kind:
    """A measured quantity; the best of several runs is used. A figure without a floor only shows the ratio."""

    what: str
    unit: str
    better: Better
    floor: float | None = None

    def best(self, runs: list[float]) -> float:
        """The best of several runs."""
        return min(runs) if self.better is Better.LESS else max(runs)


@dataclass(frozen=True)
class Figure:
    """The measurements of both sides; a side that did not run has none."""

    kind: Kind
    theirs: float | None
    ours: float | None

    @property
    def ratio(self) -> float | None:
        """The factor by which ours is better."""
        if self.theirs is None or self.ours is None:
            return None
        return self.theirs / self.ours if self.kind.better is Better.LESS else self.ours / self.theirs

    @property
    def missed(self) -> bool:
        """Whether the ratio is known and below its floor."""
        return self.ratio is not None and self.kind.floor is not None and self.ratio < self.kind.floor

    def __str__(self) -> str:
        """The row."""
        sides = " ".join(f"{'-' if side is None else f'{side:.3f}':>10}" for side in (self.theirs, self.ours))
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        floor = "-" if self.kind.floor is None else f"{self.kind.floor:g}"
        verdict = "  missed" if self.missed else ""
        return f"{self.kind.what:<66} {self.kind.unit:>10} {sides} {ratio:>7} {floor:>7}{verdict}"


@dataclass(frozen=True)
class Limit:
    """A limit for our figure, independent of theirs."""

    what: str
    unit: str
    most: float
    theirs: float | None
    ours: float | None

    @property
    def missed(self) -> bool:
        """Whether our figure is known and above the limit."""
        return self.ours is not None and self.ours > self.most

    def __str__(self) -> str:
        """The row."""
        sides = " ".join(f"{'-' if side is None else f'{side:.3f}':>10}" for side in (self.theirs, self.ours))
        verdict = "  missed" if self.missed else ""
        return f"{self.what:<66} {self.unit:>10} {sides} {'-':>7} {f'<={self.most:g}':>7}{verdict}"
