"""The tests and mutants in core/docs/reliability.md exist, and each mutant is listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.embedded("is about a text")

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "core/docs/reliability.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| promise |")
]


def named_tests() -> list[tuple[str, str]]:
    """Return the file and the name of each test; an empty name means all tests of the file."""
    found = []
    for _promise, tests, *_rest in ROWS:
        file = ""
        for text in re.findall(r"`([^`]+)`", tests):
            if "/" in text and text.endswith((".rs", ".py")):
                file = text
                found.append((file, ""))
            elif re.fullmatch(r"[a-z_0-9]+…?", text):
                found.append((file, text))
    return found


def defined(file: str) -> list[str]:
    return re.findall(r"^\s*(?:async )?(?:fn|def) (\w+)", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), sorted(set(named_tests())))
def test_every_listed_test_exists(file: str, name: str) -> None:
    names = defined(file)
    assert names, f"{file} has no tests"
    if name.endswith("…"):
        assert any(other.startswith(name.removesuffix("…")) for other in names)
    elif name:
        assert name in names


def test_the_listed_mutants_are_those_that_run() -> None:
    script = (ROOT / "tests/crash/mutants.sh").read_text()
    tried = {line.split()[1] for line in script.split("<<'MUTANTS'\n")[1].split("\nMUTANTS")[0].splitlines()}
    named = {name for row in ROWS for name in re.findall(r"`([a-z-]+)`", row[2])}
    assert named == tried


def test_enough_tests_are_found() -> None:
    assert len(named_tests()) > 100
