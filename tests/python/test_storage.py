"""Files: the number of open files is bounded, and tables in memory outlive their files."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import headwater as hw

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.embedded("is about files")

PARTITIONS = 600
OPEN_FILES_MAX = 512
MANY_PARTITIONS = f"""
import sys, headwater as hw
for round in range(3):
    with hw.open(sys.argv[1]) as client:
        topic = client.create_topic("t", partitions={PARTITIONS}, if_exists="ignore")
        with client.producer() as producer:
            sent = [producer.send("t", b"%d" % round, partition=n) for n in range({PARTITIONS})]
        assert [one.result().offset for one in sent] == [round] * {PARTITIONS}
        assert topic.scan().to_arrow().num_rows == (round + 1) * {PARTITIONS}
print("done")
"""


def test_more_written_partitions_than_files_may_be_open(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))

    done = subprocess.run(
        [sys.executable, "-c", MANY_PARTITIONS, str(tmp_path)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout == "done\n", done.stderr


def test_a_table_that_is_held_outlives_the_files_that_it_was_read_from(tmp_path: Path) -> None:
    client = hw.open(tmp_path / "data", log_retention_check_interval_ms=10, log_segment_delete_delay_ms=0)
    topic = client.create_topic("t", segment_bytes=1 << 20, retention_bytes=2 << 20)
    with client.producer() as producer:

        def write(fill: int) -> None:
            for n in range(40):
                producer.send("t", bytes([fill + n]) * 50_000)
            producer.flush()

        write(0)
        # Read twice, because data is mapped when it is read again.
        held = [pa.table(topic.scan()) for _ in range(2)]
        expected = [bytes([n]) * 50_000 for n in range(40)]

        def is_whole() -> bool:
            return all(table["value"].to_pylist() == expected for table in held)

        assert is_whole()
        write(100)
        client.delete_records("t", {0: 60})
        assert is_whole()
    client.delete_topic("t")
    assert is_whole()
    client.close()
    assert is_whole()
    shutil.rmtree(tmp_path / "data")
    assert is_whole()


def test_records_deleted_for_lack_of_space_are_counted(tmp_path: Path) -> None:
    with hw.open(tmp_path / "data", headwater_storage_max_bytes=4 << 20) as client:
        assert {count for name, count in client.metrics().items() if "-deleted-" in name} == {0}
        client.create_topic("t", segment_bytes=1 << 20)
        with client.producer() as producer:
            for _ in range(200):
                producer.send("t", bytes(50_000))
        counted = client.metrics()
        assert counted["exhaustion-deleted-segments-total"] >= 5
        assert counted["exhaustion-deleted-bytes-total"] >= 5 * 1_000_000
        assert counted["retention-time-deleted-segments-total"] == 0
        assert client.aio.metrics().keys() == counted.keys()
    with pytest.raises(hw.ClosedError):
        client.metrics()
