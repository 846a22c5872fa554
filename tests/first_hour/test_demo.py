"""The demo follows a stream, goes on where it was stopped, and ends with one line at Ctrl-C."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import headwater as hw
from tests.first_hour.pages import ROOT

DEMO = ROOT / "notebooks" / "first_stream.py"
FLIGHTS = 336_776
WITHOUT_WINDOW = os.environ | {"MPLBACKEND": "Agg"}
FAST = ("--days-per-second", "100000")


def start(folder: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, str(DEMO), *arguments]
    return subprocess.Popen(command, cwd=folder, env=WITHOUT_WINDOW, stdout=stdout, stderr=subprocess.PIPE, text=True)


def demo(folder: Path, *arguments: str) -> str:
    """Run the demo in a directory; return its output."""
    process = start(folder, *arguments)
    output, problems = process.communicate(timeout=300)
    assert (process.returncode, problems) == (0, "")
    return output


def events_in(folder: Path) -> list[int]:
    with hw.open(folder / "demo-data") as client:
        return client["flights"].scan(value="json", schema={"event": "int64"}, unnest=True).to_polars()["event"].to_list()


def test_the_demo_resumes_from_the_stored_log(tmp_path: Path) -> None:
    first = demo(tmp_path, "--fresh", "--until", "2013-04-01", *FAST)
    assert "0 events are in the log" in first
    second = demo(tmp_path, *FAST)
    assert "\n0 events" not in second
    followed = re.findall(r"following .* ([\d,]+) records", first + second)
    assert sum(int(records.replace(",", "")) for records in followed) == FLIGHTS, (
        "the consumer has read another number of records than there are"
    )
    events = events_in(tmp_path)
    assert len(events) == FLIGHTS
    assert len(set(events)) == FLIGHTS, "an event was replayed twice"
    assert (tmp_path / "demo-output" / "delays.png").stat().st_size > 10_000
    assert f"{FLIGHTS:,} events are in the log, 0 are to be replayed" in demo(tmp_path, *FAST)


def test_the_demo_on_a_part_of_the_data_shows_the_stream_the_table_and_the_picture(tmp_path: Path) -> None:
    output = demo(tmp_path, "--until", "2013-01-15", "--picture", "delays.png", *FAST)
    assert re.search(r"following   1[45] Jan 2013   +([\d,]+) records +[\d,]+ a second   lag +0", output)
    assert "United Air Lines" in output
    assert output.endswith("The picture: delays.png\n")
    assert (tmp_path / "delays.png").stat().st_size > 10_000


def test_the_line_is_live_on_a_terminal_and_ctrl_c_prints_the_command_that_goes_on(tmp_path: Path) -> None:
    terminal, its_end = pty.openpty()
    process = start(tmp_path, "--fresh", "--until", "2013-03-01", "--days-per-second", "20", stdout=its_end)
    os.close(its_end)
    output = ""
    try:
        while output.count("\rfollowing") < 3:
            output += os.read(terminal, 4096).decode()
        process.send_signal(signal.SIGINT)
        _, problems = process.communicate(timeout=120)
        output += os.read(terminal, 65536).decode()
    finally:
        process.kill()
        os.close(terminal)
    assert (process.returncode, problems) == (130, "")
    shown = output.replace("\r\n", "\n").rpartition("\r")[2].splitlines()
    assert len(shown) == 2, "more than the live line and one other line"
    command = re.fullmatch(r"Stopped\. The events so far are in demo-data\. To go on: (.*)", shown[1])
    assert command, shown
    stored = len(events_in(tmp_path))
    assert stored > 0
    words = [*shlex.split(command[1]), *FAST]
    done = subprocess.run(words, cwd=tmp_path, env=WITHOUT_WINDOW, capture_output=True, text=True, check=True)
    assert f"{stored:,} events are in the log" in done.stdout
    events = events_in(tmp_path)
    assert len(events) == len(set(events)) > stored
