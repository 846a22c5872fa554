"""What the tests of the Python package share."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import headwater as hw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def client() -> Iterator[hw.Client]:
    """An engine in memory."""
    with hw.open() as client:
        yield client


@pytest.fixture
def flights(client: hw.Client) -> hw.Topic:
    """A topic of one partition with ten records; record `n` has key `k{n % 3}`, value `v{n}` and timestamp `1000 * n`."""
    topic = client.create_topic("flights")
    with client.producer() as producer:
        for n in range(10):
            producer.send("flights", f"v{n}", key=f"k{n % 3}", timestamp=1000 * n)
    return topic


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python with a program; what still runs at the end is killed."""
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
