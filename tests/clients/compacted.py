"""A compacted topic in which the cleaner emptied most segments: created once per broker, read by every client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.consumer import eventually
from tests.clients.records import Record, timestamp
from tests.clients.segments import Batch, batches

if TYPE_CHECKING:
    from tests.clients.client import Client
    from tests.foreign.process import StartedBroker

NAME = "compacted"
ROUNDS = 14
UPDATES = 7_000
KEYS = 100
#: The last segment, of 1 MiB, is not cleaned.
RECORDS_LEFT_MAX = 10_000

_made: dict[str, list[Record]] = {}


def records(reference: Client, target: StartedBroker) -> list[Record]:
    """The remaining content of the topic. Its cleaning has finished, so this is final."""
    if target.address not in _made:
        _made[target.address] = _make(reference, target)
    return _made[target.address]


def _make(reference: Client, target: StartedBroker) -> list[Record]:
    settings = {"cleanup.policy": "compact", "segment.bytes": str(1 << 20), "min.cleanable.dirty.ratio": "0.01"}
    reference.create_topic(NAME, 1, settings)
    written = [_record(offset) for offset in range(ROUNDS * UPDATES)]
    for start in range(0, len(written), UPDATES):
        reference.write(NAME, written[start : start + UPDATES])
    seen: list[list[Batch]] = [[], []]

    def is_clean() -> bool:
        """Most records were removed, and the topic does not change any more."""
        try:
            seen[:] = [seen[1], batches(target.data, NAME, 0)]
        except FileNotFoundError:
            return False
        return seen[0] == seen[1] and sum(batch.count for batch in seen[1]) < RECORDS_LEFT_MAX

    eventually(is_clean, lambda: f"the cleaner; {sum(batch.count for batch in seen[1])} records are left", seconds=120)
    assert all(batch.count for batch in seen[1]), "batches without records are left"
    with reference.read(NAME, 1, "earliest") as consumer:
        left = consumer.await_records(sum(batch.count for batch in seen[1]))
    last = {record.key: record for record in left}
    assert last == {record.key: record for record in written[-KEYS:]}
    return left


def _record(offset: int) -> Record:
    return Record(0, offset, timestamp(offset), b"key-%d" % (offset % KEYS), b"value-%d " % offset + b"x" * 80)
