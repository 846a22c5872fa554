"""What all Python tests are asked by their caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=["headwater", "kafka"],
        default="headwater",
        help="the broker that the foreign clients of tests/clients talk to; kafka is the reference, Apache Kafka itself",
    )
    parser.addoption(
        "--target",
        choices=["embedded", "served", "kafka"],
        default="embedded",
        help="what the tests of the Python package run against; kafka is the cluster that `make test-kafka` starts",
    )
