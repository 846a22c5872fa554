"""The known differences between targets, `differences.toml`: tests that must fail on a target, with the reason."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import tomllib

LIST = Path(__file__).with_name("differences.toml")


@dataclass(frozen=True)
class Difference:
    """A test that must fail on a target."""

    test: str
    target: str
    #: A part of the expected failure message, to distinguish other failures.
    shows: str
    reason: str
    link: str

    @property
    def is_of_python(self) -> bool:
        """Whether it is a test of the Python package."""
        return self.test.startswith("test_")

    @property
    def is_of_node(self) -> bool:
        """Whether the test is one of the Node package."""
        return ".test.mjs::" in self.test


@functools.cache
def load() -> list[Difference]:
    """All of them, those of Rust and Node too."""
    return [Difference(**entry) for entry in tomllib.loads(LIST.read_text(encoding="utf-8")).get("difference", [])]


def of_test(tests: tuple[str, ...], target: str) -> Difference | None:
    """The difference of a Python test with one of these names, `test_topic::test_…`, on that target."""
    return next((difference for difference in load() if difference.test in tests and difference.target == target), None)
