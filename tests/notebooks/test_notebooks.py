"""Every notebook runs from its first cell to its last; the demo continues where it was stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import headwater as hw

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FLIGHTS = 336_776


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_charts(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs), "the notebook has no chart"


def demo(folder: Path, *arguments: str) -> str:
    """Run the demo script in a directory; return its output."""
    done = subprocess.run(
        [sys.executable, NOTEBOOKS / "first_stream.py", *arguments],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_resumes_from_the_stored_log(tmp_path: Path) -> None:
    first = demo(tmp_path, "--fresh", "--until", "2013-04-01")
    assert "0 events are in the log" in first
    second = demo(tmp_path)
    assert "\n0 events" not in second
    with hw.open(tmp_path / "demo-data") as client:
        events = client["flights"].scan(value="json", schema={"event": "int64"}, unnest=True).to_polars()["event"]
    assert len(events) == FLIGHTS
    assert events.n_unique() == FLIGHTS, "an event was replayed twice"
    assert (tmp_path / "demo-output" / "delays.png").stat().st_size > 10_000
    assert f"{FLIGHTS:,} events are in the log, 0 are to be replayed" in demo(tmp_path)
