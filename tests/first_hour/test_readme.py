"""The README's examples work when they are pasted, each one twice, in programs of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.first_hour.pages import ROOT, of_languages


def test_the_example_in_the_readme_runs(tmp_path: Path) -> None:
    examples = [block for block in of_languages(ROOT / "README.md", ("python",)) if not block.is_endless]
    assert examples
    for example in examples:
        for run in (1, 2):
            command = [sys.executable, "-c", example.code]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, f"run {run}: {done.stderr}"
            assert "customer-9" in done.stdout
