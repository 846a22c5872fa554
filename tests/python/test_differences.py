"""The tests in tests/differences.toml exist, and each difference has a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import differences
from tests.python import target

pytestmark = pytest.mark.embedded("is about a text")
TESTS = Path(__file__).parents[1]


def defined(difference: differences.Difference) -> bool:
    """Whether there is such a test."""
    if difference.is_of_node:
        file, _, title = difference.test.partition("::")
        path, title = TESTS / "node" / file, re.sub(r" \((classic|consumer)\)$", "", title)
        return path.exists() and f"'{title}'" in path.read_text()
    *modules, name = difference.test.partition("[")[0].split("::")
    if difference.is_of_python:
        path, definition = TESTS / "python" / f"{modules[0]}.py", rf"^def {name}\("
    else:
        path, definition = TESTS.joinpath("behaviour", *modules).with_suffix(".rs"), rf"^#\[behaviour\]\n(?:#.*\n)*fn {name}\("
    return path.exists() and re.search(definition, path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize("difference", differences.load(), ids=lambda difference: f"{difference.test} on {difference.target}")
def test_a_difference_names_its_test_and_its_reason(difference: differences.Difference) -> None:
    assert defined(difference), "the test does not exist"
    assert difference.target in set(target.NAMES) - {target.EMBEDDED}
    assert difference.shows
    assert difference.reason.endswith(".")
    assert re.match(r"https://(kafka\.apache\.org|cwiki\.apache\.org|issues\.apache\.org|github\.com/apache/kafka)/", difference.link)


def test_no_difference_is_listed_twice() -> None:
    listed = [(difference.test, difference.target) for difference in differences.load()]
    assert len(listed) == len(set(listed))
