"""`headwater completions`: each script is loaded in its shell, which then completes lines."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import HEADWATER, run, succeed
from tests.cli.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

#: A line, and some of the completions of its last word.
LINES = [
    ("headwater con", {"consume"}),
    ("headwater topic ", {"list", "create", "describe", "alter", "delete"}),
    ("headwater consume --fo", {"--follow", "--format", "--format-string"}),
    ("headwater consume --format ", {"json", "table", "csv", "arrow"}),
    ("headwater completions ", {"bash", "zsh", "fish"}),
]


def shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is missing: run tests/foreign/install.sh")
    return path


@pytest.fixture
def script(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The file with the script of a shell."""
    path = tmp_path / "script"
    path.write_bytes(succeed("completions", request.param).output)
    return path


BASH = """
source "$1"
function="$(complete -p headwater | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
read -ra COMP_WORDS <<<"$2"
[ "${2: -1}" = " " ] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE="$2" COMP_POINT=${#2}
"$function" headwater "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(("line", "expected"), LINES)
def test_bash_completes(script: Path, line: str, expected: set[str]) -> None:
    asked = [shell("bash"), "--norc", "-c", BASH, "bash", str(script), line]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert (expected - set(done.stdout.split()), done.stderr) == (set(), "")


@pytest.mark.parametrize("script", ["fish"], indirect=True)
@pytest.mark.parametrize(("line", "expected"), LINES)
def test_fish_completes(script: Path, line: str, expected: set[str]) -> None:
    asked = [shell("fish"), "--no-config", "-c", 'source $argv[1]; complete --do-complete "$argv[2]"', str(script), line]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    assert (expected - {found.split("\t")[0] for found in done.stdout.splitlines()}, done.stderr) == (set(), "")


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
@pytest.mark.parametrize(("line", "expected"), LINES)
def test_zsh_completes(script: Path, line: str, expected: set[str]) -> None:
    script.rename(script.with_name("_headwater"))
    environment = {"PATH": f"{HEADWATER.parent}:/usr/bin:/bin", "HOME": str(script.parent), "PS1": "ready> ", "TERM": "xterm"}
    with Terminal([shell("zsh"), "-f", "-i"], columns=200, environment=environment) as terminal:
        terminal.wait_for("ready>")
        directory = script.parent
        terminal.type(
            f"fpath=({directory} $fpath); autoload -U compinit; compinit -u -d {directory}/dump; setopt autolist; echo load''ed\n"
        )
        terminal.wait_for("loaded")
        terminal.type(line + "\t\t")
        for word in expected:
            terminal.wait_for(word)


def test_an_unknown_shell_is_a_wrong_use() -> None:
    ended = run("completions", "powershell")
    assert ended.code == 2
    assert "possible values: bash, zsh, fish" in ended.problems
