"""Reads typed JSON. Records that do not fit the schema go to a dead-letter topic, with the reason, and reading goes on.

Run it: ``python bindings-python/examples/dead_letters.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import headwater as hw

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPIC, DEAD_LETTERS = "flights", "flights.dead"
SCHEMA = {"carrier": "string", "delay": "int64"}


def messages(client: hw.Client) -> Iterator[hw.Message]:
    """Yield the messages up to the end of the topic, without the dead ones."""
    with client.producer() as producer, client.consumer(TOPIC, auto_offset_reset="earliest", value="json", schema=SCHEMA) as consumer:
        while True:
            try:
                for batch in consumer.batches(until="end"):
                    yield from batch
            except hw.DecodeError as error:
                headers = {"reason": str(error), "partition": str(error.partition), "offset": str(error.offset)}
                producer.send(DEAD_LETTERS, error.value, key=error.key, headers=headers).result()
                consumer.seek({(TOPIC, error.partition or 0): (error.offset or 0) + 1})
            else:
                return


def main() -> None:
    """Show it on a topic in memory."""
    with hw.open() as client, client.producer() as producer:
        for topic in (TOPIC, DEAD_LETTERS):
            client.create_topic(topic)
        producer.send_batch(
            TOPIC, [{"carrier": "UA", "delay": 12}, b"no JSON", {"carrier": "AA", "delay": "late"}, {"carrier": "DL", "delay": 0}]
        )
        for message in messages(client):
            print(message.offset, message.value)
        for letter in client[DEAD_LETTERS].head():
            print(letter.value, dict(letter.headers)["reason"])


if __name__ == "__main__":
    main()
