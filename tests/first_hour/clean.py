"""A virtual environment with the built wheel and nothing of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / "build" / "package"
CONSTRAINTS = ROOT / "bindings-python" / "constraints.txt"


def wheel() -> Path:
    """The wheel that `make .venv/package` has built last."""
    return max(WHEELS.glob("headwater-*.whl"), key=lambda path: path.stat().st_mtime)


def environment() -> dict[str, str]:
    """The environment variables, without those of Python."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST"))}


def run(python: Path, *arguments: str | Path, cwd: Path, fails: bool = False) -> str:
    """Run Python in a directory, and return its output and its errors."""
    done = subprocess.run(
        [python, *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def create(path: Path, *requirements: str, extras: str = "") -> Path:
    """Create a virtual environment with the wheel and other packages, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    python = path / "bin" / "python"
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(CONSTRAINTS)]
    named = f"headwater{extras} @ {wheel().as_uri()}"
    run(python, *pip, named, *requirements, cwd=path)
    return python
