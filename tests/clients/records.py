"""The records of every scenario, derived from their numbers, so that the expected values are known exactly."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

#: The timestamp of each partition's first record; each next one is a second later.
FIRST_TIMESTAMP = 1_700_000_000_000
STEP_MS = 1_000

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Record:
    """A record at its position. Without a timestamp the client sets the time."""

    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset."""
        return self.partition, self.offset


class ValueKind(enum.Enum):
    """The values that a client can write: any bytes, or only text without empty values if its input is lines."""

    BINARY = enum.auto()
    TEXT = enum.auto()


def make(data: ValueKind, partitions: int, count: int, first: int = 0) -> list[Record]:
    """`count` records for each partition, from offset `first` on, ordered by partition."""
    return [_record(data, partition, first + n) for partition in range(partitions) for n in range(count)]


def timestamp(offset: int) -> int:
    """The timestamp of the record at an offset."""
    return FIRST_TIMESTAMP + STEP_MS * offset


def unstamped(records: list[Record]) -> list[Record]:
    """The same records, without their timestamps."""
    return [replace(record, timestamp=None) for record in records]


def in_order(records: list[Record]) -> list[Record]:
    """By partition and offset, as created by `make`."""
    return sorted(records, key=lambda record: record.place)


def _record(data: ValueKind, partition: int, offset: int) -> Record:
    text = f"value-{partition}-{offset}"
    if data is ValueKind.TEXT:
        key, value = f"key-{offset}", text + "-ünïcode-" * (offset % 50)
        headers: Headers = (("source", b"sensor"), ("unit", "°C".encode()))
        held = key.encode(), value.encode()
    else:
        held = b"\x00\xff\n" + str(offset).encode(), text.encode() + bytes(range(256)) * (offset % 200)
        headers = (("source", b"sensor"), ("bytes", b"\x00\xff\n"))
    return Record(
        partition,
        offset,
        timestamp(offset),
        None if offset % 4 == 1 else held[0],
        _value(data, offset, held[1]),
        headers if offset % 40 < 20 else (),
    )


def _value(data: ValueKind, offset: int, value: bytes) -> bytes | None:
    """A tombstone for every fourth record, and an empty value if the client can write one."""
    if offset % 4 == 3:
        return None
    return b"" if offset % 4 == 2 and data is ValueKind.BINARY else value
