"""The oldest and the newest version of each optional library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

import headwater

pytestmark = pytest.mark.embedded("installs other versions of libraries")

ROOT = Path(__file__).parents[2]
SMOKE = Path(__file__).with_name("smoke_libraries.py")


def oldest() -> dict[str, str]:
    """The libraries in the package's extras, each with the oldest version that they allow."""
    extras = tomllib.loads((ROOT / "bindings-python" / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pairs = [requirement.split(">=") for requirements in extras.values() for requirement in requirements]
    versions = {name: ".".join([*version.split("."), "0", "0"][:3]) for name, version in pairs}
    assert set(versions) == {"polars", "cloudpickle", "pandas", "pyarrow", "duckdb"}
    return versions


def environment(versions: dict[str, str]) -> Path:
    """A Python with these versions and the package, created once."""
    pinned = [f"{name}=={version}" for name, version in sorted(versions.items())]
    path = ROOT / "build" / "oldest" / f"python{sys.version_info.minor}-{'-'.join(pinned)}"
    python = path / "bin" / "python"
    if not (path / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", path], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pinned], check=True)
        (path / "installed").touch()
    (site,) = path.glob("lib/python*/site-packages")
    package = site / "headwater"
    package.unlink(missing_ok=True)
    package.symlink_to(Path(headwater.__file__).parent)
    return python


def smoke(python: Path | str) -> str:
    done = subprocess.run([python, SMOKE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_oldest_versions_that_the_package_allows_work() -> None:
    versions = oldest()
    expected = ", ".join(f"{name} {versions[name]}" for name in ("polars", "pandas", "pyarrow", "duckdb"))
    assert smoke(environment(versions)) == expected


def test_the_newest_versions_work() -> None:
    assert smoke(sys.executable)
