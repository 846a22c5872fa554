"""Lets kafka-python and aiokafka encode the batches of ``cases.json`` into files that the Rust tests compare with ours.

The files are committed; this runs only when a case or a library changes::

    pip install -r bindings-python/requirements-dev.txt -c bindings-python/constraints.txt
    python core/record/tests/foreign/make_cases.py
    python core/record/tests/foreign/make_fixtures.py

``<library>/<case>.<codec>.bin`` is one batch. ``snappy-raw`` is snappy without xerial's framing, which some clients
write. ``kafka_python/magic<n>.bin`` is the record format of Kafka before 0.11, which we refuse by name.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiokafka.record.default_records as aiokafka_records
import kafka.codec
import kafka.record.default_records as kafka_records
from kafka.record.memory_records import MemoryRecordsBuilder

FIXTURES = Path(__file__).parent.parent / "fixtures"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]

Case = dict[str, Any]
Builder = Callable[..., Any]
BUILDERS: dict[str, Builder] = {
    "kafka_python": kafka_records.DefaultRecordBatchBuilder,
    "aiokafka": aiokafka_records.DefaultRecordBatchBuilder,
}


def load_cases() -> list[Case]:
    cases: list[Case] = json.loads((FIXTURES / "cases.json").read_text(encoding="utf-8"))
    return cases


def to_bytes(held: str | dict[str, Any] | None) -> bytes | None:
    if isinstance(held, dict):
        return bytes.fromhex(held["hex"]) * int(held["times"])
    return None if held is None else bytes.fromhex(held)


def encode(builder: Builder, case: Case, codec: str) -> bytes:
    producer = case["producer"] or {"id": -1, "epoch": -1, "base_sequence": -1}
    batch = builder(
        magic=2,
        compression_type=CODECS.index(codec),
        is_transactional=case["transactional"],
        producer_id=producer["id"],
        producer_epoch=producer["epoch"],
        base_sequence=producer["base_sequence"],
        batch_size=1 << 30,
    )
    for offset, record in enumerate(case["records"]):
        headers = [(name, to_bytes(value)) for name, value in record["headers"]]
        key, value = to_bytes(record["key"]), to_bytes(record["value"])
        appended = batch.append(offset, record["timestamp_ms"], key, value, headers)
        assert appended is not None, "the batch is full"
    return bytes(batch.build())


def is_compressed(batch: bytes) -> bool:
    return batch[22] & 7 != 0


def write(path: Path, batch: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(batch)


def write_raw_snappy(case: Case) -> None:
    framed = kafka_records.snappy_encode
    kafka_records.snappy_encode = functools.partial(kafka.codec.snappy_encode, xerial_compatible=False)
    batch = encode(BUILDERS["kafka_python"], case, "snappy")
    kafka_records.snappy_encode = framed
    write(FIXTURES / "kafka_python" / f"{case['name']}.snappy-raw.bin", batch)


def write_old_formats() -> None:
    for magic in (0, 1):
        builder = MemoryRecordsBuilder(magic=magic, compression_type=0, batch_size=1 << 20)
        builder.append(timestamp=1_357_000_000_000, key=b"key", value=b"a value of some bytes, longer than a header")
        builder.close()
        write(FIXTURES / "kafka_python" / f"magic{magic}.bin", bytes(builder.buffer()))


def main() -> None:
    for case in load_cases():
        for library, builder in BUILDERS.items():
            for codec in case["codecs"]:
                batch = encode(builder, case, codec)
                # Both leave a batch plain that compression would not make smaller.
                if codec == "none" or is_compressed(batch):
                    write(FIXTURES / library / f"{case['name']}.{codec}.bin", batch)
        if case["name"] in ("many", "blocks"):
            write_raw_snappy(case)
    write_old_formats()


if __name__ == "__main__":
    main()
