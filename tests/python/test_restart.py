"""The group of a worker that dies is free when the worker starts again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import headwater as hw

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("kills processes that share a directory")

WORKER = """
    import sys, time, headwater as hw
    begun = time.monotonic()
    client = hw.open(sys.argv[1])
    client.create_topic("t", partitions=4, if_exists="ignore")
    client.producer().send_batch("t", [b"x"] * 100)
    consumer = client.consumer("t", group_id="workers", auto_offset_reset="earliest", **eval(sys.argv[2]))
    batch = consumer.poll(timeout=60)
    print(len(batch), len(consumer.assignment()), time.monotonic() - begun, flush=True)
    consumer.commit()
    time.sleep(60)
    """


def start(spawn: Spawn, path: Path, config: str = "{}") -> tuple[subprocess.Popen[str], int, float]:
    worker = spawn(WORKER, path, config)
    assert worker.stdout is not None
    line = worker.stdout.readline().split()
    assert line, worker.communicate(timeout=60)[1]
    return worker, int(line[1]), float(line[2])


def test_a_killed_worker_continues_at_once(spawn: Spawn, tmp_path: Path) -> None:
    static, cooperative = "{{'group_instance_id': '{}'}}", "{'partition_assignment_strategy': 'cooperative-sticky'}"
    consumer = "{'group_protocol': 'consumer'}"
    for config in ("{}", "{}", static.format("a"), static.format("b"), cooperative, consumer, consumer):
        worker, partitions, seconds = start(spawn, tmp_path, config)
        assert partitions == 4
        # It does not wait for the session of the dead member (45 s), nor for the first rebalance of a group (3 s).
        assert seconds < 10
        worker.kill()
        worker.wait()
    with hw.open(tmp_path) as client:
        assert [group.state for group in client.groups()] == ["Empty"]


def test_the_first_rebalance_waits_if_configured() -> None:
    for config, least, most in (({}, 0.0, 2.0), ({"group_initial_rebalance_delay_ms": 2_500}, 2.0, 20.0)):
        with hw.open(config={key.replace("_", "."): value for key, value in config.items()}) as client:
            client.create_topic("t")
            begun = time.monotonic()
            with client.consumer("t", group_id="g") as consumer:
                while not consumer.assignment():
                    consumer.poll(timeout=0.05)
            assert least <= time.monotonic() - begun < most
