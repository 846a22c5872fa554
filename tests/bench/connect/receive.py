"""Receives a topic and reads nothing but the offsets: the limit of each consumer, which broker and kernel set."""

from __future__ import annotations

import socket
import struct

from tests.bench.connect.load import Load

FETCH, VERSION = 1, 11
#: The sizes of our consumer's defaults.
FETCH_BYTES, PARTITION_BYTES = 52_428_800, 1_048_576
#: The fields between the length of a response and that of its records, without the topic's name: correlation id,
#: throttle time, error, session, number of topics, length of the name, number of partitions, partition, error, three
#: offsets, number of aborted transactions, preferred replica.
BEFORE_RECORDS = struct.calcsize(">iihiihiihqqqii")
#: The last offset delta's position in a batch.
LAST_OFFSET_DELTA = 23


class ReceiveOnly(Load):
    """One fetch after the other on one connection, into one buffer. The result is the number of records."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.buffer = memoryview(bytearray(4 * PARTITION_BYTES))

    def run(self, topic: str) -> int:
        host, port = self.address.split(":")
        offset = 0
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while offset < self.records:
                connection.sendall(fetch(topic, offset))
                offset = self.next_offset(topic, self.receive(connection), offset)
        return offset

    def check(self, result: object) -> None:
        """Check the number."""
        assert result == self.records

    def receive(self, connection: socket.socket) -> int:
        """Receive a response, and return its length."""
        self.fill(connection, 4)
        (length,) = struct.unpack_from(">i", self.buffer)
        self.fill(connection, length)
        return int(length)

    def fill(self, connection: socket.socket, size: int) -> None:
        """Receive this number of bytes."""
        received = 0
        while received < size:
            count = connection.recv_into(self.buffer[received:size])
            assert count, "the broker closed the connection"
            received += count

    def next_offset(self, topic: str, length: int, offset: int) -> int:
        """The offset after the last whole batch of the response in the buffer."""
        start = BEFORE_RECORDS + len(topic) + 4
        while start + LAST_OFFSET_DELTA + 4 <= length:
            base, size = struct.unpack_from(">qi", self.buffer, start)
            (delta,) = struct.unpack_from(">i", self.buffer, start + LAST_OFFSET_DELTA)
            start += 12 + size
            if start > length:
                break
            offset = base + delta + 1
        return offset


def fetch(topic: str, offset: int) -> bytes:
    """A fetch of the topic's only partition."""
    name = struct.pack(">h", len(topic)) + topic.encode()
    header = struct.pack(">hhih", FETCH, VERSION, 0, -1)
    limits = struct.pack(">iiiibii", -1, 500, 1, FETCH_BYTES, 0, 0, -1)
    partition = struct.pack(">iiiqqi", 1, 0, -1, offset, -1, PARTITION_BYTES)
    body = header + limits + struct.pack(">i", 1) + name + partition + struct.pack(">ih", 0, 0)
    return struct.pack(">i", len(body)) + body
