"""An Apache Kafka cluster in KRaft mode: every node is a broker and a controller.

`python -m tests.foreign.kafka.cluster -- COMMAND...` runs a command with a cluster of three nodes. The command gets the
bootstrap addresses in the variable HEADWATER_TEST_KAFKA; its exit code is returned. Without a command, standard input
controls the cluster, so that a test in any language can kill a node: see `steering.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.foreign import kafka
from tests.foreign.kafka import broker
from tests.foreign.kafka.guard import Guard
from tests.foreign.process import StartedBroker, await_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The variable with the bootstrap addresses.
VARIABLE = "HEADWATER_TEST_KAFKA"
#: Small and quick to start: only the C1 compiler.
HEAP = ("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY_SECONDS = 120


def settings() -> dict[str, str]:
    """The content of `cluster.properties`."""
    lines = (kafka.HERE / "cluster.properties").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def server_ports(count: int) -> list[int]:
    """Loopback ports without a listener.

    They are below the range of outgoing connections, so that they stay free for a node that restarts.
    """
    chosen: list[int] = []
    with contextlib.ExitStack() as held:
        while len(chosen) < count:
            port = random.randrange(15_000, 32_000)
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                chosen.append(port)
    return chosen


@dataclass
class Node:
    """One node: its directory and ports stay when its process restarts. At most one thread may call it at a time."""

    number: int
    folder: Path
    port: int
    configuration: Path
    starts: int = 0
    started: StartedBroker | None = None
    guard: Guard | None = None

    @property
    def address(self) -> str:
        """The address of its listener for clients, HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        return self.started.process.pid if self.started else None

    def launch(self) -> None:
        """Start the process, without waiting until it serves requests."""
        assert self.started is None, f"node {self.number} runs already"
        self.starts += 1
        name = f"kafka-{self.starts}.log"
        self.started = broker.launch(self.folder, self.configuration, self.port, HEAP, nice=0, log_name=name)
        self.guard = Guard(self.started.process.pid)

    def await_ready(self) -> None:
        """Wait until the node has joined the cluster and serves requests."""
        assert self.started is not None
        await_line(self.started, r"Kafka Server started", READY_SECONDS)

    def start(self) -> None:
        """Start the process and wait until it serves requests."""
        self.launch()
        self.await_ready()

    def stop(self) -> None:
        """Stop the node cleanly, after it has moved its partitions."""
        started = self._forget()
        if started:
            started.stop()

    def kill(self) -> None:
        """End the process with SIGKILL."""
        started = self._forget()
        if started:
            started.process.kill()
            started.process.wait()

    def restart(self) -> None:
        """Stop the node and start it again."""
        self.stop()
        self.start()

    def signal(self, number: int) -> None:
        """Send the process a signal such as SIGSTOP or SIGCONT."""
        assert self.started is not None, f"node {self.number} does not run"
        self.started.process.send_signal(number)

    def last_words(self) -> str:
        """The end of its newest log."""
        logs = sorted(self.folder.glob("kafka-*.log"), key=lambda path: path.stat().st_mtime)
        return "\n".join(logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()[-60:]) if logs else ""

    def _forget(self) -> StartedBroker | None:
        started, guard = self.started, self.guard
        self.started = self.guard = None
        if guard:
            guard.release()
        return started


@dataclass
class Cluster:
    """Running nodes, by number from 1. Closing kills running nodes; the caller removes the directory."""

    nodes: dict[int, Node] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, HOST:PORT, separated by commas."""
        return ",".join(node.address for node in self.nodes.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every node. Their files are not read afterwards, so a clean end is not necessary."""
        for node in self.nodes.values():
            node.kill()


def start(folder: Path, nodes: int = 3, more: Mapping[str, str] | None = None, advertised: Sequence[str] = ()) -> Cluster:
    """Start a cluster in a directory and return it when all nodes serve requests.

    `more` are settings in addition to `cluster.properties`. `advertised` are the advertised addresses, one for each
    node, if they differ from the listener's, such as those of a proxy. The nodes do not use them among themselves.
    """
    assert len(advertised) in (0, nodes), "one advertised address for each node"
    ports = server_ports(3 * nodes)
    clients, brokers, controllers = ports[:nodes], ports[nodes : 2 * nodes], ports[2 * nodes :]
    voters = ",".join(f"{index + 1}@127.0.0.1:{port}" for index, port in enumerate(controllers))
    cluster = Cluster()
    for index in range(nodes):
        number, directory = index + 1, folder / f"node-{index + 1}"
        between = f"BROKER://127.0.0.1:{brokers[index]}"
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(number),
            "controller.quorum.voters": voters,
            "listeners": f"CLIENT://127.0.0.1:{clients[index]},{between},CONTROLLER://127.0.0.1:{controllers[index]}",
            "advertised.listeners": f"CLIENT://{advertised[index] if advertised else f'127.0.0.1:{clients[index]}'},{between}",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(directory / "data"),
            **settings(),
            **(more or {}),
        }
        cluster.nodes[number] = Node(number, directory, clients[index], broker.write_configuration(directory, lines))
    try:
        _start_all(cluster)
    except BaseException:
        cluster.close()
        raise
    return cluster


def _start_all(cluster: Cluster) -> None:
    nodes = cluster.nodes.values()
    kafka.jars()
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: kafka.run(*broker.storage_format(node.configuration)), nodes))
    for node in nodes:
        node.launch()
    for node in nodes:
        node.await_ready()


@contextlib.contextmanager
def temporary(more: Mapping[str, str] | None = None, advertised: Sequence[str] = ()) -> Iterator[Cluster]:
    """A cluster in a temporary directory, which is removed with it."""
    with tempfile.TemporaryDirectory(prefix="headwater-kafka-") as folder, start(Path(folder), more=more, advertised=advertised) as cluster:
        yield cluster


def run(cluster: Cluster, command: Sequence[str]) -> int:
    """Run a command with the cluster's addresses in its environment; return its exit code."""
    print(f"Apache Kafka runs on {cluster.bootstrap}", flush=True)
    process = subprocess.Popen(command, env={**os.environ, VARIABLE: cluster.bootstrap})
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    for node in cluster.nodes.values():
        if node.started is None or node.started.process.poll() is not None:
            print(f"Node {node.number} of Apache Kafka has ended; the end of its log:\n{node.last_words()}", file=sys.stderr)
    return code


def main() -> int:
    """Run the command, or the commands on standard input."""
    from tests.foreign.kafka import steering

    parser = argparse.ArgumentParser(
        prog="python -m tests.foreign.kafka.cluster",
        description=__doc__,
        usage="%(prog)s [--setting KEY=VALUE] [--advertise HOST:PORT,...] [-- COMMAND...]",
    )
    parser.add_argument("--setting", action="append", default=[], metavar="KEY=VALUE", help="a setting in addition to cluster.properties")
    parser.add_argument("--advertise", default="", metavar="HOST:PORT,...", help="the advertised addresses, one for each node")
    own, command = sys.argv[1:], []
    if "--" in own:
        own, command = own[: own.index("--")], own[own.index("--") + 1 :]
    arguments = parser.parse_args(own)
    more = dict(pair.split("=", 1) for pair in arguments.setting)
    advertised = [address for address in arguments.advertise.split(",") if address]
    # SIGTERM ends the program like Ctrl-C: the nodes end first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with temporary(more, advertised) as cluster:
            if command:
                return run(cluster, command)
            steering.obey(cluster, sys.stdin, sys.stdout)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
