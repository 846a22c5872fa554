"""Groups for operators: list them, read and reset their offsets, delete them."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest

import headwater as hw
import headwater.aio
from tests.python.names import await_true, name, own_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.python.target import Target

# Long enough for any machine; passing tests never wait that long.
PATIENCE = 60.0


@pytest.fixture
def client(make_client: Callable[..., hw.Client]) -> hw.Client:
    """A client of a broker whose groups do not wait for more members."""
    return make_client(group_initial_rebalance_delay_ms=0)


@pytest.fixture
def member(client: hw.Client, flights: hw.Topic) -> Iterator[hw.Consumer]:
    """The only member of the group `readers`, with the topic's partition."""
    with client.consumer(flights.name, group_id=name("readers")) as consumer:
        deadline = time.monotonic() + PATIENCE
        while not consumer.assignment():
            consumer.poll(0.02)
            assert time.monotonic() < deadline
        yield consumer


def test_there_are_no_groups_until_one_commits(client: hw.Client, flights: hw.Topic) -> None:
    assert own_groups(client.groups()) == []
    client.reset_group_offsets(name("writers"), flights.name, 1)
    client.reset_group_offsets(name("readers"), flights.name, 2)
    assert [group.group_id for group in own_groups(client.groups())] == [name("readers"), name("writers")]
    assert {group.state for group in own_groups(client.groups())} == {"Empty"}


def test_a_group_with_members_is_listed_with_its_state(client: hw.Client, member: hw.Consumer) -> None:
    assert own_groups(client.groups()) == [hw.GroupInfo(name("readers"), "classic", "consumer", "Stable")]
    member.close()
    assert own_groups(client.groups())[0].state == "Empty"


def test_a_member_has_its_id_and_its_generation(client: hw.Client, member: hw.Consumer) -> None:
    metadata = member.group_metadata()
    assert metadata is not None
    assert (metadata.group_id, metadata.leader_id) == (name("readers"), metadata.member_id)
    assert metadata.generation_id >= 1
    assert metadata.member_id
    assert metadata.assignor
    with client.consumer(group_id=name("others")) as other, client.consumer() as alone:
        assert other.group_metadata() == hw.GroupMetadata(name("others"), "", -1, None, None, None)
        assert alone.group_metadata() is None


@pytest.mark.usefixtures("flights")
def test_offsets_come_with_ends_and_lags_by_topic_and_partition(client: hw.Client) -> None:
    client.create_topic(name("arrivals"), partitions=3)
    with client.consumer(group_id=name("readers")) as consumer:
        consumer.commit({(name("flights"), 0): 4, (name("arrivals"), 2): 0, (name("arrivals"), 0): 0})
    assert client.group_offsets(name("readers")) == [
        hw.GroupOffset(name("arrivals"), 0, 0, 0, 0),
        hw.GroupOffset(name("arrivals"), 2, 0, 0, 0),
        hw.GroupOffset(name("flights"), 0, 4, 10, 6),
    ]
    with client.producer() as producer:
        producer.send_batch(name("flights"), [b"x"] * 5)
    assert client.group_offsets(name("readers"))[-1].lag == 11


def test_offsets_of_a_topic_that_is_deleted_are_gone(client: hw.Client) -> None:
    client.create_topic(name("flights"))
    client.create_topic(name("arrivals"))
    with client.consumer(group_id=name("readers")) as consumer:
        consumer.commit({(name("flights"), 0): 0, (name("arrivals"), 0): 0})
    client.delete_topic(name("flights"))
    await_true(lambda: client.group_offsets(name("readers")) == [hw.GroupOffset(name("arrivals"), 0, 0, 0, 0)])


def test_both_lists_are_tables(client: hw.Client, flights: hw.Topic) -> None:
    client.reset_group_offsets(name("readers"), flights.name, 4)
    offsets = client.group_offsets(name("readers"))
    expected = {"topic": [flights.name], "partition": [0], "committed": [4], "end": [10], "lag": [6]}
    assert pl.DataFrame(offsets).to_dict(as_series=False) == expected
    assert pd.DataFrame(offsets).to_dict("list") == expected
    assert pl.DataFrame(own_groups(client.groups())).columns == ["group_id", "group_type", "protocol_type", "state"]


@pytest.mark.parametrize(
    ("to", "committed"),
    [
        ("earliest", 2),
        ("latest", 10),
        (7, 7),
        ({0: 5}, 5),
        (datetime(1970, 1, 1, 0, 0, 3, 1, tzinfo=timezone.utc), 4),
        ("-1m", 10),
        (0, 2),
        (1_000, 10),
    ],
)
def test_offsets_are_reset_to_any_position_within_the_log(client: hw.Client, flights: hw.Topic, to: Any, committed: int) -> None:
    client.delete_records(flights.name, 2)
    assert client.reset_group_offsets(name("readers"), flights.name, to) == {0: committed}
    assert client.group_offsets(name("readers")) == [hw.GroupOffset(name("flights"), 0, committed, 10, 10 - committed)]


