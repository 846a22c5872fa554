"""The records part of the scenario: one client writes and the reference reads, and the other way round."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.clients import compacted
from tests.clients import records as scenario
from tests.clients.consumer import eventually
from tests.clients.records import Headers, Record
from tests.clients.scenario import Scenario
from tests.clients.segments import CODECS, batches

if TYPE_CHECKING:
    from tests.clients.client import At, Client
    from tests.foreign.process import StartedBroker

COUNT = 60
HEADERS: dict[str, Headers] = {
    "repeated": (("a", b"1"), ("a", b"2"), ("b", b"3")),
    "null": (("a", None),),
    "empty": (("a", b""),),
    "unicode": (("größe", b"x"),),
}


class Records(Scenario):
    """Produce and consume. Compares the partition, offset, timestamp, key, value and headers of each record."""

    def read_all(self, client: Client, topic: str, partitions: int, at: At, expected: int) -> list[Record]:
        with client.read(topic, partitions, at) as consumer:
            consumer.await_records(expected)
        return scenario.in_order(consumer.records)

    @pytest.mark.parametrize("codec", CODECS)
    def test_writes_with_codec(self, client: Client, target: StartedBroker, name: str, codec: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = scenario.make(client.data, 1, COUNT)
        started = time.time_ns() // 1_000_000
        client.write(name, scenario.unstamped(written), codec)
        read = self.read_all(self.reference, name, 1, "earliest", COUNT)
        ended = time.time_ns() // 1_000_000
        assert scenario.unstamped(read) == scenario.unstamped(written)
        assert all(record.timestamp and started <= record.timestamp <= ended for record in read)
        # A batch that does not become smaller may stay uncompressed.
        assert codec in {batch.codec for batch in batches(target.data, name, 0)} <= {codec, "none"}

    def test_writes_to_given_partitions_with_given_timestamps(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 3, {})
        written = scenario.make(client.data, 3, COUNT)
        client.write(name, written)
        assert self.read_all(self.reference, name, 3, "earliest", 3 * COUNT) == written

    def test_writes_idempotently(self, client: Client, target: StartedBroker, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = scenario.make(client.data, 1, COUNT)
        client.write(name, scenario.unstamped(written), idempotent=True)
        read = self.read_all(self.reference, name, 1, "earliest", COUNT)
        assert scenario.unstamped(read) == scenario.unstamped(written)
        found = batches(target.data, name, 0)
        assert all(batch.producer_id >= 0 for batch in found)
        # A client may use a new producer id for a part of them; each starts at 0.
        assert found[0].base_sequence == 0

    @pytest.mark.parametrize("kind", HEADERS)
    def test_writes_headers(self, client: Client, name: str, kind: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = [Record(0, 0, None, b"key", b"value", HEADERS[kind])]
        client.write(name, written)
        assert scenario.unstamped(self.read_all(self.reference, name, 1, "earliest", 1)) == written

    @pytest.mark.parametrize("kind", HEADERS)
    def test_reads_headers(self, client: Client, name: str, kind: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = [Record(0, 0, scenario.timestamp(0), b"key", b"value", HEADERS[kind])]
        self.reference.write(name, written)
        assert self.read_all(client, name, 1, "earliest", 1) == written

    @pytest.mark.parametrize("codec", CODECS)
    def test_reads_with_codec(self, client: Client, target: StartedBroker, name: str, codec: str) -> None:
        self.reference.create_topic(name, 3, {})
        written = scenario.make(client.data, 3, COUNT)
        self.reference.write(name, written, codec)
        assert self.read_all(client, name, 3, "earliest", 3 * COUNT) == written
        assert codec in {batch.codec for batch in batches(target.data, name, 0)}

    def test_reads_from_the_end_only_new_records(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = scenario.make(client.data, 1, COUNT)
        self.reference.write(name, written)
        with client.read(name, 1, "latest") as consumer:

            def has_caught_up() -> bool:
                """Write one more; a client that started at the end gets all records from some time on."""
                following = scenario.make(client.data, 1, 1, first=len(written))
                self.reference.write(name, following)
                written.extend(following)
                return len(consumer.records) >= 3

            eventually(has_caught_up, "three records")
            eventually(lambda: consumer.records[-1].offset == len(written) - 1, "the last record")
        first = consumer.records[0].offset
        assert first >= COUNT
        assert consumer.records == written[first:]

    def test_reads_from_a_time(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 2, {})
        written = scenario.make(client.data, 2, COUNT)
        self.reference.write(name, written)
        between = scenario.timestamp(COUNT // 2) - scenario.STEP_MS // 2
        younger = [record for record in written if record.offset >= COUNT // 2]
        assert self.read_all(client, name, 2, between, len(younger)) == younger

    def test_finds_offsets(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 2, {})
        self.reference.write(name, scenario.make(client.data, 1, COUNT))
        assert client.offset(name, 0, "earliest") == 0
        assert client.offset(name, 0, "latest") == COUNT
        assert client.offset(name, 1, "latest") == 0
        for offset in (0, 1, COUNT // 2, COUNT - 1):
            exactly = scenario.timestamp(offset)
            assert client.offset(name, 0, exactly) == offset
            assert client.offset(name, 0, exactly - 1) == offset
        assert client.offset(name, 0, scenario.timestamp(COUNT)) is None

    def test_deletes_records(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 2, {})
        written = scenario.make(client.data, 2, COUNT)
        self.reference.write(name, written)
        client.delete_records(name, 1, COUNT - 10)
        assert self.reference.offset(name, 0, "earliest") == 0
        assert self.reference.offset(name, 1, "earliest") == COUNT - 10
        left = [record for record in written if record.partition == 0 or record.offset >= COUNT - 10]
        assert self.read_all(self.reference, name, 2, "earliest", len(left)) == left

    def test_reads_the_records_after_a_deletion(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = scenario.make(client.data, 1, COUNT)
        self.reference.write(name, written)
        self.reference.delete_records(name, 0, 20)
        assert self.read_all(client, name, 1, "earliest", COUNT - 20) == written[20:]

    def test_reads_a_compacted_topic(self, client: Client, target: StartedBroker) -> None:
        left = compacted.records(self.reference, target)
        with client.read(compacted.NAME, 1, "earliest") as consumer:
            assert consumer.await_records(len(left)) == left

    def test_continues_where_another_client_wrote(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        written = scenario.unstamped(scenario.make(client.data, 1, 3 * COUNT))
        self.reference.write(name, written[:COUNT], "zstd")
        client.write(name, written[COUNT : 2 * COUNT])
        self.reference.write(name, written[2 * COUNT :], idempotent=True)
        read = self.read_all(self.reference, name, 1, "earliest", 3 * COUNT)
        assert scenario.unstamped(read) == written
