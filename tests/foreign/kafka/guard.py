"""Guards a process: kills it when this program dies, even by SIGKILL, so that no test leaves a broker behind."""

from __future__ import annotations

import subprocess


class Guard:
    """Watches a process that this program started.

    Only this program holds the other end of the guard's standard input: if it ends without a line, the program is dead.
    """

    def __init__(self, pid: int) -> None:
        self.watching = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r released || kill -9 "$0"', str(pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Stop watching, because the process has ended."""
        self.watching.communicate(b"released\n")
