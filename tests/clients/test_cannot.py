"""The tests in the list of missing features exist."""

from __future__ import annotations

import pytest

from tests.clients import cannot


def test_every_entry_of_the_list_is_a_test(request: pytest.FixtureRequest) -> None:
    collected = request.config.stash[cannot.COLLECTED]
    files = {file for file, _ in collected}
    listed = {(file, test) for file, test in cannot.load() if file in files}
    assert listed <= collected, f"{cannot.LIST.name} has entries that are not tests: {sorted(listed - collected)}"


def test_every_entry_of_the_list_has_a_file() -> None:
    files = {path.stem for path in cannot.LIST.parent.glob("test_*.py")}
    assert {file for file, _ in cannot.load()} <= files
