"""All benches of the Python package in one table: `python -m tests.bench`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tests.bench.table import HEADER


def main() -> int:
    """Run the benches one after the other and return 1 if a floor was missed."""
    missed = 0
    print(HEADER)
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        for row in importlib.import_module(f"tests.bench.{path.stem}").rows():
            print(row, flush=True)
            missed += not row.reached
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
