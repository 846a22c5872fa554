"""Gets Kafka's message definitions out of the jars that Apache Kafka publishes to Maven Central."""

import json
import re
import subprocess
import zipfile
from pathlib import Path

KAFKA = "4.3.1"
ARTIFACTS = ["kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator", "kafka-metadata"]
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def fetch(folder: Path) -> list[Path]:
    """The jars, copied into `folder` by Maven unless they are there already."""
    jars = []
    for artifact in ARTIFACTS:
        jar = folder / f"{artifact}-{KAFKA}.jar"
        if not jar.exists():
            coordinate = f"org.apache.kafka:{artifact}:{KAFKA}"
            subprocess.run(["mvn", "-q", "-B", COPY, f"-Dartifact={coordinate}", f"-DoutputDirectory={folder}"], check=True)
        jars.append(jar)
    return jars


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
