"""The pytest plugin of the package in a project of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.first_hour import clean
from tests.first_hour.pages import of_languages

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = clean.ROOT / "bindings-python" / "examples" / "pytest"
PAGES = [clean.ROOT / "core" / "docs" / "guide" / "testing.md", clean.ROOT / "bindings-python" / "README.md"]

USES = """
import threading

import headwater as hw
import pytest


def test_the_broker_is_reached(kafka_broker, kafka_topic):
    with hw.connect(kafka_broker.bootstrap_servers) as client, client.producer() as producer:
        producer.send(kafka_topic.name, b"tea").result(10)
    assert [message.value for message in kafka_topic.head()] == [b"tea"]
    assert list(kafka_broker.client) == [kafka_topic.name]


@pytest.mark.kafka_topic(partitions=3, cleanup_policy="compact")
@pytest.mark.parametrize("item", ["tea & sugar", "", "käse" * 100])
def test_a_marker_configures_the_topic(kafka_broker, kafka_topic, item):
    assert kafka_topic.partitions == 3
    assert kafka_topic.config()["cleanup.policy"] == "compact"
    assert kafka_topic.count() == 0
    assert list(kafka_broker.client) == [kafka_topic.name], "earlier topics are deleted"


def test_a_test_may_delete_its_topic(kafka_broker, kafka_topic):
    kafka_broker.client.delete_topic(kafka_topic.name)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the package, pytest with xdist, and two other clients."""
    return clean.create(tmp_path_factory.mktemp("project"), "pytest", "pytest-xdist", "confluent-kafka", "aiokafka")


@pytest.fixture
def run_pytest(python: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs pytest in a clean project with these files."""

    def run(*arguments: str, fails: bool = False, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return clean.run(python, "-m", "pytest", "-p", "no:cacheprovider", *arguments, cwd=tmp_path, fails=fails)

    return run


def test_the_examples_pass(run_pytest: Callable[..., str], tmp_path: Path) -> None:
    for example in EXAMPLES.glob("test_*.py"):
        shutil.copy(example, tmp_path)
    output = run_pytest("-W", "error::pytest.PytestUnhandledThreadExceptionWarning")
    assert "6 passed" in output


@pytest.mark.parametrize(("page", "tests"), list(zip(PAGES, [2, 1], strict=True)), ids=["guide", "readme"])
def test_the_tests_in_a_page_pass(run_pytest: Callable[..., str], page: Path, tests: int) -> None:
    blocks = [block.code for block in of_languages(page, ("python",)) if "def test_" in block.code]
    assert f"{tests} passed" in run_pytest(test_page="\n\n".join(blocks))


def test_the_fixtures_work_alone_and_in_several_processes(run_pytest: Callable[..., str]) -> None:
    assert "5 passed" in run_pytest("--strict-markers", test_uses=USES)
    assert "5 passed" in run_pytest("--strict-markers", "-n2", test_uses=USES)


def test_the_fixtures_and_the_marker_are_documented(run_pytest: Callable[..., str]) -> None:
    listed = run_pytest("--fixtures", "-v", test_uses=USES)
    for fixture in ("kafka_broker [session scope]", "kafka_broker_config [session scope]", "kafka_topic"):
        assert fixture in listed
    assert "one for the whole test run" in listed
    assert "@pytest.mark.kafka_topic(**arguments)" in run_pytest("--markers")


def test_a_project_without_the_fixtures_loads_no_engine(run_pytest: Callable[..., str]) -> None:
    test = """
import sys

def test_nothing_is_loaded():
    assert "headwater.pytest" in sys.modules
    assert "headwater._headwater" not in sys.modules
    assert not [name for name in sys.modules if name.startswith("headwater.") and name != "headwater.pytest"]
"""
    assert "1 passed" in run_pytest(test_light=test)


def test_the_broker_is_configured_in_conftest(run_pytest: Callable[..., str]) -> None:
    conftest = """
import pytest

@pytest.fixture(scope="session")
def kafka_broker_config():
    return {"num.partitions": 7, "auto.create.topics.enable": False}
"""
    test = """
def test_configured(kafka_broker):
    config = kafka_broker.client.config()
    assert (config["num.partitions"], config["auto.create.topics.enable"]) == ("7", "false")
    assert config["group.initial.rebalance.delay.ms"] == "0"
"""
    assert "1 passed" in run_pytest(conftest=conftest, test_configured=test)


def test_arguments_of_the_marker_without_names_are_refused(run_pytest: Callable[..., str]) -> None:
    test = """
import pytest

@pytest.mark.kafka_topic(3)
def test_wrong(kafka_topic):
    pass
"""
    assert "the marker kafka_topic takes keyword arguments only" in run_pytest(test_wrong=test, fails=True)


def test_the_broker_is_ready_in_milliseconds(run_pytest: Callable[..., str]) -> None:
    test = """
import time

def test_quick(request):
    import headwater
    headwater.open
    begun = time.perf_counter()
    topic = request.getfixturevalue("kafka_topic")
    took = time.perf_counter() - begun
    assert topic.count() == 0
    assert took < 0.5, took
"""
    assert "1 passed" in run_pytest(test_quick=test)