def test_a_dictionary_resets_only_the_partitions_that_it_names(client: hw.Client) -> None:
    client.create_topic(name("arrivals"), partitions=2)
    with client.producer() as producer:
        for partition in range(2):
            producer.send_batch(name("arrivals"), [b"x"] * 3, partition=partition)
    client.reset_group_offsets(name("readers"), name("arrivals"), "latest")
    assert client.reset_group_offsets(name("readers"), name("arrivals"), {(name("arrivals"), 1): 1}) == {1: 1}
    assert [offset.committed for offset in client.group_offsets(name("readers"))] == [3, 1]


def test_a_consumer_goes_on_where_its_group_was_reset_to(client: hw.Client, flights: hw.Topic) -> None:
    client.reset_group_offsets(name("readers"), flights.name, to=8)
    with client.consumer(flights.name, group_id=name("readers")) as consumer:
        assert [next(consumer).value for _ in range(2)] == [b"v8", b"v9"]


@pytest.mark.parametrize("to", [None, True, 1.5, b"latest", ["latest"], {0: "latest"}, {0: 1.5}])
def test_a_value_that_is_not_a_position_is_a_wrong_type(client: hw.Client, flights: hw.Topic, to: Any) -> None:
    with pytest.raises(TypeError, match=r"must be an int|a position is"):
        client.reset_group_offsets(name("readers"), flights.name, to)
    assert own_groups(client.groups()) == []


@pytest.mark.parametrize("to", ["yesterday", -1, {0: -1}, datetime(2026, 1, 31)])
def test_an_impossible_position_is_refused(client: hw.Client, flights: hw.Topic, to: Any) -> None:
    with pytest.raises(hw.InvalidArgumentError):
        client.reset_group_offsets(name("readers"), flights.name, to)
    assert own_groups(client.groups()) == []


def test_a_reset_needs_an_existing_topic(client: hw.Client) -> None:
    with pytest.raises(hw.UnknownTopicOrPartitionError, match="nowhere"):
        client.reset_group_offsets(name("readers"), name("nowhere"), "earliest")
    client.create_topic(name("flights"))
    with pytest.raises(hw.UnknownTopicOrPartitionError):
        client.reset_group_offsets(name("readers"), name("flights"), {7: 0})
    assert own_groups(client.groups()) == []


def test_a_group_with_members_is_neither_reset_nor_deleted(client: hw.Client, member: hw.Consumer) -> None:
    member.commit({(name("flights"), 0): 3})
    with pytest.raises(hw.KafkaError, match="it has members: stop them first") as reset:
        client.reset_group_offsets(name("readers"), name("flights"), "earliest")
    assert reset.value.code == "UNKNOWN_MEMBER_ID"
    with pytest.raises(hw.KafkaError, match="it has members: stop them first") as deleted:
        client.delete_group(name("readers"))
    assert deleted.value.code == "NON_EMPTY_GROUP"
    assert not deleted.value.retriable
    assert client.group_offsets(name("readers"))[0].committed == 3


def test_a_group_is_deleted_once_with_its_offsets(client: hw.Client, member: hw.Consumer) -> None:
    member.commit({(name("flights"), 0): 3})
    member.close()
    client.delete_group(name("readers"))
    assert own_groups(client.groups()) == []
    assert client.group_offsets(name("readers")) == []
    with pytest.raises(hw.KafkaError, match="there is no such group") as again:
        client.delete_group(name("readers"))
    assert again.value.code == "GROUP_ID_NOT_FOUND"


def test_an_unknown_group_has_no_commits(client: hw.Client) -> None:
    assert client.group_offsets(name("nobody")) == []


def test_a_closed_client_is_an_error(client: hw.Client) -> None:
    client.close()
    calls: list[Callable[[], object]] = [
        client.groups,
        lambda: client.group_offsets(name("readers")),
        lambda: client.reset_group_offsets(name("readers"), name("flights"), 0),
        lambda: client.delete_group(name("readers")),
    ]
    for call in calls:
        with pytest.raises(hw.ClosedError):
            call()


def test_asyncio_has_the_same(target: Target) -> None:
    async def main() -> None:
        async with target.aio() as client, client.producer() as producer:
            await client.create_topic(name("flights"))
            await producer.send_batch(name("flights"), [b"a", b"b", b"c"])
            assert own_groups(await client.groups()) == []
            assert await client.reset_group_offsets(name("readers"), name("flights"), to=1) == {0: 1}
            assert [group.group_id for group in own_groups(await client.groups())] == [name("readers")]
            assert await client.group_offsets(name("readers")) == [hw.GroupOffset(name("flights"), 0, 1, 3, 2)]
            with pytest.raises(TypeError):
                await client.reset_group_offsets(name("readers"), name("flights"), to=1.5)  # type: ignore[arg-type]
            await client.delete_group(name("readers"))
            with pytest.raises(hw.KafkaError, match="there is no such group"):
                await client.delete_group(name("readers"))

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
