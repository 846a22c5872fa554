"""Checks the newest wheel of a directory, as an index and its users will see it.

Usage: ``check_wheel.py DIRECTORY``: metadata and README (twine), contents (check-wheel-contents), the stable ABI
(abi3audit), and the files and entry points that the package needs.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

NEEDED = [
    "headwater/__init__.py",
    "headwater/_headwater.abi3.so",
    "headwater/_headwater.pyi",
    "headwater/aio.py",
    "headwater/py.typed",
    "headwater/pytest.py",
]
PYTHONS = [f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)]


def problems(wheel: Path) -> list[str]:
    """Return the parts of a wheel that are missing."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = {name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")}
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        points = archive.read(f"{info}/entry_points.txt").decode()
    found = [f"{name} is missing" for name in [*NEEDED, f"{info}/licenses/LICENSE"] if name not in names]
    found += [f"{name} does not belong into a wheel" for name in names if "test" in Path(name).name and name != "headwater/pytest.py"]
    found += [f"the classifier {name!r} is missing" for name in PYTHONS if name not in metadata.get_all("Classifier", [])]
    if metadata["License-Expression"] != "Apache-2.0" or metadata["License-File"] != "LICENSE":
        found.append("the licence is not named")
    if len(str(metadata.get_payload())) < 1_000:
        found.append("the README is missing")
    found += [f"the entry point {name} is missing" for name in ("[pytest11]", "[console_scripts]") if name not in points]
    return found


def main(arguments: list[str]) -> int:
    """Check the newest wheel."""
    wheel = max(Path(arguments[0]).glob("*.whl"), key=lambda path: path.stat().st_mtime)
    tools = Path(sys.executable).parent
    commands: list[list[str | Path]] = [
        [tools / "twine", "check", "--strict", wheel],
        [tools / "check-wheel-contents", wheel],
        [tools / "abi3audit", "--strict", wheel],
    ]
    failed = [command for command in commands if subprocess.run(command, check=False).returncode != 0]
    missing = problems(wheel)
    for problem in missing:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    return int(bool(failed or missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
