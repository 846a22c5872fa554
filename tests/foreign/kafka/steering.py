"""Controls a cluster from a test in another language, with lines on standard input and output.

The first line of output is `ready HOST:PORT,HOST:PORT,HOST:PORT`. Then each line of standard input is a command and a
node, such as `kill 2`. The answer is `done` when the command has finished, or `failed` and the reason. The cluster ends
when standard input ends.

| command | effect |
|---|---|
| `kill NODE` | ends the process with SIGKILL |
| `stop NODE` | stops the node cleanly, after it has moved its partitions |
| `launch NODE` | starts the node without waiting |
| `start NODE` | starts the node, and waits until it serves requests |
| `restart NODE` | `stop`, then `start` |
| `pause NODE`, `resume NODE` | send SIGSTOP and SIGCONT |
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tests.foreign.kafka.cluster import Cluster, Node


def obey(cluster: Cluster, commands: TextIO, answers: TextIO) -> None:
    """Report that the cluster is ready, then run one command after the other to the end of the input."""
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
    """Run a command on the node."""
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
