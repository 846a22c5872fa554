"""Runs the blocks of a page in Python and the shell: `python -m tests.first_hour.run_python PAGE`.

They run in this process, in order, in one namespace and in the current directory, as if they were pasted into one
session. Commands of the shell have this Python's `headwater`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.first_hour.pages import PYTHON, Block, of_languages

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS_MAX = 120
SERVER = "headwater serve"
KAFKAS_PORT = ":9092"


def main() -> None:
    """Run the page, or end with the first block that fails."""
    names: dict[str, Any] = {"__name__": "__main__"}
    port = free_port()
    with contextlib.ExitStack() as servers:
        for shown in of_languages(Path(sys.argv[1]), PYTHON):
            block = dataclasses.replace(shown, code=shown.code.replace(KAFKAS_PORT, port))
            printed = run_python(block, names) if block.language == "python" else run_shell(block, servers)
            if block.output is not None:
                compare(block, printed)


def free_port() -> str:
    """A port in place of Kafka's, which another program of this machine may have."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f":{listener.getsockname()[1]}"


def run_python(block: Block, names: dict[str, Any]) -> str:
    """Run a block, and return its output."""
    code = compile("\n" * (block.line - 1) + block.code, block.page, "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if not block.is_endless:
            exec(code, names)
        else:
            with contextlib.suppress(KeyboardInterrupt), interrupted(block, printed):
                exec(code, names)
                message = f"{block.name} has ended: it is marked as endless"
                raise AssertionError(message)
    return printed.getvalue()


@contextlib.contextmanager
def interrupted(block: Block, printed: io.StringIO) -> Iterator[None]:
    """Press Ctrl-C when the block has printed its output."""
    assert block.output, f"{block.name} is endless and shows no output"
    ended = threading.Event()

    def wait() -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not ended.wait(0.01):
            if matches(block, printed.getvalue()) or time.monotonic() > deadline:
                os.kill(os.getpid(), signal.SIGINT)
                return

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run_shell(block: Block, servers: contextlib.ExitStack) -> str:
    """Run commands, and return their output. A server keeps running until the end of the page."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if SERVER in block.code:
        server = subprocess.Popen(["bash", "-c", f"exec {block.code.strip()}"], env=environment, stdout=subprocess.PIPE, text=True)
        servers.callback(server.wait)
        servers.callback(server.terminate)
        assert server.stdout is not None
        return server.stdout.readline()
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block.code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, f"{block.name}: {done.stderr}"
    return done.stdout


def matches(block: Block, printed: str) -> bool:
    """Whether this is the output that the page shows; `...` stands for anything."""
    return doctest.OutputChecker().check_output(block.output or "", printed, OPTIONS)


def compare(block: Block, printed: str) -> None:
    """Fail if the page shows another output."""
    assert matches(block, printed), f"{block.name} shows\n{block.output}\nand prints\n{printed}"


if __name__ == "__main__":
    main()
