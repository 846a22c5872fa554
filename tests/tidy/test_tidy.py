"""No crate breaks a tidy rule more often than its baseline allows."""

from __future__ import annotations

import pytest

from tests.tidy import baseline
from tests.tidy.rules import RULES, Rule
from tests.tidy.sources import Source, sources


@pytest.fixture(scope="module")
def files() -> list[Source]:
    return sources()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_crate_has_more_findings_than_its_baseline(rule: Rule, files: list[Source]) -> None:
    problems = baseline.problems(rule, rule.findings(files), baseline.read(rule))
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def test_every_tree_has_files_to_read(files: list[Source]) -> None:
    crates = {source.crate for source in files}
    assert {"core/broker", "core/docs", "bindings-python", "tests/behaviour"} <= crates


def test_every_baseline_belongs_to_a_rule() -> None:
    names = {path.stem for path in baseline.DIRECTORY.glob("*.txt")}
    assert names == {rule.name for rule in RULES}
