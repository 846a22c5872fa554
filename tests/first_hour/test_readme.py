"""The README's examples work when they are pasted, twice, in an environment with the packages that it names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.first_hour.pages import ROOT, of_languages

CONSTRAINTS = ROOT / "bindings-python" / "constraints.txt"


def newest_wheel() -> Path:
    """The wheel of the package in the environment of the tests, which `make` builds."""
    wheels = [*ROOT.glob("build/package/*.whl"), *ROOT.glob("build/wheels/*.whl")]
    assert wheels, "the wheel is missing: make .venv/package"
    return max(wheels, key=lambda wheel: wheel.stat().st_mtime)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the package, and nothing else but pip and its own packages."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install(python, "--no-index", str(newest_wheel()))
    return python


def install(python: Path, *packages: str) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", str(CONSTRAINTS), *packages], check=True)


def run(folder: Path, *command: str | Path) -> str:
    without_ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=without_ours, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_runs_without_any_other(python: Path, tmp_path: Path) -> None:
    program = """
import headwater as hw
with hw.open() as client, client.producer() as producer:
    client.create_topic("t")
    producer.send("t", b"x").result()
    print([message.value for message in client["t"].head()])
"""
    assert run(tmp_path, python, "-c", program) == "[b'x']\n"
    assert run(tmp_path, python.with_name("headwater"), "--version").startswith("headwater ")


def test_the_examples_in_the_readme_run_twice(python: Path, tmp_path: Path) -> None:
    install(python, "polars")
    examples = [block for block in of_languages(ROOT / "README.md", ("python",)) if not block.is_endless]
    assert examples
    for example in examples:
        for _ in range(2):
            assert "customer-9" in run(tmp_path, python, "-c", example.code)
