"""The size of the published wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.table import Row, print_rows

ROOT = Path(__file__).parents[2]
LIMIT_MIB = 10


def rows() -> list[Row]:
    """Build the wheel with the profile `dist` and return its size."""
    with tempfile.TemporaryDirectory() as out:
        manifest = ROOT / "bindings-python" / "Cargo.toml"
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "maturin",
            "build",
            "--quiet",
            "--profile",
            "dist",
            "--manifest-path",
            manifest,
            "--out",
            out,
        ]
        subprocess.run(command, check=True, cwd=ROOT)
        (wheel,) = Path(out).glob("*.whl")
        size = wheel.stat().st_size / 2**20
    return [Row("the wheel / 10 MiB", size, LIMIT_MIB, 1, "MiB", most=True)]


if __name__ == "__main__":
    sys.exit(not print_rows(rows()))
