"""Builds the Rust programs of benches: optimised examples of a crate."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(package: str, example: str) -> Path:
    """Build an example of a package and return its program."""
    command = ["cargo", "build", "--quiet", "--release", "-p", package, "--example", example, "--message-format", "json"]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in said.splitlines()]
    return Path(next(message["executable"] for message in reversed(messages) if message.get("executable")))
