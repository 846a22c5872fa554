"""Each example in a README or a guide runs, and prints the output that the page shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.first_hour import run_python
from tests.first_hour.node_page import FRAGMENTS, NodeProgram, programs
from tests.first_hour.pages import NODE, PAGES, PYTHON, ROOT, blocks, of_languages

if TYPE_CHECKING:
    from tests.first_hour.pages import Block

NODE_PACKAGES = ROOT / "tests" / "node" / "node_modules"
SECONDS_MAX = 300
NODE_PROGRAMS = [program for page in PAGES for program in programs(of_languages(page, NODE))]
PYTHON_PAGES = [page for page in PAGES if of_languages(page, PYTHON)]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name_of)
def test_the_examples_in_python_and_the_shell_run(page: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.first_hour.run_python", str(page)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", NODE_PROGRAMS, ids=lambda program: program.name)
def test_the_examples_in_node_run(program: NodeProgram, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
    (tmp_path / "page.ts").write_text(program.source())
    compile_page = [str(NODE_PACKAGES / ".bin" / "esbuild"), "page.ts", "--outfile=page.mjs", "--target=node20", "--log-level=warning"]
    compiled = subprocess.run(compile_page, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    with (tmp_path / "stdout").open("w") as out, (tmp_path / "stderr").open("w") as err:
        process = subprocess.Popen(["node", "page.mjs"], cwd=tmp_path, stdout=out, stderr=err)
    try:
        if program.blocks[-1].is_endless:
            interrupt_when_printed(process, program, tmp_path / "stdout")
            assert process.wait(SECONDS_MAX) == -signal.SIGINT
        else:
            assert process.wait(SECONDS_MAX) == 0, (tmp_path / "stderr").read_text()
    finally:
        process.kill()
        process.wait()
    check_outputs(program, (tmp_path / "stdout").read_text())


def interrupt_when_printed(process: subprocess.Popen[bytes], program: NodeProgram, output: Path) -> None:
    """Press Ctrl-C when the last block has printed the output that the page shows."""
    last = program.blocks[-1]
    assert last.output, f"{last.name} is endless and shows no output"
    deadline = time.monotonic() + SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        outputs = program.outputs(output.read_text())
        if len(outputs) == len(program.blocks) and run_python.matches(last, outputs[-1]):
            break
        time.sleep(0.02)
    assert process.poll() is None, (output.parent / "stderr").read_text()
    process.send_signal(signal.SIGINT)


def check_outputs(program: NodeProgram, printed: str) -> None:
    outputs = program.outputs(printed)
    assert len(outputs) == len(program.blocks), printed
    for block, output in zip(program.blocks, outputs, strict=True):
        if block.output is not None:
            run_python.compare(block, output)


def test_every_page_has_examples() -> None:
    without = [name_of(page) for page in PAGES if not of_languages(page, PYTHON + NODE)]
    assert not without


def test_every_other_language_has_no_programs() -> None:
    known = {*PYTHON, *NODE, "toml", "ini", "json", "yaml"}
    unknown = [block.name for page in PAGES for block in blocks(page) if block.language not in known]
    assert not unknown


def test_every_fragment_is_in_a_page() -> None:
    code = "".join(block.code for page in PAGES for block in of_languages(page, NODE))
    assert all(part in code for part in FRAGMENTS)


def test_the_code_fits_the_width_of_the_site() -> None:
    wide = [block.name for page in PAGES for block in blocks(page) if max(map(len, block.code.splitlines())) > 100]
    assert not wide


def page_with(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    monkeypatch.setattr("tests.first_hour.pages.ROOT", folder)
    page = folder / "page.md"
    page.write_text(text)
    return of_languages(page, PYTHON)


def test_a_block_with_another_output_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = page_with(tmp_path, "```python\nprint(1)\n```\n\n```text\n2\n```\n", monkeypatch)
    printed = run_python.run_python(block, {})
    with pytest.raises(AssertionError, match=r"page.md:2 shows\n2"):
        run_python.compare(block, printed)


def test_a_block_that_fails_is_found_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = page_with(tmp_path, "# Page\n\n```python\n1 / 0\n```\n", monkeypatch)
    with pytest.raises(ZeroDivisionError) as raised:
        run_python.run_python(block, {})
    assert raised.traceback[-1].lineno == 3


def test_an_endless_block_that_ends_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = page_with(tmp_path, "<!-- ends with Ctrl-C -->\n```python\nx = 1\n```\n\n```text\nnever\n```\n", monkeypatch)
    with pytest.raises(AssertionError, match="is marked as endless"):
        run_python.run_python(block, {})
