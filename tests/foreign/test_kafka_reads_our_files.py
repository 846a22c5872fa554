"""Apache Kafka's `DumpLogSegments` reads every file in a partition's directory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import headwater as hw
from tests.foreign import kafka

RECORDS = 10_000


@pytest.fixture(scope="module")
def partition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A partition's directory with several segments, written and closed by Headwater."""
    data = tmp_path_factory.mktemp("judged")
    with hw.open(data) as client:
        client.create_topic("judged", segment_bytes=1 << 20, index_interval_bytes=1024, retention_ms=-1)
        with client.producer(batch_size=2_000, linger_ms=50) as producer:
            for n in range(RECORDS):
                producer.send("judged", f"value-{n}-" + "x" * 300, key=f"key-{n % 100}", timestamp=1_700_000_000_000 + n)
    return data / "judged-0"


def dump(*files: Path, options: tuple[str, ...] = ()) -> str:
    names = ",".join(str(file) for file in files)
    return kafka.run("org.apache.kafka.tools.DumpLogSegments", "--files", names, *options)


def test_kafka_reads_every_record_of_every_segment(partition: Path) -> None:
    logs = sorted(partition.glob("*.log"))
    assert len(logs) > 2, "the test needs several segments"
    text = dump(*logs, options=("--print-data-log",))
    found = re.findall(r"^\| offset: (\d+) CreateTime: (\d+) .*key: (\S+) payload: value-(\d+)-", text, re.MULTILINE)
    assert [int(offset) for offset, *_ in found] == list(range(RECORDS))
    assert all(int(time) == 1_700_000_000_000 + int(n) and key == f"key-{int(n) % 100}" for _, time, key, n in found)
    assert "isvalid: false" not in text
    assert "isvalid: true" in text


@pytest.mark.parametrize("ending", ["index", "timeindex"])
def test_kafka_finds_no_fault_in_an_index(partition: Path, ending: str) -> None:
    files = sorted(partition.glob(f"*.{ending}"))
    assert files
    # First its entries, then the check of a starting broker, then every entry against the log.
    assert re.search(r"(offset|timestamp): \d+ ", dump(*files))
    for check in ("--index-sanity-check", "--verify-index-only"):
        text = dump(*files, options=(check,))
        for complaint in ("Mismatches", "out of order", "Indexed offset", "Found timestamp mismatch", "corrupt", "Exception"):
            assert complaint not in text, text


def test_kafka_reads_the_producer_snapshots(partition: Path) -> None:
    snapshots = sorted(partition.glob("*.snapshot"))
    assert snapshots, "a closed partition has a snapshot of its producers"
    text = dump(snapshots[-1])
    assert re.search(r"producerId: \d+ producerEpoch: 0 .*lastSequence: " + str(RECORDS - 1), text), text
