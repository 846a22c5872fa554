"""Apache Kafka's own tools, from Maven, which check Headwater's files."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

from tests.foreign.one_at_a_time import one_at_a_time

HERE = Path(__file__).parent
PROJECT = Path(__file__).parents[3]
JARS = PROJECT / "build" / "kafka"
#: The file descriptor of standard error: `sys.stderr` of a notebook has none.
STANDARD_ERROR = 2
#: A small JVM that starts quickly and never compiles much.
QUICK = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8")


@functools.cache
def jars() -> Path:
    """The directory of Kafka's jars, which Maven fills the first time."""
    pom, filled = HERE / "pom.xml", JARS / "filled"
    with one_at_a_time("kafka"):
        if not filled.exists() or filled.stat().st_mtime < pom.stat().st_mtime:
            maven = shutil.which("mvn")
            assert maven, "Maven is missing: install it (Debian: apt-get install maven) to run Apache Kafka's tools"
            # Even a quiet Maven writes to standard output, which belongs to the program that controls the cluster.
            subprocess.run([maven, "-q", "-f", pom, "dependency:copy-dependencies"], check=True, stdout=STANDARD_ERROR)
            filled.touch()
    return JARS


def command(main_class: str, *arguments: str, options: tuple[str, ...] = QUICK) -> list[str]:
    """The command that runs one of Kafka's main classes, with options for the JVM."""
    return ["java", *options, "-cp", f"{jars()}/*", main_class, *arguments]


def run(main_class: str, *arguments: str, timeout: float = 120) -> str:
    """Run one of Kafka's main classes to its end; return its output. An error contains the complete output."""
    done = subprocess.run(
        command(main_class, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{main_class} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout
