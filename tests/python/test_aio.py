"""asyncio: the same names, with `await`."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import headwater as sync
import headwater.aio as hw
from tests.python.names import name, own_groups, own_topics

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from tests.python.target import Target


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(main, 60))


def test_the_whole_way(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            topic = await client.create_topic(name("flights"), partitions=2)
            async with client.producer() as producer:
                metadata = await producer.send(name("flights"), b"late", key=b"UA", partition=1)
                assert (metadata.partition, metadata.offset) == (1, 0)
                done = await asyncio.gather(*(producer.send(name("flights"), f"{n}", partition=0) for n in range(100)))
                assert [m.offset for m in done] == list(range(100))
                result = await producer.send_batch(name("flights"), [{"a": 1}] * 10, partition=1)
                assert result.records == 10
                await producer.flush()
            assert await topic.count() == 111
            assert await topic.offsets("latest") == {0: 100, 1: 11}
            assert len(await topic.head(5)) == 5
            assert [message.offset for message in await topic.tail(1)] == [10]
            assert (await topic.rate("1h")).to_polars()["records"].sum() == 111
            scan = topic.scan(start=5, value="string")
            assert await scan.count() == 101
            assert topic.name in await scan.explain()
            assert (await scan.schema).names[0] == "partition"
            assert len(await scan.to_polars()) == len(await scan.to_arrow()) == len(await scan.to_pandas()) == 101
            assert sum([len(batch) async for batch in scan]) == 101
            assert [info.name for info in own_topics(await client.topics())] == [name("flights")]
            await client.alter_topic(name("flights"), partitions=3)
            assert await client.delete_records(name("flights"), {0: 50}) == {0: 50}
            assert await client.delete_topic(name("flights"))
            assert client[name("flights")].name == name("flights")
        assert client.closed

    run(main())


@pytest.mark.embedded("opens engines")
def test_open_is_a_coroutine() -> None:
    client = asyncio.run(hw.open())
    assert not client.closed

    async def main() -> None:
        first = asyncio.create_task(hw.open())
        second, third = await asyncio.gather(asyncio.wait_for(hw.open(), 10), hw.open())
        opened = [await first, second, third]
        for client in opened:
            await client.close()
        assert asyncio.iscoroutine(hw.open())
        opening = hw.open()
        await (await opening).close()
        with pytest.raises(RuntimeError, match="already awaited"):
            await opening
        task = asyncio.create_task(hw.open())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(sync.HeadwaterError):
            await asyncio.create_task(hw.open(config={"log.segment.bytes": "no number"}))

    run(main())


def test_a_consumer_yields_messages_and_batches(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [f"{n}" for n in range(10)])
            async with client.consumer(name("t"), auto_offset_reset="earliest", value="string") as consumer:
                assert await consumer.assignment() == [(name("t"), 0)]
                seen = []
                async for message in consumer:
                    seen.append(message.value)
                    if len(seen) == 4:
                        break
                assert await consumer.position() == {(name("t"), 0): 4}
                assert await consumer.lag() == {(name("t"), 0): 6}
                seen += [message.value for message in await consumer.poll(max_records=2)]
                async for batch in consumer.batches(until="end"):
                    seen += [message.value for message in batch]
                assert seen == [f"{n}" for n in range(10)]
                await consumer.seek({(name("t"), 0): 9})
                await consumer.pause()
                assert await consumer.paused() == [(name("t"), 0)]
                assert not await consumer.poll(timeout=0.01)
                await consumer.resume()
                assert [message.value for message in await consumer.poll()] == ["9"]
                await consumer.assign([(name("t"), 0)])

    run(main())


def test_a_waiting_consumer_leaves_the_loop_free_and_can_be_cancelled(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            consumer = client.consumer(name("t"), auto_offset_reset="earliest")
            waiting = asyncio.ensure_future(consumer.poll(timeout=20))
            for _ in range(10):
                await asyncio.sleep(0.005)
            assert not waiting.done()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.sleep(0.05)
            waiting = asyncio.ensure_future(consumer.poll(timeout=20))
            await asyncio.sleep(0.01)
            await producer.send(name("t"), b"x")
            assert [message.value for message in await waiting] == [b"x"]

    run(main())


def test_errors_are_raised_where_they_are_awaited(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            with pytest.raises(sync.UnknownTopicOrPartitionError):
                await client[name("nowhere")].head()
            with pytest.raises(sync.ConfigError):
                await client.create_topic(name("t"), retention=1)
            await client.create_topic(name("t"), max_message_bytes=100)
            producer = client.producer()
            with pytest.raises(sync.RecordTooLargeError):
                await producer.send(name("t"), b"x" * 1000)
        with pytest.raises(sync.ClosedError):
            await client.topics()

    run(main())


@pytest.mark.embedded("opens a directory")
def test_a_locked_directory_is_an_error_of_opening(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "strange").write_text("x")
        with pytest.raises(sync.NotADataDirectoryError):
            await hw.open(tmp_path)

    run(main())


def test_sync_futures_can_be_awaited_and_gathered(target: Target) -> None:
    async def main() -> None:
        with target.client() as client, client.producer(linger_ms=60_000) as producer:
            client.create_topic(name("t"))
            futures = [producer.send(name("t"), f"{n}") for n in range(500)]
            done = await asyncio.gather(*futures)
            assert [metadata.offset for metadata in done] == list(range(500))
            assert (await futures[0]).offset == 0

    run(main())


def test_sends_wait_for_space_without_blocking_the_loop(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            await client.create_topic(name("t"))
            producer = client.producer(buffer_memory=20_000, batch_size=4_000, linger_ms=1)
            done = await asyncio.gather(*(producer.send(name("t"), b"x" * 500) for _ in range(400)))
            assert sorted(metadata.offset or 0 for metadata in done) == list(range(400))
            await producer.close()

    run(main())


def test_a_task_cancelled_when_a_message_arrives_takes_none(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [b"a", b"b"])
            consumer = client.consumer(name("t"), auto_offset_reset="earliest")
            # Like a task that continues but is cancelled in between.
            reading: Any = anext(aiter(consumer)).__await__()
            fetched = next(reading)
            await asyncio.wait([fetched])
            del reading
            assert [(await anext(aiter(consumer))).value for _ in range(2)] == [b"a", b"b"]

    run(main())


def test_cancelling_loses_no_record(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [f"{n}" for n in range(2_000)])
            consumer = client.consumer(name("t"), auto_offset_reset="earliest", value="string")
            seen: list[str] = []
            for round_number in range(400):
                single = round_number % 2 == 0
                read: Any = anext(aiter(consumer)) if single else consumer.poll(max_records=3)
                waiting = asyncio.ensure_future(read)
                del read
                # Cancelled at every stage, from before the start to after the end.
                for _ in range(round_number % 7):
                    await asyncio.sleep(0.0002 * (round_number % 3))
                if waiting.cancel():
                    with pytest.raises(asyncio.CancelledError):
                        await waiting
                else:
                    result = await waiting
                    seen += [result.value] if single else [message.value for message in result]
            async for batch in consumer.batches(until="end"):
                seen += [message.value for message in batch]
            assert seen == [f"{n}" for n in range(2_000)]

    run(main())


async def reading(consumer: hw.Consumer, how: str) -> object:
    match how:
        case "poll":
            return await consumer.poll(timeout=60)
        case "messages":
            return await anext(aiter(consumer))
        case _:
            return await anext(aiter(consumer.batches()))


@pytest.mark.parametrize("how", ["poll", "messages", "batches"])
@pytest.mark.parametrize(
    ("end", "expected"),
    [("wakeup", sync.WakeupError), ("close", sync.ClosedError), ("client.close", sync.ClosedError)],
)
def test_a_waiting_reader_is_ended_by_another_task(target: Target, how: str, end: str, expected: type[sync.HeadwaterError]) -> None:
    async def main() -> None:
        async with target.aio() as client:
            await client.create_topic(name("t"))
            consumer = client.consumer(name("t"), fetch_max_wait_ms=60_000)
            waiting = asyncio.ensure_future(reading(consumer, how))
            await asyncio.sleep(0.05)
            if end == "wakeup":
                threading.Thread(target=consumer.wakeup).start()
            elif end == "close":
                await consumer.close()
            else:
                await client.close()
            with pytest.raises(expected):
                await waiting
            await consumer.close()

    run(main())


def test_calls_of_a_consumer_take_effect_in_their_order(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            await client.create_topic(name("t"))
            async with client.producer() as producer:
                await producer.send_batch(name("t"), [f"{n}" for n in range(100)], partition=0)
            consumer, place = client.consumer(group_id=name("g")), (name("t"), 0)
            await consumer.assign([place])
            for last in range(20):
                calls = [call for n in range(last + 1) for call in (consumer.seek(n), consumer.commit({place: n}))]
                *_, position = await asyncio.gather(*calls, consumer.position())
                assert (position, await consumer.committed([place])) == ({place: last}, {place: last})
                # A read has its place when it is awaited: after the calls before that.
                reading, seeking = consumer.poll(10, max_records=1), consumer.seek(last + 1)
                assert [message.offset for message in await reading] == [last + 1]
                await seeking
            await consumer.close()

    run(main())


def test_a_cancelled_call_gives_up_its_place(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client:
            await client.create_topic(name("t"))
            consumer = client.consumer(name("t"), auto_offset_reset="earliest")
            reading = asyncio.ensure_future(consumer.poll(60))
            await asyncio.sleep(0.05)
            waiting = [asyncio.ensure_future(consumer.position()) for _ in range(5)]
            await asyncio.sleep(0)
            for call in waiting[:-1]:
                call.cancel()
            reading.cancel()
            await waiting[-1]
            assert all(call.cancelled() for call in waiting[:-1])
            await consumer.close()

    run(main())


def test_closing_ends_a_loop_of_a_group(target: Target) -> None:
    async def main() -> None:
        async with target.aio(group_initial_rebalance_delay_ms=0) as client:
            await client.create_topic(name("t"))
            consumer = client.consumer(name("t"), group_id=name("g"))

            async def loop() -> None:
                async for _ in consumer:
                    pass

            waiting = asyncio.ensure_future(loop())
            while not own_groups(await client.groups()):
                await asyncio.sleep(0.01)
            await consumer.close()
            with pytest.raises(sync.ClosedError):
                await waiting

    run(main())


def test_the_garbage_collector_frees_cycles(target: Target) -> None:
    class Owner:
        def told(self, *_: object) -> None: ...

    async def main() -> None:
        async with target.aio() as client:
            await client.create_topic(name("t"))
            owner: Any = Owner()
            owner.consumer = client.consumer(group_id=name("g"))
            await owner.consumer.subscribe(name("t"), on_assign=owner.told)
            owner.batches = owner.consumer.batches()
            owner.scan = client[name("t")].scan(progress=owner.told)
            known = weakref.ref(owner)
            del owner
            # The call of the subscription may briefly keep its consumer alive.
            for _ in range(100):
                gc.collect()
                if known() is None:
                    break
                await asyncio.sleep(0.01)
            assert known() is None

    run(main())


def test_json_without_a_schema_equals_json_loads_and_errors_can_be_passed(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("t"))
            await producer.send_batch(name("t"), [b"{}", b'{"a": 1}', b'{"a": 1.5}', b"no json", b"7"])
            async with client.consumer(name("t"), value="json", auto_offset_reset="earliest") as consumer:
                assert [message.value for message in await consumer.poll()] == [{}, {"a": 1}, {"a": 1.5}]
                with pytest.raises(sync.DecodeError) as caught:
                    await consumer.poll()
                assert (caught.value.offset, caught.value.value) == (3, b"no json")
                with pytest.raises(sync.DecodeError):
                    await anext(consumer)
                await consumer.seek({(name("t"), 0): caught.value.offset + 1})
                assert (await anext(consumer)).value == 7

    run(main())
