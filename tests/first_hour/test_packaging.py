"""The wheel, the source distribution and the list of platforms."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.first_hour import clean

PACKAGE = clean.ROOT / "bindings-python"


def run(*command: str | Path, cwd: Path = clean.ROOT) -> str:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_complete() -> None:
    run(sys.executable, PACKAGE / "check_wheel.py", clean.WHEELS)


def test_a_wheel_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    sys.path.insert(0, str(PACKAGE))
    try:
        import check_wheel  # type: ignore[import-not-found,unused-ignore]
    finally:
        sys.path.remove(str(PACKAGE))
    assert check_wheel.problems(clean.wheel()) == []
    stripped = tmp_path / clean.wheel().name
    subprocess.run(["cp", clean.wheel(), stripped], check=True)
    subprocess.run([sys.executable, "-c", STRIP, stripped], check=True)
    assert check_wheel.problems(stripped) == ["headwater/py.typed is missing", "the entry point [pytest11] is missing"]


STRIP = """
import pathlib, sys, zipfile
path = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(path) as wheel:
    files = {name: wheel.read(name) for name in wheel.namelist() if name != "headwater/py.typed" and not name.endswith(".so")}
    files["headwater/_headwater.abi3.so"] = b""
with zipfile.ZipFile(path, "w") as wheel:
    for name, data in files.items():
        wheel.writestr(name, data.replace(b"[pytest11]", b"[other]") if name.endswith("entry_points.txt") else data)
"""


def test_the_licence_of_the_package_is_the_projects() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (clean.ROOT / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    path = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "maturin", "sdist", "--manifest-path", PACKAGE / "Cargo.toml", "--out", path)
    (archive,) = path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(path, filter="data")
    return path / archive.name.removesuffix(".tar.gz")


def test_the_source_distribution_has_no_tests(source_distribution: Path) -> None:
    files = [path.relative_to(source_distribution) for path in source_distribution.rglob("*") if path.is_file()]
    tests = [str(file) for file in files if "test" in str(file)]
    # A crate that only lists the features of dependencies, so that tests compile each of them once.
    features = [f"tests/features/{name}" for name in ("Cargo.toml", "build.rs", "src/lib.rs")]
    assert sorted(tests) == sorted(["python/headwater/pytest.py", *features])
    assert {"LICENSE", "README.md", "PKG-INFO", "Cargo.lock"} <= {str(file) for file in files}


def test_cargo_reads_the_source_distribution(source_distribution: Path) -> None:
    shown = run("cargo", "metadata", "--offline", "--no-deps", "--format-version=1", cwd=source_distribution)
    assert '"name":"headwater-python"' in shown


@pytest.mark.parametrize(
    ("platform", "machine", "identifiers"),
    [
        ("linux", "x86_64", ["cp310-manylinux_x86_64", "cp310-musllinux_x86_64"]),
        ("linux", "aarch64", ["cp310-manylinux_aarch64", "cp310-musllinux_aarch64"]),
        ("macos", "x86_64", ["cp310-macosx_x86_64"]),
        ("macos", "arm64", ["cp310-macosx_arm64"]),
        ("windows", "AMD64", ["cp310-win_amd64"]),
    ],
)
def test_the_list_of_wheels_has_each_platform(platform: str, machine: str, identifiers: list[str]) -> None:
    command = ["-m", "cibuildwheel", "--config-file", "cibuildwheel.toml", "--print-build-identifiers", "--platform", platform]
    shown = run(sys.executable, *command, "--archs", machine, PACKAGE, cwd=PACKAGE)
    assert shown.split() == identifiers
