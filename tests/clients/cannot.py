"""The list of clients' missing features, ``cannot.toml``. It may only shrink: a test in it that passes is an error."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import tomllib

LIST = Path(__file__).with_name("cannot.toml")
Test = tuple[str, str]
#: The tests that pytest found, by file name and test name.
COLLECTED = pytest.StashKey[set[Test]]()


@functools.cache
def load() -> dict[Test, str]:
    """The reason why each test of the list cannot pass."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found: dict[Test, str] = {}
    for file, reasons in entries.items():
        for reason, tests in reasons.items():
            for test in tests:
                assert (file, test) not in found, f"{test} is twice in {LIST.name}"
                found[file, test] = reason
    return found
