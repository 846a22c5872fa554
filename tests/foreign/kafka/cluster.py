"""An Apache Kafka cluster in KRaft mode: every node is a broker and a controller.

`python -m tests.foreign.kafka.cluster -- COMMAND...` runs a command while a cluster of three nodes runs; the command finds the bootstrap
addresses in the variable HEADWATER_TEST_KAFKA, and its exit code is ours. Without a command, the cluster is steered through standard
input, so that a test in any language can kill a node: see `steering.py`.
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
from tests.foreign.process import Started, await_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The variable with the bootstrap addresses.
VARIABLE = "HEADWATER_TEST_KAFKA"
#: Small, and quick to start: the C1 compiler alone.
HEAP = ("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY_SECONDS = 120


def settings() -> dict[str, str]:
    """What `cluster.properties` says."""
    lines = (kafka.HERE / "cluster.properties").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def server_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on.

    They are below those that the system gives to outgoing connections, so that a node that restarts finds them free.
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
    """One node: its directory and ports stay while its process comes and goes. One thread at a time may call it."""

    number: int
    folder: Path
    port: int
    configuration: Path
    starts: int = 0
    started: Started | None = None
    guard: Guard | None = None

    @property
    def address(self) -> str:
        """Where its listener for clients is, HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self.started.process.pid if self.started else None

    def launch(self) -> None:
        """Start the process, without waiting until it serves."""
        assert self.started is None, f"node {self.number} runs already"
        self.starts += 1
        name = f"kafka-{self.starts}.log"
        self.started = broker.launch(self.folder, self.configuration, self.port, HEAP, nice=0, log_name=name)
        self.guard = Guard(self.started.process.pid)

    def await_ready(self) -> None:
        """Wait until the node is in the cluster and serves."""
        assert self.started is not None
        await_line(self.started, r"Kafka Server started", READY_SECONDS)

    def start(self) -> None:
        """Start the process and wait until it serves."""
        self.launch()
        self.await_ready()

    def stop(self) -> None:
        """Let the node hand its partitions over and end."""
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
        """Stop it and start it again."""
        self.stop()
        self.start()

    def signal(self, number: int) -> None:
        """Send the process a signal, as SIGSTOP and SIGCONT."""
        assert self.started is not None, f"node {self.number} does not run"
        self.started.process.send_signal(number)

    def last_words(self) -> str:
        """The end of its newest log."""
        logs = sorted(self.folder.glob("kafka-*.log"), key=lambda path: path.stat().st_mtime)
        return "\n".join(logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()[-60:]) if logs else ""

    def _forget(self) -> Started | None:
        started, guard = self.started, self.guard
        self.started = self.guard = None
        if guard:
            guard.release()
        return started


@dataclass
class Cluster:
    """Running nodes, by number from 1. Closing it kills what still runs; the caller removes the folder."""

    nodes: dict[int, Node] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, HOST:PORT and a comma between them."""
        return ",".join(node.address for node in self.nodes.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every node. Nobody reads their files afterwards, so nothing has to be closed well."""
        for node in self.nodes.values():
            node.kill()


def start(folder: Path, nodes: int = 3, more: Mapping[str, str] | None = None, advertised: Sequence[str] = ()) -> Cluster:
    """Start a cluster below a folder and return it when all nodes serve.

    `more` are settings beyond `cluster.properties`. `advertised` are addresses, one a node, that clients are told in place of the
    listener's: those of a proxy. The nodes among themselves never use them.
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
    """A cluster in a temporary directory, which goes with it."""
    with tempfile.TemporaryDirectory(prefix="headwater-kafka-") as folder, start(Path(folder), more=more, advertised=advertised) as cluster:
        yield cluster


def run(cluster: Cluster, command: Sequence[str]) -> int:
    """Run a command that finds the cluster in its environment; return its exit code."""
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
            print(f"Node {node.number} of Apache Kafka has ended; its log ends so:\n{node.last_words()}", file=sys.stderr)
    return code


def main() -> int:
    """Run the command, or obey standard input."""
    from tests.foreign.kafka import steering

    parser = argparse.ArgumentParser(
        prog="python -m tests.foreign.kafka.cluster",
        description=__doc__,
        usage="%(prog)s [--setting KEY=VALUE] [--advertise HOST:PORT,...] [-- COMMAND...]",
    )
    parser.add_argument("--setting", action="append", default=[], metavar="KEY=VALUE", help="a setting beyond cluster.properties")
    parser.add_argument(
        "--advertise", default="", metavar="HOST:PORT,...", help="what clients are told to connect to, an address for each node"
    )
    own, command = sys.argv[1:], []
    if "--" in own:
        own, command = own[: own.index("--")], own[own.index("--") + 1 :]
    arguments = parser.parse_args(own)
    more = dict(pair.split("=", 1) for pair in arguments.setting)
    advertised = [address for address in arguments.advertise.split(",") if address]
    # An end by SIGTERM is an end as by Ctrl-C: the nodes go first.
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
