"""Random topics: several segments and codecs, gaps of compaction, deleted prefixes, unordered timestamps."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.python.names import name

if TYPE_CHECKING:
    import headwater as hw

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
SCHEMA = {"a": "int64", "b": "string", "c": "float64"}
BAD_VALUES = [b"{", b"\xff\xfe", b'{"a": "x"}', b'{"b": 1}', b"[1]", b"7", b'{"a": 1} 2', b""]


@dataclass
class RandomTopic:
    """A topic, and the ways to read it that a test compares."""

    topic: hw.Topic
    formats: dict[str, Any] = field(default_factory=dict)


def make(client: hw.Client, seed: int) -> RandomTopic:
    """Create the topic of that seed. Later nothing is written to it, compacted or deleted."""
    chance = random.Random(seed)
    is_dirty, is_compacted = chance.random() < 0.4, chance.random() < 0.15
    topic = client.create_topic(
        name(f"t{seed}"),
        partitions=chance.randint(1, 3),
        config={
            "internal.segment.bytes": chance.choice([2_000, 20_000, 1 << 30]),
            "retention.ms": -1,
            "cleanup.policy": "compact" if is_compacted else "delete",
            "min.cleanable.dirty.ratio": "0.0",
            "message.timestamp.type": chance.choice(["CreateTime", "CreateTime", "LogAppendTime"]),
        },
    )
    for _ in range(chance.randint(0, 4)):
        _write(client, topic, chance, is_dirty=is_dirty, has_keys=is_compacted)
        if chance.random() < 0.2:
            client.alter_topic(topic.name, config={"message.timestamp.type": chance.choice(["CreateTime", "LogAppendTime"])})
    if is_compacted:
        _wait_for_cleaner(topic)
        client.alter_topic(topic.name, config={"cleanup.policy": "delete"})
        time.sleep(0.05)
    if chance.random() < 0.4:
        starts, ends = topic.offsets("earliest"), topic.offsets("latest")
        client.delete_records(topic.name, {partition: chance.randint(starts[partition], ends[partition]) for partition in starts})
    return RandomTopic(topic, _formats(chance, is_dirty=is_dirty))


def _formats(chance: random.Random, *, is_dirty: bool) -> dict[str, Any]:
    on_error = chance.choice(["null", "skip", "skip"]) if is_dirty else chance.choice(["raise", "null", "skip"])
    kind = chance.choice(["bytes", "string", "schema", "inferred"])
    formats: dict[str, Any] = {"on_error": on_error, "key": chance.choice(["bytes", "string"])}
    if kind in ("bytes", "string"):
        return {**formats, "value": kind}
    formats |= {"value": "json", "unnest": chance.random() < 0.6}
    if formats["unnest"] and chance.random() < 0.3:
        formats["unnest_prefix"] = "field."
    if chance.random() < 0.5:
        formats["rest"] = "rest"
    if kind == "schema":
        return {**formats, "schema": {**SCHEMA, "offset": "int64"} if chance.random() < 0.5 else SCHEMA}
    # Values behind a small sample may not fit its types.
    samples = [10_000] if formats.get("on_error", "raise") == "raise" else [1, 5, 10_000]
    return {**formats, "infer_records": chance.choice(samples)}


def _write(client: hw.Client, topic: hw.Topic, chance: random.Random, *, is_dirty: bool, has_keys: bool) -> None:
    partitions = len(topic.offsets("latest"))
    base = chance.randint(0, 5_000)
    with client.producer(compression_type=chance.choice(CODECS), batch_size=chance.choice([0, 500, 16_384]), linger_ms=5) as producer:
        for number in range(chance.randint(1, 150)):
            key = None if not has_keys and chance.random() < 0.3 else f"k{chance.randint(0, 5)}".encode()
            if is_dirty and key is not None and chance.random() < 0.1:
                key = b"\xff" + key
            producer.send(
                topic.name,
                _value(chance, is_dirty=is_dirty),
                key=key,
                partition=chance.randrange(partitions),
                timestamp=max(0, base + number * 10 + chance.choice([0, 0, -40, 700])),
            )
            if chance.random() < 0.02:
                producer.flush()


def _value(chance: random.Random, *, is_dirty: bool) -> bytes | None:
    if chance.random() < 0.1:
        return None
    if is_dirty and chance.random() < 0.15:
        return chance.choice(BAD_VALUES)
    fields: dict[str, Any] = {}
    if chance.random() < 0.9:
        fields["a"] = chance.choice([None, chance.randint(-3, 9), 2**60 + chance.randint(0, 9)])
    if chance.random() < 0.8:
        fields["b"] = chance.choice([None, "", "x", "long enough to lie outside a view"])
    if chance.random() < 0.5:
        fields["c"] = chance.choice([0.5, -1.25, 3])
    if chance.random() < 0.2:
        fields["offset"] = chance.randint(0, 9)
    if chance.random() < 0.1:
        fields["timestamp"] = chance.choice(["1970-01-01", 7, None])
    if chance.random() < 0.1:
        fields["late"] = [{"deep": chance.randint(0, 3)}]
    return json.dumps(fields).encode()


def _wait_for_cleaner(topic: hw.Topic) -> None:
    """Wait until the cleaner removes no more records, or for a limited time: some topics have nothing to clean."""
    before, rested = len(topic), 0
    for _ in range(40):
        time.sleep(0.02)
        now = len(topic)
        rested = rested + 1 if now == before else 0
        before = now
        if rested == 10:
            return
