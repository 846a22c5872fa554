"""The command-line options of all Python tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=["headwater", "kafka"],
        default="headwater",
        help="the broker of the foreign clients in tests/clients; kafka is Apache Kafka, the reference",
    )
    parser.addoption(
        "--target",
        choices=["embedded", "served", "kafka"],
        default="embedded",
        help="the target of the tests of the Python package; kafka is the cluster that `make test-kafka` starts",
    )
