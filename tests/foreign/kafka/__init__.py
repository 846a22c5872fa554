"""Apache Kafka's own tools, from Maven, as judges of our files."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[3]
JARS = PROJECT / "build" / "kafka"


@functools.cache
def jars() -> Path:
    """The folder of Kafka's jars, filled by Maven the first time."""
    if not any(JARS.glob("kafka-tools-*.jar")):
        maven = shutil.which("mvn")
        assert maven, "Maven is missing: install it (Debian: apt-get install maven) to run the judges that are Apache Kafka's"
        subprocess.run([maven, "-q", "-f", Path(__file__).with_name("pom.xml"), "dependency:copy-dependencies"], check=True)
    return JARS


def run(main_class: str, *arguments: str, timeout: float = 120) -> str:
    """Run a main class of Kafka's to its end; return what it printed. A failure raises with all of it."""
    done = subprocess.run(
        ["java", "-cp", f"{jars()}/*", main_class, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{main_class} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout
