"""Reads a topic into Polars frames, and writes a Polars frame to a topic."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition
from kafkarrow import ConsumerManager, SourceTopic

import headwater as hw
from tests.bench import confluent
from tests.bench.connect.load import RECORD_BYTES, Load, random_values

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = {"partition": pl.Int32, "offset": pl.Int64, "timestamp": pl.Int64, "key": pl.Binary, "value": pl.Binary}


class ConsumeFrames(Load):
    """Read all records of the only partition as frames, and read each frame. The result is the sum of value sizes."""

    @abstractmethod
    def frames(self, topic: str) -> Iterator[pl.DataFrame]:
        """The frames, at least until all records have arrived."""

    def run(self, topic: str) -> int:
        left, size = self.records, 0
        for frame in self.frames(topic):
            size += int(frame["value"].bin.size().sum())
            left -= len(frame)
            if not left:
                break
        return size

    def check(self, result: object) -> None:
        """Check the sum."""
        assert result == self.records * RECORD_BYTES


class OurConsumeFrames(ConsumeFrames):
    """Uses a consumer's batches."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.client = hw.connect(address)

    def frames(self, topic: str) -> Iterator[pl.DataFrame]:
        consumer = self.client.consumer(topic, auto_offset_reset="earliest")
        self.after.callback(consumer.close)
        for batch in consumer.batches():
            yield batch.to_polars()


class ConfluentConsumeFrames(ConsumeFrames):
    """Uses `consume(10000)`, with one frame for each call."""

    def frames(self, topic: str) -> Iterator[pl.DataFrame]:
        consumer = Consumer(confluent.consumer_config(self.address))
        self.after.callback(consumer.close)
        consumer.assign([TopicPartition(topic, 0, 0)])
        while messages := consumer.consume(10_000, timeout=10):
            columns = {
                "partition": [message.partition() for message in messages],
                "offset": [message.offset() for message in messages],
                "timestamp": [message.timestamp()[1] for message in messages],
                "key": [message.key() for message in messages],
                "value": [message.value() for message in messages],
            }
            yield pl.DataFrame(columns, schema=SCHEMA)


class KafkarrowConsumeFrames(ConsumeFrames):
    """Uses kafkarrow's polls, which return Arrow data."""

    def frames(self, topic: str) -> Iterator[pl.DataFrame]:
        config = {key: str(value) for key, value in confluent.consumer_config(self.address).items()}
        config["enable.auto.commit"] = "false"
        manager = ConsumerManager(config, [SourceTopic.from_earliest(topic)], batch_size=100_000)
        # It has no close method: dropping it ends it.
        while True:
            frame = pl.from_arrow(manager.poll(timeout_ms=10))
            assert isinstance(frame, pl.DataFrame)
            yield frame


class ProduceFrame(Load):
    """Write a frame of values and wait for the acknowledgement of all records."""

    def check(self, result: object) -> None:
        """Check that each record exists."""
        with hw.connect(self.address) as client:
            assert len(client[str(result)]) == self.records


class OurProduceFrame(ProduceFrame):
    """Uses `send_batch()`."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = hw.connect(address).producer()
        self.frame = pl.DataFrame({"value": random_values(records)})

    def run(self, topic: str) -> str:
        self.producer.send_batch(topic, self.frame, value="value")
        return topic


class ConfluentProduce(ProduceFrame):
    """Uses `produce()` in a loop over the values, which are already Python objects."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = Producer(confluent.producer_config(address))
        self.values = random_values(records)

    def run(self, topic: str) -> str:
        confluent.produce(self.producer, topic, self.values)
        return topic
