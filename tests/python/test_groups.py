"""Consumer groups: sharing, commits, rebalance callbacks."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
import headwater.aio
from tests.python.names import await_true, name, own_groups, place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.python.target import Target

# Long enough for any machine; passing tests never wait that long.
PATIENCE = 60.0
ENGINE: dict[str, Any] = {
    "group_initial_rebalance_delay_ms": 0,
    "group_min_session_timeout_ms": 100,
    "group_consumer_min_heartbeat_interval_ms": 20,
    "group_consumer_heartbeat_interval_ms": 20,
}
MEMBERS: dict[str, dict[str, Any]] = {
    "classic": {"heartbeat_interval_ms": 20, "metadata_max_age_ms": 50},
    "consumer": {"group_protocol": "consumer"},
}


@pytest.fixture(params=["classic", "consumer"])
def protocol(request: pytest.FixtureRequest) -> str:
    """The group protocol."""
    return str(request.param)


@pytest.fixture
def member(protocol: str) -> dict[str, Any]:
    """The options of a member."""
    return member_of(protocol)


def member_of(protocol: str) -> dict[str, Any]:
    return {"group_id": name("readers"), "auto_offset_reset": "earliest", **MEMBERS[protocol]}


@pytest.fixture
def client(make_client: Callable[..., hw.Client]) -> hw.Client:
    """A client of a broker whose groups do not wait for more members."""
    return make_client(**ENGINE)


def poll_until(done: Callable[[], bool], *consumers: hw.Consumer) -> list[bytes]:
    """Poll all consumers in turn until `done`; return the values that were read."""
    read: list[bytes] = []
    deadline = time.monotonic() + PATIENCE
    while not done():
        for consumer in consumers:
            read.extend(message.value for message in consumer.poll(0.02))
        assert time.monotonic() < deadline, [consumer.assignment() for consumer in consumers]
    return read


def first(consumer: hw.Consumer, count: int) -> list[bytes]:
    """The values of the next messages, one at a time."""
    return [next(consumer).value for _ in range(count)]


def fill(client: hw.Client, values: list[bytes], *, partitions: int = 1) -> None:
    client.create_topic(name("flights"), partitions=partitions)
    with client.producer() as producer:
        producer.send_batch(name("flights"), values, partition=0)


def test_two_members_share_the_partitions(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"), partitions=4)
    with client.consumer(name("flights"), **member) as one, client.consumer(name("flights"), **member) as two:
        poll_until(lambda: len(one.assignment()) == len(two.assignment()) == 2, one, two)
        with client.producer() as producer:
            for partition in range(4):
                producer.send_batch(name("flights"), [f"{partition}/{n}" for n in range(10)], partition=partition)
        read: list[bytes] = []
        deadline = time.monotonic() + PATIENCE
        while len(read) < 40:
            for consumer in (one, two):
                read.extend(message.value for message in consumer.poll(0.02))
            assert time.monotonic() < deadline
        assert sorted(read) == sorted(f"{partition}/{n}".encode() for partition in range(4) for n in range(10))


def test_commits_are_kept(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"%d" % n for n in range(10)])
    manual = {**member, "enable_auto_commit": False}
    with client.consumer(name("flights"), **manual) as consumer:
        assert first(consumer, 3) == [b"0", b"1", b"2"]
        assert consumer.committed() == {}
        consumer.commit()
        assert consumer.committed() == {place(0): 3}
        message = next(consumer)
        consumer.commit(message, wait=False)
        batch = consumer.poll(max_records=2)
        consumer.commit(batch)
        assert consumer.committed() == {place(0): 6} == batch.next_offsets
        consumer.commit({(name("flights"), 0): 5})
        assert consumer.committed([(name("flights"), 0)]) == {place(0): 5}
        assert consumer.lag() == {place(0): 4}
        with pytest.raises(hw.InvalidArgumentError):
            consumer.commit("all")  # type: ignore[arg-type]
    with client.consumer(name("flights"), **manual) as consumer:
        assert first(consumer, 1) == [b"5"]


def test_a_message_is_finished_when_the_next_one_is_requested(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"%d" % n for n in range(1_000)])
    with client.consumer(name("flights"), **member) as consumer:
        assert first(consumer, 600)[-1] == b"599"
    # The last one was still being processed when the consumer was closed.
    with client.consumer(name("flights"), **member) as consumer:
        assert first(consumer, 1) == [b"599"]


def test_a_batch_is_finished_when_the_next_one_is_requested(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"%d" % n for n in range(20_000)])
    with client.consumer(name("flights"), **member) as consumer:
        for batch in consumer.batches(max_records=5_000):
            if next(iter(batch)).value == b"10000":
                break
    with client.consumer(name("flights"), **member) as consumer:
        assert first(consumer, 1) == [b"10000"]
    with client.consumer(name("flights"), **member) as consumer:
        assert sum(len(batch) for batch in consumer.batches(until="end")) == 10_000
    with client.consumer(name("flights"), **member) as consumer:
        poll_until(lambda: bool(consumer.assignment()), consumer)
        assert consumer.lag() == {place(0): 0}


@pytest.mark.parametrize("what", ["everything", "batch", "message", "offsets", "without waiting"])
@pytest.mark.parametrize("end", ["close", "unsubscribe", "interval", "assign"])
def test_an_explicit_commit_is_not_undone(client: hw.Client, what: str, end: str, member: dict[str, Any]) -> None:
    fill(client, [b"%d" % n for n in range(100)])
    interval = 0 if end == "interval" else 60_000
    consumer = client.consumer(auto_commit_interval_ms=interval, **member)
    if end == "assign":
        consumer.assign([place(0)])
    else:
        consumer.subscribe(name("flights"))
    batch = consumer.poll(0)
    deadline = time.monotonic() + PATIENCE
    while not batch:
        batch = consumer.poll(0.05, max_records=40)
        assert time.monotonic() < deadline
    end_of_batch = batch.next_offsets[place(0)]
    match what:
        case "everything":
            consumer.commit()
        case "batch":
            consumer.commit(batch)
        case "message":
            consumer.commit(list(batch)[-1])
        case "offsets":
            consumer.commit({(name("flights"), 0): end_of_batch})
        case _:
            consumer.commit(wait=False)
    match end:
        case "close":
            consumer.close()
        case "unsubscribe":
            consumer.unsubscribe()
        case "interval":
            for _ in range(3):
                consumer.poll(0.01, max_records=1)
            consumer.close()
        case _:
            consumer.assign([])
    with client.consumer(**member) as other:
        assert other.committed([place(0)])[place(0)] >= end_of_batch


def test_a_polled_batch_is_finished_only_when_the_next_one_is_requested(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"%d" % n for n in range(10)])
    with client.consumer(name("flights"), **member) as consumer:
        poll_until(lambda: consumer.position() == {place(0): 10}, consumer)
        consumer.poll(0)
        consumer.seek(4)
        assert len(consumer.poll()) == 6
    with client.consumer(**member) as other:
        assert other.committed([place(0)]) == {place(0): 10}


def test_asyncio_does_not_undo_an_explicit_commit(target: Target, member: dict[str, Any]) -> None:
    async def main() -> None:
        async with target.aio(**ENGINE) as client:
            await client.create_topic(name("flights"))
            async with client.producer() as producer:
                await producer.send_batch(name("flights"), [b"%d" % n for n in range(100)])
            async with client.consumer(name("flights"), **member) as consumer:
                async for message in consumer:
                    if message.offset == 39:
                        await consumer.commit()
                        break
            async with client.consumer(name("flights"), **member) as consumer:
                async for batch in consumer.batches(max_records=10):
                    await consumer.commit(batch)
                    break
            async with client.consumer(**member) as other:
                assert await other.committed([place(0)]) == {place(0): 50}

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_commit_before_joining_is_an_error_that_explains_it(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"))
    with client.consumer(name("flights"), **member) as one:
        poll_until(lambda: bool(one.assignment()), one)
        two = client.consumer(name("flights"), **member)
        with pytest.raises(hw.KafkaError, match="has not joined the group yet"):
            two.commit({(name("flights"), 0): 1})


def test_a_deleted_topic_does_not_stop_the_others(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"a"])
    client.create_topic(name("trains"))
    with client.producer() as producer, client.consumer([name("flights"), name("trains")], **member) as consumer:
        poll_until(lambda: len(consumer.assignment()) == 2, consumer)
        poll_until(lambda: consumer.position()[place(0)] == 1, consumer)
        client.delete_topic(name("trains"))
        consumer.commit()
        # A broker may have a deleted topic for a moment.
        await_true(lambda: consumer.lag() == {place(0): 0})
        producer.send(name("flights"), b"b").result()
        assert first(consumer, 1) == [b"b"]
        consumer.commit()
    with client.consumer(**member) as other:
        assert other.committed([place(0)]) == {place(0): 2}
        with pytest.raises(hw.UnknownTopicOrPartitionError):
            other.commit({(name("trains"), 0): 1})


def test_commits_continue_while_messages_are_iterated(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"))
    consumer = client.consumer(name("flights"), auto_commit_interval_ms=0, **member)
    read = committed = 0
    deadline = time.monotonic() + PATIENCE
    with client.producer() as producer, client.consumer(**member) as other:
        # The commit runs concurrently, possibly slower than the loop: there must be more to read until it has arrived.
        while committed == 0:
            assert time.monotonic() < deadline
            producer.send_batch(name("flights"), [b"%d" % n for n in range(500)], partition=0)
            read += len(first(consumer, 500))
            committed = other.committed([place(0)]).get(place(0), 0)
    assert committed < read
    consumer.close()


def test_rebalances_are_reported_and_partitions_can_be_committed_before_they_go(
    client: hw.Client, protocol: str, member: dict[str, Any]
) -> None:
    fill(client, [b"a", b"b"], partitions=2)
    told: list[tuple[str, list[hw.TopicPartition]]] = []
    manual = {**member, "enable_auto_commit": False}
    with client.consumer(**manual) as one, client.consumer(**manual) as two:

        def revoked(partitions: list[hw.TopicPartition]) -> None:
            told.append(("revoke", partitions))
            one.commit()

        one.subscribe(name("flights"), on_assign=lambda partitions: told.append(("assign", partitions)), on_revoke=revoked)
        assert first(one, 2) == [b"a", b"b"]
        two.subscribe([name("flights")])
        poll_until(lambda: len(one.assignment()) == len(two.assignment()) == 1, one, two)
        if protocol == "classic":
            assert told == [("assign", [place(0), place(1)]), ("revoke", [place(0), place(1)]), ("assign", one.assignment())]
        else:
            assert told == [("assign", [place(0), place(1)]), ("revoke", two.assignment())], "only partitions that move are revoked"
        assert one.committed([place(0)]) == {place(0): 2}
        two.unsubscribe()
        assert two.assignment() == []


def test_an_error_of_a_callback_is_raised_by_the_poll(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"))

    def refuse(partitions: list[hw.TopicPartition]) -> None:
        raise RuntimeError(partitions[0].topic)

    with client.consumer(**member) as consumer:
        consumer.subscribe(name("flights"), on_assign=refuse)
        with pytest.raises(RuntimeError, match="flights"):
            poll_until(lambda: False, consumer)


def test_a_member_that_does_not_poll_has_lost_its_partitions(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"))
    lost: list[hw.TopicPartition] = []
    with client.consumer(max_poll_interval_ms=200, **member) as consumer:
        consumer.subscribe(name("flights"), on_lost=lost.extend)
        poll_until(lambda: bool(consumer.assignment()), consumer)
        time.sleep(0.6)
        poll_until(lambda: bool(lost), consumer)
        assert lost == [place(0)]
        poll_until(lambda: bool(consumer.assignment()), consumer)


@pytest.mark.parametrize("leave", ["close", "unsubscribe"])
def test_partitions_can_be_committed_before_the_consumer_releases_them(client: hw.Client, leave: str, member: dict[str, Any]) -> None:
    fill(client, [b"a", b"b"])
    revoked: list[hw.TopicPartition] = []
    with client.consumer(enable_auto_commit=False, **member) as consumer:

        def commit(partitions: list[hw.TopicPartition]) -> None:
            revoked.extend(partitions)
            consumer.commit()

        consumer.subscribe(name("flights"), on_revoke=commit)
        assert first(consumer, 2) == [b"a", b"b"]
        getattr(consumer, leave)()
        assert revoked == [place(0)]
    assert revoked == [place(0)], "once"
    assert [offset.committed for offset in client.group_offsets(name("readers"))] == [2]


@pytest.mark.parametrize("leave", ["close", "unsubscribe"])
def test_an_error_of_a_callback_is_raised_after_the_consumer_has_left(client: hw.Client, leave: str, member: dict[str, Any]) -> None:
    fill(client, [b"a"])

    def refuse(partitions: list[hw.TopicPartition]) -> None:
        raise RuntimeError(partitions[0].topic)

    consumer = client.consumer(**member)
    consumer.subscribe(name("flights"), on_revoke=refuse)
    first(consumer, 1)
    with pytest.raises(RuntimeError, match="flights"):
        getattr(consumer, leave)()
    poll_until(lambda: [group.state for group in own_groups(client.groups())] == ["Empty"])
    consumer.close()


def test_a_close_from_another_thread_lets_the_callback_commit(client: hw.Client, member: dict[str, Any]) -> None:
    fill(client, [b"a"])
    consumer = client.consumer(enable_auto_commit=False, **member)
    consumer.subscribe(name("flights"), on_revoke=lambda _: consumer.commit())
    first(consumer, 1)
    ended: list[str] = []

    def wait() -> None:
        try:
            consumer.poll(PATIENCE)
        except hw.ClosedError:
            ended.append("closed")

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    consumer.close()
    waiting.join(PATIENCE)
    assert ended == ["closed"]
    assert [offset.committed for offset in client.group_offsets(name("readers"))] == [1]


def test_a_pattern_reads_topics_that_come_later(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights-1"))
    client.create_topic(name("trains"))
    with client.consumer(re.compile(name("FLIGHTS-."), re.IGNORECASE), **member) as consumer:
        poll_until(lambda: len(consumer.assignment()) == 1, consumer)
        client.create_topic(name("flights-2"))
        poll_until(lambda: len(consumer.assignment()) == 2, consumer)
        assert [partition.topic for partition in consumer.assignment()] == [name("flights-1"), name("flights-2")]
        with pytest.raises(hw.InvalidArgumentError):
            consumer.subscribe(re.compile("(?=no)"))


def test_calls_that_need_a_group_are_errors_without_one(client: hw.Client, member: dict[str, Any]) -> None:
    client.create_topic(name("flights"))
    with client.consumer(name("flights")) as consumer:
        for call in (consumer.commit, consumer.committed):
            with pytest.raises(hw.InvalidArgumentError, match=r"group\.id"):
                call()
        with pytest.raises(hw.InvalidArgumentError, match=r"group\.id"):
            consumer.subscribe(name("flights"))
    with client.consumer(name("flights"), **member) as consumer, pytest.raises(hw.InvalidArgumentError, match="unsubscribe"):
        consumer.assign([place(0)])


def test_each_protocol_refuses_the_keys_of_the_other(client: hw.Client) -> None:
    refused: dict[str, str | int] = {
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 1_000,
        "partition.assignment.strategy": "range",
    }
    for key, value in refused.items():
        with pytest.raises(hw.ConfigError, match=f"{key} cannot be set with group.protocol=consumer"):
            client.consumer(group_id=name("g"), group_protocol="consumer", config={key: value})
    with pytest.raises(hw.ConfigError, match=r"group.remote.assignor cannot be set with group.protocol=classic"):
        client.consumer(group_id=name("g"), group_remote_assignor="range")


def test_an_assignor_that_the_broker_does_not_have_is_refused(client: hw.Client) -> None:
    client.create_topic(name("flights"))
    with (
        client.consumer(name("flights"), group_remote_assignor="best", **member_of("consumer")) as consumer,
        pytest.raises(hw.KafkaError, match=r"uniform, range"),
    ):
        poll_until(lambda: False, consumer)


@pytest.mark.parametrize("first_protocol", ["classic", "consumer"])
def test_members_of_both_protocols_share_a_group_while_it_changes(client: hw.Client, first_protocol: str) -> None:
    second_protocol = "consumer" if first_protocol == "classic" else "classic"
    client.create_topic(name("flights"), partitions=4)
    sent = 0
    read: list[bytes] = []

    def send() -> None:
        nonlocal sent
        with client.producer() as producer:
            for partition in range(4):
                producer.send_batch(name("flights"), [b"%d" % n for n in range(sent, sent + 10)], partition=partition)
                sent += 10

    with client.consumer(name("flights"), **member_of(first_protocol)) as one:
        poll_until(lambda: len(one.assignment()) == 4, one)
        send()
        with client.consumer(name("flights"), **member_of(second_protocol)) as two:
            read += poll_until(lambda: len(one.assignment()) == len(two.assignment()) == 2, one, two)
            assert own_groups(client.groups())[0].protocol_type == "consumer"
            send()
            deadline = time.monotonic() + PATIENCE
            while len(read) < sent:
                read.extend(message.value for consumer in (one, two) for message in consumer.poll(0.02))
                assert time.monotonic() < deadline
            assert not one.poll(0)
            assert not two.poll(0), "and the records that it has read are finished"
        read += poll_until(lambda: len(one.assignment()) == 4, one)
        send()
        while len(read) < sent:
            read.extend(message.value for message in one.poll(0.02))
    assert sorted(read, key=int) == [b"%d" % n for n in range(sent)], "each record once"


def test_asyncio_shares_commits_and_reports(target: Target, protocol: str, member: dict[str, Any]) -> None:
    async def main() -> None:
        async with target.aio(**ENGINE) as client:
            await client.create_topic(name("flights"), partitions=2)
            async with client.producer() as producer:
                await producer.send_batch(name("flights"), [b"a", b"b"], partition=0)
            told: list[str] = []
            manual = {**member, "enable_auto_commit": False}
            one, two = client.consumer(**manual), client.consumer(**manual)

            async def revoked(partitions: list[hw.TopicPartition]) -> None:
                await one.commit()
                told.append(f"revoke {len(partitions)}")

            await one.subscribe(
                name("flights"),
                on_assign=lambda partitions: told.append(f"assign {len(partitions)}"),
                on_revoke=revoked,
            )
            async for message in one:
                if message.value == b"b":
                    break
            await two.subscribe(name("flights"))
            while len(await one.assignment()) != 1 or len(await two.assignment()) != 1:
                await one.poll(0.02)
                await two.poll(0.02)
            expected = ["assign 2", "revoke 2", "assign 1"] if protocol == "classic" else ["assign 2", "revoke 1"]
            assert told == expected
            assert await two.committed([place(0)]) == {place(0): 2}
            await one.close()
            assert told[len(expected) :] == ["revoke 1"]
            await two.unsubscribe()
            await two.close()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


@pytest.mark.embedded("opens a directory again")
def test_a_group_survives_the_engine(tmp_path: Any, member: dict[str, Any]) -> None:
    with hw.open(tmp_path, **ENGINE) as client:
        fill(client, [b"a", b"b", b"c"])
        with client.consumer(name("flights"), **member) as consumer:
            first(consumer, 3)
    with hw.open(tmp_path, **ENGINE) as client, client.consumer(name("flights"), **member) as consumer:
        assert first(consumer, 1) == [b"c"]
