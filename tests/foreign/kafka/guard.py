"""A guard of a process: it kills the process when we die, even by SIGKILL, so that no test leaves a broker behind."""

from __future__ import annotations

import subprocess


class Guard:
    """Watches a process that we started.

    Only we hold the other end of the guard's standard input: when it ends without a line, we are dead.
    """

    def __init__(self, pid: int) -> None:
        self.watching = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r released || kill -9 "$0"', str(pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Stop watching; the process has ended."""
        self.watching.communicate(b"released\n")
