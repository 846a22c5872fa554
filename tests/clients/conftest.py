"""The broker under test, and the list of clients' missing features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients import cannot
from tests.clients import target as targets
from tests.clients.client import Cannot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.foreign.process import StartedBroker


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedBroker]:
    """The broker that all tests share. It must stop cleanly on request."""
    started = targets.start(request.config.getoption("--broker"), tmp_path_factory.mktemp("target"))
    yield started
    started.stop()


@pytest.fixture
def broker(target: StartedBroker) -> str:
    """The broker's address, HOST:PORT."""
    return target.address


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows the end of the broker's log."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    started = getattr(item, "funcargs", {}).get("target")
    if report.failed and started is not None:
        report.sections.append((f"log of {started.name} ({started.log})", started.last_words(30)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test in the list must fail, because the client lacks the feature: a test that passes is an error."""
    known = cannot.load()
    config.stash[cannot.COLLECTED] = {(item.path.stem, item.name) for item in items}
    for item in items:
        reason = known.get((item.path.stem, item.name))
        if reason:
            item.add_marker(pytest.mark.xfail(strict=True, raises=Cannot, reason=reason))
