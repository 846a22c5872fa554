"""Apache Kafka's `DumpLogSegments` reads a partition after compaction."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

import headwater as hw
from tests.foreign import kafka

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 12_000
KEYS = 50
#: Sent once, at the beginning, and deleted right after: only its tombstone stays.
GONE = "gone"
PATIENCE_S = 60


@pytest.fixture(scope="module")
def partition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partition's directory that the cleaner has cleaned, closed by Headwater."""
    data = tmp_path_factory.mktemp("compacted")
    config = {"log.cleaner.backoff.ms": "50", "log.flush.scheduler.interval.ms": "50"}
    with hw.open(data, config=config) as client:
        client.create_topic("compacted", cleanup_policy="compact", segment_bytes=1 << 20, index_interval_bytes=1024)
        with client.producer(batch_size=2_000, linger_ms=50, compression_type="lz4") as producer:
            producer.send("compacted", "soon deleted", key=GONE)
            producer.send("compacted", None, key=GONE)
            for n in range(RECORDS):
                producer.send("compacted", f"value-{n}-" + random_text(n), key=f"key-{n % KEYS}", timestamp=1_700_000_000_000 + n)
        folder = data / "compacted-0"
        deadline = time.monotonic() + PATIENCE_S
        while size(folder) > 2 << 20:
            assert time.monotonic() < deadline, f"{size(folder)} bytes are left"
            time.sleep(0.05)
    return folder


def random_text(n: int) -> str:
    """Text that a codec cannot compress much."""
    return "".join(f"{(n * 2654435761 + part * 40503 * (n + 1)) % 2**32:08x}" for part in range(50))


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.log"))


def dump(files: list[Path], *options: str) -> str:
    assert files
    return kafka.run("org.apache.kafka.tools.DumpLogSegments", "--files", ",".join(str(file) for file in sorted(files)), *options)


def test_kafka_finds_the_last_record_of_each_key(partition: Path) -> None:
    said = dump(list(partition.glob("*.log")), "--print-data-log")
    assert "isvalid: false" not in said
    found = re.findall(r"^\| offset: (\d+) CreateTime: (\d+) .*key: key-(\d+) payload: value-(\d+)-", said, re.MULTILINE)
    assert len(found) < RECORDS / 2, "it was compacted"
    assert all(int(offset) == int(n) + 2 and int(when) == 1_700_000_000_000 + int(n) for offset, when, _, n in found)
    last = {int(key): int(n) for _, _, key, n in found}
    assert last == {n % KEYS: n for n in range(RECORDS - KEYS, RECORDS)}
    offsets = [int(offset) for offset, *_ in found]
    assert offsets == sorted(set(offsets))


def test_kafka_finds_the_tombstone_and_its_delete_horizon(partition: Path) -> None:
    said = dump(list(partition.glob("*.log")), "--print-data-log")
    horizons = re.findall(r"deleteHorizonMs: OptionalLong\[(\d+)\]", said)
    assert len(horizons) == 1
    day_ms = 24 * 60 * 60 * 1000
    assert abs(int(horizons[0]) - (time.time() * 1000 + day_ms)) < 10 * PATIENCE_S * 1000
    assert re.search(r"^\| offset: 1 CreateTime: \d+ .*key: gone(?! payload: soon)", said, re.MULTILINE), said[:2000]
    assert "soon deleted" not in said


@pytest.mark.parametrize("ending", ["index", "timeindex"])
def test_kafka_finds_no_fault_in_an_index(partition: Path, ending: str) -> None:
    files = list(partition.glob(f"*.{ending}"))
    for check in ("--index-sanity-check", "--verify-index-only"):
        said = dump(files, check)
        for complaint in ("Mismatches", "out of order", "Indexed offset", "Found timestamp mismatch", "corrupt", "Exception"):
            assert complaint not in said, said


def test_kafka_reads_the_cleaners_checkpoint(partition: Path) -> None:
    version, count, *lines = (partition.parent / "cleaner-offset-checkpoint").read_text().splitlines()
    assert (version, count) == ("0", str(len(lines)))
    assert any(re.fullmatch(r"compacted 0 \d+", line) for line in lines)
