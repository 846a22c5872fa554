"""The broker of these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security import kafka as secure

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[secure.SecureKafka]:
    """One broker for all tests."""
    kafka = secure.start(tmp_path_factory.mktemp("kafka"))
    yield kafka
    kafka.started.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows the end of the broker's log."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    kafka = getattr(item, "funcargs", {}).get("kafka")
    if report.failed and kafka is not None:
        report.sections.append((f"log of {kafka.started.name} ({kafka.started.log})", kafka.started.last_words(30)))
