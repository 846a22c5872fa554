"""The starter of Apache Kafka clusters: its behaviour without a cluster, and that it leaves no process behind."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.foreign.kafka import cluster, steering
from tests.foreign.kafka.guard import Guard

PROJECT = Path(__file__).parents[2]
STARTER = """
import subprocess, sys, time
from tests.foreign.kafka.guard import Guard
guarded = subprocess.Popen(["sleep", "600"])
guard = Guard(guarded.pid)
print(guarded.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_process_dies_with_the_one_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as starter:
        assert starter.stdout is not None
        guarded = int(starter.stdout.readline())
        assert is_running(guarded)
        starter.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while is_running(guarded):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_released_guard_kills_nothing() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        Guard(process.pid).release()
        assert process.poll() is None
        process.kill()


def test_a_failed_command_is_answered_with_the_reason() -> None:
    answers = io.StringIO()
    node = cluster.Node(1, Path(), 9092, Path())
    steering.obey(cluster.Cluster({1: node}), io.StringIO("pause 1\nexplode 1\nkill 2\nkill\nkill 1\n"), answers)
    ready, pause, explode, unknown, short, kill = answers.getvalue().splitlines()
    assert ready == "ready 127.0.0.1:9092"
    assert pause.startswith("failed AssertionError('node 1 does not run")
    assert "explode" in explode
    assert unknown == "failed KeyError(2)"
    assert short.startswith("failed ValueError")
    assert kill == "done"


def test_ports_of_servers_are_free_and_not_for_outgoing_connections() -> None:
    ports = cluster.server_ports(9)
    assert len(set(ports)) == 9
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in ports:
        assert port < first
        socket.create_server(("127.0.0.1", port)).close()
