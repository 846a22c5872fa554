"""Fixtures shared by the tests of the Python package."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from tests import differences
from tests.python import names
from tests.python import target as targets
from tests.python.names import name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded(reason): has no other target than an engine in this process, or none at all")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that run on the target. A test without a client from a fixture must have a reason."""
    elsewhere = []
    # Pytest passes the tests of other folders too.
    for item in [item for item in items if item.path.is_relative_to(HERE)]:
        mark = item.get_closest_marker("embedded")
        if "target" in getattr(item, "fixturenames", ()):
            assert mark is None or mark.args, f"{item.nodeid} gives no reason"
        else:
            assert mark is not None, f"{item.nodeid} takes no client from a fixture: take one, or mark it embedded with a reason"
        if mark is not None and config.getoption("--target") != targets.EMBEDDED:
            elsewhere.append(item)
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Expect the failure of a test that is listed for the target, with the listed message."""
    file, kind = pyfuncitem.path.stem, pyfuncitem.config.getoption("--target")
    tests = (f"{file}::{pyfuncitem.originalname}", f"{file}::{pyfuncitem.name}")
    difference = differences.of_test(tests, kind)
    if difference is None:
        return (yield)
    try:
        yield
    except (Exception, pytest.fail.Exception) as failure:
        if difference.shows not in str(failure):
            raise
        pytest.xfail(difference.reason)
    pytest.fail(f"{difference.test} passes on {difference.target}: remove it from {differences.LIST.name}")


@pytest.fixture(autouse=True)
def _own_names() -> None:
    """Each test has its own names."""
    names.begin_test()


@pytest.fixture(name="target", scope="session")
def _target(request: pytest.FixtureRequest) -> targets.Target:
    """The target of the tests."""
    return targets.of_name(request.config.getoption("--target"))


@pytest.fixture
def make_client(target: targets.Target) -> Iterator[Callable[..., hw.Client]]:
    """Creates clients of a broker with this configuration, and closes them at the end."""
    with contextlib.ExitStack() as clients:

        def make(**config: Any) -> hw.Client:
            return clients.enter_context(target.client(**config))

        yield make


@pytest.fixture
def client(make_client: Callable[..., hw.Client]) -> hw.Client:
    """A client of a broker without topics of this test."""
    return make_client()


@pytest.fixture
def flights(client: hw.Client) -> hw.Topic:
    """A topic of one partition with ten records. Record `n` has key `k{n % 3}`, value `v{n}`, timestamp `1000 * n`."""
    topic = client.create_topic(name("flights"))
    with client.producer() as producer:
        for n in range(10):
            producer.send(topic.name, f"v{n}", key=f"k{n % 3}", timestamp=1000 * n)
    return topic


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python with a program; kills programs that still run at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", textwrap.dedent(program), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
