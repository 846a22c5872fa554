"""Gets Kafka's message definitions out of the jars that Apache Kafka publishes to Maven Central."""

import json
import re
import subprocess
import zipfile
from pathlib import Path

KAFKA = "4.3.1"
ARTIFACTS = ["kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator", "kafka-metadata"]
LOGGING = "org.slf4j:slf4j-api:1.7.36"  # Kafka's classes do not load without it.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def fetch(folder: Path) -> list[Path]:
    """The jars, copied into `folder` by Maven unless they are there already."""
    return [copy(f"org.apache.kafka:{artifact}:{KAFKA}", folder) for artifact in ARTIFACTS]


def copy(coordinate: str, folder: Path) -> Path:
    _, artifact, version = coordinate.split(":")
    jar = folder / f"{artifact}-{version}.jar"
    if not jar.exists():
        subprocess.run(["mvn", "-q", "-B", COPY, f"-Dartifact={coordinate}", f"-DoutputDirectory={folder}"], check=True)
    return jar


def judge(folder: Path, samples: Path, accepted: Path) -> int:
    """Writes the samples that Kafka decodes and encodes to the same bytes to `accepted`; 1 if a line is not a sample."""
    jars = [*fetch(folder), copy(LOGGING, folder)]
    program = Path(__file__).with_name("Judge.java")
    command = ["java", "-cp", ":".join(str(jar) for jar in jars), str(program)]
    with samples.open() as lines, accepted.open("w") as out:
        return subprocess.run(command, stdin=lines, stdout=out).returncode


def definitions(jars: list[Path]) -> dict[str, dict]:
    """Every message definition by its name, without its comments and sentences: facts only."""
    found = {}
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            for entry in archive.namelist():
                if re.fullmatch(r"common/(message|metadata)/\w+\.json", entry):
                    text = re.sub(r"^\s*//.*$", "", archive.read(entry).decode(), flags=re.MULTILINE)
                    definition = json.loads(text)
                    found[definition["name"]] = definition
    return found
