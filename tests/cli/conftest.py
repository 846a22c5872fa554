"""Fixtures shared by the tests of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command import succeed
from tests.cli.serving import RunningServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The path of a data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def flights(data: Path) -> Path:
    """A directory with a topic of two partitions and five records."""
    succeed("topic", "create", "flights", "--data", data, "--partitions", 2)
    lines = b"UA:v0\nDL:v1\nUA:v2\nDL:v3\nUA:v4\n"
    succeed("produce", "flights", "--data", data, "--key-separator", ":", given=lines)
    return data


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts servers; kills servers that still run at the end."""
    started: list[RunningServer] = []

    def start(*arguments: object, files_max: int | None = None) -> RunningServer:
        serving = RunningServer.start(tmp_path / f"serve-{len(started)}.log", *arguments, files_max=files_max)
        started.append(serving)
        return serving

    yield start
    for serving in started:
        serving.process.kill()
        serving.process.wait()
