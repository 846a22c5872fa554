"""Writes ``cases.json``: the batches that we and foreign clients must encode to the same bytes.

Run it only to add a case; then run ``make_fixtures.py``. Bytes stand as hexadecimal text, or, where they repeat, as
``{"hex": ..., "times": ...}``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent.parent / "fixtures" / "cases.json"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
START_MS = 1_357_000_000_000

Record = dict[str, Any]


def record(
    timestamp_ms: int,
    key: bytes | None,
    value: bytes | dict[str, Any] | None,
    headers: list[tuple[str, bytes | None]] | None = None,
) -> Record:
    return {
        "timestamp_ms": timestamp_ms,
        "key": None if key is None else key.hex(),
        "value": value.hex() if isinstance(value, bytes) else value,
        "headers": [[name, None if held is None else held.hex()] for name, held in headers or []],
    }


def case(name: str, records: list[Record], **extra: Any) -> dict[str, Any]:
    return {"name": name, "producer": None, "transactional": False, "codecs": CODECS, "records": records} | extra


def lengths() -> list[Record]:
    """Each length around the limits of one-, two- and three-byte varints and of the encoder's inline copies."""
    near = [0, 1, 3, 4, 7, 8, 15, 16, 31, 32, 56, 57, 63, 64, 65, 127, 128, 129, 8_180, 8_190, 8_191, 8_192]
    return [record(START_MS, None, {"hex": f"{length % 251:02x}", "times": length}) for length in near]


def timestamps() -> list[Record]:
    deltas = [0, -1, 63, 64, -64, -65, 8_191, 8_192, 2**20 - 1, 2**20, -(2**20), 2**31, 2**40, -(2**40)]
    return [record(START_MS + delta, b"k", b"%d" % delta) for delta in deltas]


def many() -> list[Record]:
    carriers = [b"UA", b"AA", b"B6", b"DL"]
    return [
        record(START_MS + 60_000 * index, carriers[index % 4], b'{"flight": %d, "delay": %d}' % (index * 7 % 900, index % 60))
        for index in range(200)
    ]


CASE_LIST = [
    case("one", [record(START_MS, b"key", b"value")]),
    case("nulls", [record(START_MS, key, value) for key in (None, b"", b"k") for value in (None, b"", b"v")]),
    case(
        "headers",
        [
            record(START_MS, None, b"a", [("b", b"2"), ("a", b"1"), ("b", b"3"), ("b", None)]),
            record(START_MS + 1, b"k", None, [("", b""), ("schlüssel ✓", b"\x00\xff")]),
            record(START_MS + 2, b"k", b"v", [(f"h{index}", b"x" * index) for index in range(70)]),
        ],
    ),
    case("lengths", lengths()),
    case("timestamps", timestamps()),
    case("many", many()),
    case("idempotent", many()[:5], producer={"id": 4_000, "epoch": 7, "base_sequence": 2**31 - 3}),
    case("transactional", many()[:5], producer={"id": 2**40, "epoch": 0, "base_sequence": 0}, transactional=True),
    # More than one block of each codec; too large to keep plain.
    case("blocks", [record(START_MS, None, {"hex": "00010203040506", "times": 10_000})] * 3, codecs=CODECS[1:]),
]

if __name__ == "__main__":
    CASES.write_text(json.dumps(CASE_LIST, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
