"""How many findings of each rule a crate may have. A baseline only falls."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.tidy.rules import Finding, Rule
    from tests.tidy.sources import Source

DIRECTORY = Path(__file__).parent / "baseline"
LOWER = "python -m tests.tidy --lower"


def read(rule: Rule) -> Counter[str]:
    """The allowed findings of each crate."""
    path = DIRECTORY / f"{rule.name}.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter({crate: int(count) for crate, count in map(str.split, lines)})


def write(rule: Rule, counts: Counter[str]) -> None:
    """Replaces the baseline of a rule."""
    DIRECTORY.mkdir(exist_ok=True)
    lines = [f"{crate} {count}\n" for crate, count in sorted(counts.items()) if count]
    (DIRECTORY / f"{rule.name}.txt").write_text("".join(lines))


def problems(rule: Rule, found: list[tuple[Source, Finding]], allowed: Counter[str]) -> list[str]:
    """What to mend, or what to lower."""
    counts = Counter(source.crate for source, _ in found)
    problems = []
    for crate in sorted(counts.keys() | allowed.keys()):
        if counts[crate] > allowed[crate]:
            places = [f"  {finding.path}:{finding.line}: {finding.text}" for source, finding in found if source.crate == crate]
            heading = f"{crate} has {counts[crate]} findings of `{rule.name}`, {allowed[crate]} are allowed. {rule.instead}"
            problems.append("\n".join([heading, *places]))
        elif counts[crate] < allowed[crate]:
            heading = f"{crate} has {counts[crate]} findings of `{rule.name}`, its baseline is {allowed[crate]}."
            problems.append(f"{heading} Keep the gain: {LOWER}")
    return problems


def lowered(allowed: Counter[str], found: list[tuple[Source, Finding]]) -> Counter[str]:
    """The baseline with the gains: no count is higher than before."""
    counts = Counter(source.crate for source, _ in found)
    return Counter({crate: min(count, counts[crate]) for crate, count in allowed.items()})
