"""The headers of the record batches in a partition's directory, as the broker stores them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
#: Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, two timestamps, producer id and epoch,
#: sequence, count.
HEADER = struct.Struct(">qiibIhiqqqhii")
BEFORE_LENGTH_COUNTS = 12


@dataclass(frozen=True)
class Batch:
    """A record batch's header."""

    base_offset: int
    codec: str
    producer_id: int
    base_sequence: int
    count: int


def batches(data: Path, topic: str, partition: int) -> list[Batch]:
    """The batches of a partition, from the data directory of a running or stopped broker."""
    found = []
    for segment in sorted((data / f"{topic}-{partition}").glob("*.log")):
        content = segment.read_bytes()
        position = 0
        # A running broker may have space after the last batch: zeros, as with `preallocate`.
        while any(content[position : position + HEADER.size]):
            base_offset, length, _, magic, _, attributes, _, _, _, producer_id, _, sequence, count = HEADER.unpack_from(content, position)
            assert magic == 2
            found.append(Batch(base_offset, CODECS[attributes & 7], producer_id, sequence, count))
            position += BEFORE_LENGTH_COUNTS + length
        assert not any(content[position:]), "zeros are followed by other bytes"
    return found
