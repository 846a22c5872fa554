"""Apache Kafka's `DumpLogSegments` on the data directory of a stopped broker: segments, indexes, group offsets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients import records as scenario
from tests.clients import target as targets
from tests.clients.client import Member, Strategy
from tests.clients.librdkafka import ConfluentKafka
from tests.clients.segments import CODECS
from tests.foreign import kafka

if TYPE_CHECKING:
    from pathlib import Path

DUMP = "org.apache.kafka.tools.DumpLogSegments"
PARTITIONS = 2
COUNT = 200
GROUPS = {f"{strategy.name.lower()}-group": strategy for strategy in Strategy}
COMPLAINTS = ("Mismatches", "out of order", "Indexed offset", "Found timestamp mismatch", "corrupt", "Exception", "isvalid: false")


@pytest.fixture(scope="module")
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a stopped broker that had served every codec and every kind of group."""
    folder = tmp_path_factory.mktemp("dumped")
    started = targets.start(request.config.getoption("--broker"), folder)
    try:
        client = ConfluentKafka(started.address, folder)
        client.create_topic("dumped", PARTITIONS, {"segment.bytes": str(1 << 20), "index.interval.bytes": "1024"})
        for number, codec in enumerate(CODECS):
            client.write("dumped", scenario.make(scenario.ValueKind.TEXT, PARTITIONS, COUNT, first=COUNT * number), codec)
        client.create_topic("rolled", 1, {"segment.bytes": str(1 << 20), "index.interval.bytes": "1024"})
        client.write("rolled", [scenario.Record(0, n, scenario.timestamp(n), None, b"x" * 50_000) for n in range(60)])
        for group, strategy in GROUPS.items():
            with client.join("dumped", Member(group, strategy)) as consumer:
                consumer.await_records(PARTITIONS * COUNT * len(CODECS))
                consumer.commit()
        client.close()
    finally:
        started.stop()
    return started.data


def dump(files: list[Path], *options: str) -> str:
    assert files
    return kafka.run(DUMP, "--files", ",".join(str(file) for file in sorted(files)), *options)


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_every_record_of_every_codec_is_in_the_segments(data: Path, partition: int) -> None:
    said = dump(list((data / f"dumped-{partition}").glob("*.log")), "--print-data-log")
    found = re.findall(
        r"^\| offset: (\d+) CreateTime: (\d+) keySize: .*?headerKeys: \[(.*?)\](?: key: (\S+))?(?: payload: (.*))?$", said, re.MULTILINE
    )
    expected = [
        record for record in scenario.make(scenario.ValueKind.TEXT, PARTITIONS, COUNT * len(CODECS)) if record.partition == partition
    ]
    assert found == [
        (
            str(record.offset),
            str(record.timestamp),
            ",".join(name for name, _ in record.headers),
            (record.key or b"").decode(),
            (record.value or b"").decode(),
        )
        for record in expected
    ]
    assert set(re.findall(r"compresscodec: (\w+)", said)) == set(CODECS)
    assert not any(complaint in said for complaint in COMPLAINTS), said


def test_a_topic_rolls_into_several_segments(data: Path) -> None:
    segments = list((data / "rolled-0").glob("*.log"))
    assert len(segments) > 2
    offsets = re.findall(r"^\| offset: (\d+) ", dump(segments, "--print-data-log"), re.MULTILINE)
    assert [int(offset) for offset in offsets] == list(range(60))


@pytest.mark.parametrize("kind", ["index", "timeindex"])
def test_the_indexes_are_valid(data: Path, kind: str) -> None:
    files = [file for folder in ("dumped-0", "dumped-1", "rolled-0") for file in (data / folder).glob(f"*.{kind}")]
    assert re.search(r"(offset|timestamp): \d+ ", dump(files))
    for check in ("--index-sanity-check", "--verify-index-only"):
        said = dump(files, check)
        assert not any(complaint in said for complaint in COMPLAINTS), said


def test_the_groups_are_decoded_from_consumer_offsets(data: Path) -> None:
    files = [file for folder in data.glob("__consumer_offsets-*") for file in folder.glob("*.log")]
    said = dump(files, "--offsets-decoder")
    assert not any(complaint in said for complaint in COMPLAINTS), said
    records = [(json.loads(key), json.loads(value) if value != "<DELETE>" else None) for key, value in _keyed(said)]
    committed: dict[tuple[str, int], Any] = {}
    for key, value in records:
        if key["type"] == "1" and key["data"]["topic"] == "dumped":
            committed[key["data"]["group"], key["data"]["partition"]] = value and value["data"]["offset"]
    assert committed == {(group, partition): COUNT * len(CODECS) for group in GROUPS for partition in range(PARTITIONS)}
    # A classic group keeps its members in one record (type 2); a broker-assigned group has a record with its epoch
    # (type 3).
    kinds = {
        group: {key["type"] for key, _ in records if (key["data"].get("group") or key["data"].get("groupId")) == group} for group in GROUPS
    }
    for group, strategy in GROUPS.items():
        assert kinds[group] >= ({"1", "3"} if strategy is Strategy.SERVER_SIDE else {"1", "2"}), kinds


def _keyed(said: str) -> list[tuple[str, str]]:
    return re.findall(r" key: (\{.*?\}) payload: (.*)$", said, re.MULTILINE)
