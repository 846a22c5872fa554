"""What all Python tests are asked by their caller."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        choices=["headwater", "kafka"],
        default="headwater",
        help="the broker that the foreign clients of tests/clients talk to; kafka is the reference, Apache Kafka itself",
    )
