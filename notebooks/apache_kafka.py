"""A broker of Apache Kafka for a notebook: the one that the project's tests start.

You do not need it with your own cluster. It needs Java 17 and Maven; the first start downloads Kafka from Maven Central
(54 MB).
"""

from __future__ import annotations

import atexit
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.foreign import kafka
from tests.foreign.kafka import broker

if TYPE_CHECKING:
    from tests.foreign.process import StartedBroker


def start() -> StartedBroker:
    """Start a broker on a free port of this machine. It ends with the notebook, and its data is deleted."""
    folder = tempfile.TemporaryDirectory(prefix="apache-kafka-")
    started = broker.start(Path(folder.name), {})
    # The function that is registered last runs first.
    atexit.register(folder.cleanup)
    atexit.register(started.stop)
    return started


def count_records(address: str, topic: str) -> int:
    """The number of records of a topic, from Kafka's own `GetOffsetShell`."""
    said = kafka.run(
        "org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", address, "--topic", topic
    )
    return sum(int(end) for end in re.findall(rf"^{topic}:\d+:(\d+)$", said, re.MULTILINE))
