"""Steering a cluster from a test in another language, a line each way.

The first line that we print is `ready HOST:PORT,HOST:PORT,HOST:PORT`. Then each line of standard input is a command and a node,
`kill 2`, and is answered with `done` when it has happened, or with `failed` and the reason. When standard input ends, the cluster does.

| command | does |
|---|---|
| `kill NODE` | ends the process with SIGKILL |
| `stop NODE` | lets the node hand its partitions over and end |
| `launch NODE` | starts the node, and does not wait until it serves |
| `start NODE` | starts the node, and waits until it serves |
| `restart NODE` | `stop`, then `start` |
| `pause NODE`, `resume NODE` | SIGSTOP and SIGCONT |
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tests.foreign.kafka.cluster import Cluster, Node


def obey(cluster: Cluster, commands: TextIO, answers: TextIO) -> None:
    """Say that the cluster is ready, then carry out one command after the other until there are no more."""
    print(f"ready {cluster.bootstrap}", file=answers, flush=True)
    for line in commands:
        try:
            verb, number = line.split()
            carry_out(verb, cluster.nodes[int(number)])
            answer = "done"
        except (AssertionError, KeyError, OSError, RuntimeError, ValueError) as error:
            answer = "failed " + repr(error).replace("\n", "\\n")
        print(answer, file=answers, flush=True)


def carry_out(verb: str, node: Node) -> None:
    """Do what the verb says to the node."""
    match verb:
        case "kill":
            node.kill()
        case "stop":
            node.stop()
        case "launch":
            node.launch()
        case "start":
            node.start()
        case "restart":
            node.restart()
        case "pause":
            node.signal(signal.SIGSTOP)
        case "resume":
            node.signal(signal.SIGCONT)
        case _:
            problem = f"{verb!r} is not a command of this cluster"
            raise ValueError(problem)
