"""Futures and calls work with the standard library: concurrent.futures, asyncio, pickle."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
import headwater.aio as aio
from tests.python.names import name, own_topics

if TYPE_CHECKING:
    from tests.python.target import Target


def test_wait_and_as_completed_take_futures(client: hw.Client) -> None:
    client.create_topic(name("t"), max_message_bytes=1000)
    with client.producer(linger_ms=60_000, batch_size=200, compression_type="none") as producer:
        sent = [producer.send(name("t"), f"{n}") for n in range(100)]
        done, pending = concurrent.futures.wait(sent, timeout=20)
        assert done == set(sent)
        assert not pending
        more = [producer.send(name("t"), f"{n}") for n in range(100)]
        finished = list(concurrent.futures.as_completed(more, timeout=20))
        assert set(finished) == set(more)
        assert len(finished) == 100
        assert sorted(future.result().offset or 0 for future in finished) == list(range(100, 200))
        # Finished futures stay finished, and can be waited for again.
        assert concurrent.futures.wait([*sent, *more], timeout=0).not_done == set()
        first = concurrent.futures.wait([producer.send(name("t"), b"x")], timeout=20, return_when="FIRST_COMPLETED")
        assert len(first.done) == 1


def test_a_failure_ends_a_wait_for_the_first_exception(client: hw.Client) -> None:
    client.create_topic(name("t"), max_message_bytes=1000)
    with client.producer(linger_ms=60_000) as producer:
        refused = producer.send(name("t"), b"x" * 5_000, partition=0)
        done, _ = concurrent.futures.wait([refused], timeout=20, return_when="FIRST_EXCEPTION")
        assert done == {refused}
        assert isinstance(refused.exception(), hw.RecordTooLargeError)


def test_futures_mix_with_those_of_others(client: hw.Client) -> None:
    client.create_topic(name("t"))
    with client.producer() as producer, concurrent.futures.ThreadPoolExecutor() as pool:
        futures: list[concurrent.futures.Future[Any]] = [pool.submit(pow, 2, 5), producer.send(name("t"), b"x")]
        assert concurrent.futures.wait(futures, timeout=20).not_done == set()
        assert {type(future.result()).__name__ for future in concurrent.futures.as_completed(futures)} == {"int", "RecordMetadata"}


def test_a_future_has_the_methods_of_futures(client: hw.Client) -> None:
    client.create_topic(name("t"))
    with client.producer(linger_ms=60_000) as producer:
        future = producer.send(name("t"), b"x")
        assert isinstance(future, concurrent.futures.Future)
        assert isinstance(future, hw.Future)
        assert type(future) is hw.Future
        assert not future.cancel()
        assert future.running()
        producer.flush()
        assert future.done()
        assert not future.cancelled()
        assert not future.running()


def test_many_threads_wait_for_the_same_futures(client: hw.Client) -> None:
    client.create_topic(name("t"))
    problems: list[object] = []
    for _ in range(20):
        with client.producer(linger_ms=1) as producer:
            sent = [producer.send(name("t"), b"x") for _ in range(50)]

            def wait(sent: list[hw.Future] = sent) -> None:
                if concurrent.futures.wait(sent, timeout=20).not_done or len(list(concurrent.futures.as_completed(sent, timeout=20))) != 50:
                    problems.append(sent)

            threads = [threading.Thread(target=wait) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert not problems


def test_wrap_future_takes_futures(target: Target) -> None:
    async def main() -> None:
        with target.client() as client, client.producer(linger_ms=1) as producer:
            client.create_topic(name("t"), max_message_bytes=1000)
            wrapped = [asyncio.wrap_future(producer.send(name("t"), f"{n}")) for n in range(10)]
            assert [metadata.offset for metadata in await asyncio.gather(*wrapped)] == list(range(10))
            with pytest.raises(hw.RecordTooLargeError):
                await asyncio.wrap_future(producer.send(name("t"), b"x" * 5_000))

    asyncio.run(asyncio.wait_for(main(), 30))


def test_calls_become_tasks(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            topic = await asyncio.create_task(client.create_topic(name("t")))
            # The first one waits for the topic's metadata, and tasks that wait for it together continue in any order.
            assert (await asyncio.create_task(producer.send(name("t"), "0"))).offset == 0
            sent = [asyncio.create_task(producer.send(name("t"), f"{n}")) for n in range(1, 10)]
            assert [metadata.offset for metadata in await asyncio.gather(*sent)] == list(range(1, 10))
            consumer = client.consumer(name("t"), auto_offset_reset="earliest", value="string")
            tasks = [
                asyncio.create_task(call)
                for call in (
                    topic.head(),
                    topic.count(),
                    topic.scan().to_arrow(),
                    client.topics(),
                    producer.send_batch(name("t"), [b"x"]),
                    producer.flush(),
                    consumer.position(),
                )
            ]
            await asyncio.gather(*tasks)
            assert await asyncio.create_task(anext(aiter(consumer)))
            assert (await asyncio.create_task(consumer.poll(max_records=1))).to_polars()["value"].to_list() == ["1"]
            first: Any = anext(aiter(consumer.batches()))
            assert await asyncio.create_task(first)
            with pytest.raises(hw.UnknownTopicOrPartitionError):
                await asyncio.create_task(client[name("nowhere")].head())
            await asyncio.create_task(consumer.close())
            assert await asyncio.wait_for(client.topics(), 10)
            assert await asyncio.shield(client.topics())

    asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup is new in Python 3.11")
def test_calls_become_tasks_of_a_group(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            async with asyncio.TaskGroup() as group:
                sent = [group.create_task(producer.send(name("t"), f"{n}")) for n in range(10)]
                starts = group.create_task(client[name("t")].offsets("earliest"))
            assert sorted(task.result().offset or 0 for task in sent) == list(range(10))
            assert starts.result() == {0: 0}
            consumer = client.consumer(name("t"))

            async def fail() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(consumer.poll(timeout=60))
                    group.create_task(client[name("nowhere")].head())

            # An ExceptionGroup, which Python 3.10 does not have.
            with pytest.raises(Exception, match="TaskGroup") as failed:
                await fail()
            assert isinstance(failed.value.exceptions[0], hw.UnknownTopicOrPartitionError)  # type: ignore[attr-defined]

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_call_is_awaited_once(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            call = client.topics()
            assert own_topics(await call) == []
            with pytest.raises(RuntimeError, match="already been awaited"):
                await call

    asyncio.run(main())


def test_a_read_that_is_not_awaited_takes_nothing(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [f"{n}" for n in range(20)])
            consumer = client.consumer(name("t"), auto_offset_reset="earliest", value="string")
            forgotten = consumer.poll(max_records=5)
            later = consumer.poll(max_records=5)
            assert [message.value for message in await later] == ["0", "1", "2", "3", "4"]
            del forgotten
            task = asyncio.create_task(consumer.poll(max_records=5))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [message.value for message in await consumer.poll(max_records=2)] == ["5", "6"]

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_read_that_is_cancelled_when_its_records_have_come_loses_none(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [b"a", b"b"])
            for read in ("poll", "batches"):
                consumer = client.consumer(name("t"), auto_offset_reset="earliest")

                def call(read: str = read, consumer: aio.Consumer = consumer) -> Any:
                    return consumer.poll() if read == "poll" else anext(aiter(consumer.batches()))

                # Like a task that continues but is cancelled in between.
                reading: Any = call().__await__()
                await asyncio.wait([next(reading)])
                with pytest.raises(asyncio.CancelledError):
                    reading.throw(asyncio.CancelledError())
                assert [message.value for message in await call()] == [b"a", b"b"]

    asyncio.run(asyncio.wait_for(main(), 30))


def copies(value: Any) -> list[Any]:
    return [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)] + [copy.deepcopy(value)]


def test_metadata_is_pickled(client: hw.Client) -> None:
    client.create_topic(name("t"))
    with client.producer() as producer:
        metadata = producer.send(name("t"), b"x", timestamp=5).result()
    assert copies(metadata) == [metadata] * len(copies(metadata))
    with client.producer(acks=0, enable_idempotence=False) as producer:
        metadata = producer.send(name("t"), b"x").result()
    assert copies(metadata)[0] == metadata


FORMATS: list[dict[str, Any]] = [
    {},
    {"value": "string", "key": "string"},
    {"value": "json"},
    {"value": "json", "schema": {"a": "int64", "b": "string"}, "unnest": True},
    {"value": "json", "columns": ["offset", "value"]},
]


@pytest.mark.parametrize("options", FORMATS)
def test_batches_and_messages_are_pickled(client: hw.Client, options: dict[str, Any]) -> None:
    topic = client.create_topic(name("t"), partitions=2)
    with client.producer() as producer:
        for n in range(10):
            producer.send(
                name("t"),
                f'{{"a": {n}, "b": "text {n} that is longer than a view holds"}}',
                key=f"k{n}",
                headers=[("h", b"v"), ("n", None)],
            )
        producer.send(name("t"), b'{"a": null}')
    batch = topic.head(100, **options)
    for same in copies(batch):
        assert same.columns == batch.columns
        assert same.next_offsets == batch.next_offsets
        assert same.to_arrow().equals(batch.to_arrow())
        assert same.to_polars().equals(batch.to_polars())
        assert [repr(message) for message in same] == [repr(message) for message in batch]
    for message in list(batch):
        for same in copies(message):
            assert repr(same) == repr(message)
            if not options.get("columns"):
                assert (same.headers, same.timestamp, same.topic) == (message.headers, message.timestamp, message.topic)


def test_a_pickled_message_contains_no_other_messages(client: hw.Client) -> None:
    topic = client.create_topic(name("t"))
    with client.producer() as producer:
        producer.send_batch(name("t"), [b"x" * 1000] * 1000)
    message = next(iter(topic.head(1000)))
    assert len(pickle.dumps(message)) < 5_000


def test_batches_of_several_topics_and_empty_ones_are_pickled(client: hw.Client) -> None:
    for topic in (name("a"), name("b")):
        client.create_topic(topic)
    with client.producer() as producer:
        producer.send(name("a"), b"1").result()
        producer.send(name("b"), b"2").result()
    with client.consumer([name("a"), name("b")], auto_offset_reset="earliest") as consumer:
        batches = [batch for batch in consumer.batches(until="end") if batch]
    for batch in [*batches, client[name("a")].tail(0)]:
        same = pickle.loads(pickle.dumps(batch))
        assert [repr(message) for message in same] == [repr(message) for message in batch]
        assert same.next_offsets == batch.next_offsets
