"""kafka-python and aiokafka read the record batches that the core encodes, with every codec.

The Rust tests check the other direction (``core/record/tests/it/foreign_batches.rs``). The codec libraries of both
clients are in ``bindings-python/requirements-dev.txt``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import aiokafka.codec
import kafka.codec
import pytest
from aiokafka.record import default_records as aiokafka_default_records
from aiokafka.record import memory_records as aiokafka_memory_records
from kafka.record import default_records as kafka_default_records
from kafka.record import memory_records as kafka_memory_records

ROOT = Path(__file__).parents[2]
CASES = ROOT / "core" / "record" / "tests" / "fixtures" / "cases.json"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
READERS = {
    "kafka-python": kafka_memory_records.MemoryRecords,
    "aiokafka": aiokafka_memory_records.MemoryRecords,
}

Case = dict[str, Any]


def load_cases() -> list[Case]:
    cases: list[Case] = json.loads(CASES.read_text(encoding="utf-8"))
    return cases


def to_bytes(held: str | dict[str, Any] | None) -> bytes | None:
    if isinstance(held, dict):
        return bytes.fromhex(held["hex"]) * int(held["times"])
    return None if held is None else bytes.fromhex(held)


def can_read(library: str, codec: str) -> bool:
    """Whether the client has the library for this codec."""
    module = kafka.codec if library == "kafka-python" else aiokafka.codec
    return codec == "none" or bool(getattr(module, f"has_{codec}")())


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the batches that the core encoded."""
    output = tmp_path_factory.mktemp("batches")
    command = ["cargo", "run", "--profile", "quick", "--quiet", "--package", "headwater-record", "--example", "encode_batches", "--"]
    subprocess.run([*command, str(CASES), str(output)], cwd=ROOT, check=True)
    return output


def read_one(library: str, data: bytes) -> Any:
    """The only batch in the bytes; its CRC is valid and no bytes follow."""
    records = READERS[library](data)
    batch = records.next_batch()
    assert batch is not None
    assert batch.validate_crc()
    assert not records.has_next()
    return batch


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: str(case["name"]))
@pytest.mark.parametrize("library", READERS)
def test_a_foreign_client_reads_what_the_core_encodes(encoded: Path, library: str, case: Case, codec: str) -> None:
    assert can_read(library, codec), f"{library} misses its {codec} library: see bindings-python/requirements-dev.txt"
    batch = read_one(library, (encoded / f"{case['name']}.{codec}.bin").read_bytes())

    assert batch.base_offset == 0
    assert batch.compression_type == CODECS.index(codec)
    assert batch.is_transactional == case["transactional"]
    producer = case["producer"] or {"id": -1, "epoch": -1, "base_sequence": -1}
    assert [batch.producer_id, batch.producer_epoch, batch.base_sequence] == list(producer.values())
    assert batch.max_timestamp == max(record["timestamp_ms"] for record in case["records"])

    read = list(batch)
    assert len(read) == len(case["records"])
    for offset, (got, expected) in enumerate(zip(read, case["records"], strict=True)):
        assert got.offset == offset
        assert got.timestamp == expected["timestamp_ms"]
        assert got.key == to_bytes(expected["key"])
        assert got.value == to_bytes(expected["value"])
        assert [tuple(header) for header in got.headers] == [(name, to_bytes(value)) for name, value in expected["headers"]]


@pytest.mark.parametrize("marker", ["commit", "abort"])
@pytest.mark.parametrize("library", READERS)
def test_a_foreign_client_reads_our_transaction_markers(encoded: Path, library: str, marker: str) -> None:
    batch = read_one(library, (encoded / f"control-{marker}.bin").read_bytes())
    assert batch.is_control_batch
    assert batch.is_transactional
    assert batch.producer_id == 4000
    (record,) = list(batch)
    assert record.key == b"\x00\x00" + (b"\x00\x01" if marker == "commit" else b"\x00\x00")
    assert record.value == b"\x00\x00\x00\x00\x00\x03"


@pytest.mark.parametrize("library", ["kafka_python", "aiokafka"])
def test_the_committed_fixtures_equal_the_encoding_of_the_client(library: str) -> None:
    """Only plain batches: compressed bytes change with the codec libraries."""
    module = kafka_default_records if library == "kafka_python" else aiokafka_default_records
    builder = module.DefaultRecordBatchBuilder
    for case in load_cases():
        fixture = CASES.parent / library / f"{case['name']}.none.bin"
        if "none" not in case["codecs"]:
            assert not fixture.exists()
            continue
        producer = case["producer"] or {"id": -1, "epoch": -1, "base_sequence": -1}
        batch = builder(
            magic=2,
            compression_type=0,
            is_transactional=case["transactional"],
            producer_id=producer["id"],
            producer_epoch=producer["epoch"],
            base_sequence=producer["base_sequence"],
            batch_size=1 << 30,
        )
        for offset, record in enumerate(case["records"]):
            headers = [(name, to_bytes(value)) for name, value in record["headers"]]
            batch.append(offset, record["timestamp_ms"], to_bytes(record["key"]), to_bytes(record["value"]), headers)
        assert bytes(batch.build()) == fixture.read_bytes(), case["name"]
