"""Whole frames: a topic into one Polars frame, and a Polars frame into a topic."""

from __future__ import annotations

from abc import abstractmethod

import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition
from kafkarrow import ConsumerManager, SourceTopic

import headwater as hw
from tests.bench.connect import confluent
from tests.bench.connect.load import RECORD_BYTES, Load, random_values

SCHEMA = {"partition": pl.Int32, "offset": pl.Int64, "timestamp": pl.Int64, "key": pl.Binary, "value": pl.Binary}


class ConsumeFrame(Load):
    """Read all records of the one partition into one frame."""

    @abstractmethod
    def run(self, topic: str) -> pl.DataFrame:
        """Return the frame."""

    def check(self, result: object) -> None:
        """Look for each record."""
        assert isinstance(result, pl.DataFrame)
        assert result["offset"].equals(pl.int_range(self.records, eager=True).alias("offset"))
        assert result["value"].bin.size().sum() == self.records * RECORD_BYTES


class OurConsumeFrame(ConsumeFrame):
    """A consumer's batches."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.client = hw.connect(address)

    def run(self, topic: str) -> pl.DataFrame:
        with self.client.consumer(topic, auto_offset_reset="earliest") as consumer:
            return pl.concat([batch.to_polars() for batch in consumer.batches(until="end")], rechunk=False)


class ConfluentConsumeFrame(ConsumeFrame):
    """`consume(10000)`, a frame of each."""

    def run(self, topic: str) -> pl.DataFrame:
        consumer = Consumer(confluent.consumer_config(self.address))
        consumer.assign([TopicPartition(topic, 0, 0)])
        frames: list[pl.DataFrame] = []
        left = self.records
        while left:
            messages = consumer.consume(10_000, timeout=10)
            assert messages, f"{left} records did not come"
            columns = {
                "partition": [message.partition() for message in messages],
                "offset": [message.offset() for message in messages],
                "timestamp": [message.timestamp()[1] for message in messages],
                "key": [message.key() for message in messages],
                "value": [message.value() for message in messages],
            }
            frames.append(pl.DataFrame(columns, schema=SCHEMA))
            left -= len(messages)
        consumer.close()
        return pl.concat(frames, rechunk=False)


class KafkarrowConsumeFrame(ConsumeFrame):
    """kafkarrow's polls, which give Arrow."""

    def run(self, topic: str) -> pl.DataFrame:
        config = {key: str(value) for key, value in confluent.consumer_config(self.address).items()}
        manager = ConsumerManager(config, [SourceTopic.from_earliest(topic)], batch_size=100_000)
        frames: list[pl.DataFrame] = []
        left = self.records
        while left:
            batch = manager.poll(timeout_ms=10)
            if batch.num_rows:
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                frames.append(frame)
                left -= batch.num_rows
        return pl.concat(frames, rechunk=False)


class ProduceFrame(Load):
    """Write a frame of values and wait until all of it is acknowledged."""

    def check(self, result: object) -> None:
        """Look for each record."""
        with hw.connect(self.address) as client:
            assert len(client[str(result)]) == self.records


class OurProduceFrame(ProduceFrame):
    """`send_batch()`."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = hw.connect(address).producer()
        self.frame = pl.DataFrame({"value": random_values(records)})

    def run(self, topic: str) -> str:
        self.producer.send_batch(topic, self.frame, value="value")
        return topic


class ConfluentProduceFrame(ProduceFrame):
    """`produce()` in a loop over the values, which are Python objects already."""

    def __init__(self, address: str, records: int) -> None:
        super().__init__(address, records)
        self.producer = Producer(confluent.producer_config(address))
        self.values = random_values(records)

    def run(self, topic: str) -> str:
        confluent.produce(self.producer, topic, self.values)
        return topic
