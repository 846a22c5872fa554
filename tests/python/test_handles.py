"""Clients of one engine: it closes with its last client, also if its directory vanishes."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

import headwater as hw
import headwater.aio as aio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("shares and removes directories")


def test_closing_a_second_client_leaves_the_first_one_open(tmp_path: Path) -> None:
    one = hw.open(tmp_path)
    one.create_topic("t")
    producer = one.producer(linger_ms=60_000)
    future = producer.send("t", b"held")
    with hw.open(tmp_path) as two:
        other = two.producer(linger_ms=60_000)
        sent = other.send("t", b"sent at close")
    assert sent.result(10).offset == 0
    assert two.closed
    assert not one.closed
    with pytest.raises(hw.ClosedError):
        two.topics()
    with pytest.raises(hw.ClosedError):
        other.send("t", b"late")
    assert not future.done()
    producer.flush()
    assert future.result(10).offset == 1
    one.close()
    with hw.open(tmp_path) as again:
        assert again.recovery is None
        assert [message.value for message in again["t"].head()] == [b"sent at close", b"held"]


def test_a_close_counts_the_records_that_could_not_be_sent(tmp_path: Path) -> None:
    client = hw.open(tmp_path)
    client.create_topic("t")
    client.create_topic("deleted")
    producer = client.producer(linger_ms=60_000)
    sent = producer.send("t", b"sent at close")
    lost = [producer.send("deleted", b"lost") for _ in range(3)]
    client.delete_topic("deleted")
    with pytest.raises(hw.UnknownTopicOrPartitionError, match='3 records were not sent before the close: 3 of topic "deleted"'):
        client.close()
    assert client.closed
    assert sent.result(0).offset == 0
    for future in lost:
        with pytest.raises(hw.UnknownTopicOrPartitionError):
            future.result(0)
    client.close()


def test_a_dropped_client_does_not_count_any_more(tmp_path: Path) -> None:
    one, two = hw.open(tmp_path), hw.open(tmp_path)
    one.create_topic("t")
    del two
    one.close()
    with hw.open(tmp_path, num_partitions=7):
        pass


def test_a_server_stops_with_its_client(tmp_path: Path) -> None:
    with hw.open(tmp_path) as one:
        with hw.open(tmp_path) as two:
            server = two.serve(port=0)
            host, port = server.address.split(":")
        one.serve(host=host, port=int(port)).close()


def test_both_apis_of_a_directory_are_counted(tmp_path: Path) -> None:
    async def main() -> None:
        with hw.open(tmp_path) as client:
            async with aio.open(tmp_path) as other:
                await other.create_topic("t")
            assert other.closed
            assert [info.name for info in client.topics()] == ["t"]

    asyncio.run(main())


def test_both_apis_share_an_engine_in_memory() -> None:
    async def main() -> None:
        async with aio.open() as client:
            same = client.sync
            same.create_topic("t")
            with same.producer() as producer:
                producer.send("t", b"x").result()
            assert [message.value for message in await client["t"].head()] == [b"x"]
            assert "t" in same.aio
            again = same.aio.sync
            assert "t" in again
        assert same.closed
        assert again.closed

    asyncio.run(main())
    client = hw.open()
    other = client.aio
    client.close()
    assert other.closed


def send(client: hw.Client, value: bytes) -> None:
    client.create_topic("t", if_exists="ignore")
    client.producer().send("t", value).result(30)


def remove(path: Path) -> None:
    shutil.rmtree(path)


def move(path: Path) -> None:
    path.rename(path.with_suffix(".old"))


def empty(path: Path) -> None:
    for entry in path.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def empty_visible(path: Path) -> None:
    subprocess.run(f"rm -rf {path}/*", shell=True, check=True)


GONE = [remove, move, empty, empty_visible]


@pytest.mark.parametrize("vanish", GONE)
def test_a_notebook_cell_that_runs_twice_starts_again(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    path = tmp_path / "data"
    for run in range(3):
        if path.exists():
            vanish(path)
            shutil.rmtree(path.with_suffix(".old"), ignore_errors=True)
        client = hw.open(path)
        assert client.topics() == []
        send(client, f"run {run}".encode())
        assert [message.value for message in client["t"].head()] == [f"run {run}".encode()]
    client.close()
    with hw.open(path) as again:
        assert again.recovery is None
        assert [message.value for message in again["t"].head()] == [b"run 2"]


@pytest.mark.parametrize("vanish", GONE)
def test_nothing_is_acknowledged_once_the_directory_is_gone(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    path = tmp_path / "data"
    client = hw.open(path)
    send(client, b"before")
    producer = client.producer()
    vanish(path)
    time.sleep(0.005)
    with pytest.raises(hw.HeadwaterError, match="removed"):
        producer.send("t", b"after").result(30)
    with pytest.raises(hw.HeadwaterError, match="removed"):
        client.create_topic("u")
    with pytest.raises(hw.HeadwaterError, match="removed"):
        client.reset_group_offsets("g", "t", "latest")
    client.close()
    assert client.closed


@pytest.mark.parametrize("vanish", [remove, move])
def test_the_next_call_raises_that_the_directory_is_gone(tmp_path: Path, vanish: Callable[[Path], None]) -> None:
    uses: list[Callable[[hw.Client], object]] = [
        lambda client: client.topics(),
        lambda client: "t" in client,
        lambda client: client["t"].head(),
        lambda client: len(client["t"]),
        lambda client: client.consumer("t").poll(),
        lambda client: client.create_topic("u"),
        lambda client: client.producer().send_batch("t", [b"x"]),
        lambda client: client.serve(port=0),
        lambda client: asyncio.run(awaited(client.aio)),
    ]

    async def awaited(client: aio.Client) -> object:
        return await client.topics()

    for number, use in enumerate(uses):
        path = tmp_path / str(number) / "data"
        client = hw.open(path)
        send(client, b"before")
        vanish(path)
        time.sleep(0.005)
        with pytest.raises(hw.HeadwaterError, match="removed or replaced"):
            use(client)
        with pytest.raises(hw.StorageError, match="open it again"):
            client.topics()
        client.close()


def test_a_lock_file_removed_by_hand_does_not_unlock(spawn: Spawn, tmp_path: Path) -> None:
    with hw.open(tmp_path) as client:
        send(client, b"before")
        (tmp_path / ".lock").unlink()
        program = """
        import sys, headwater as hw
        try:
            hw.open(sys.argv[1])
        except hw.LockedError as error:
            print("locked")
        """
        assert spawn(program, tmp_path).communicate(timeout=60)[0] == "locked\n"
        assert spawn(program, tmp_path).communicate(timeout=60)[0] == "locked\n"
        send(client, b"after")
    with hw.open(tmp_path) as client:
        assert [message.value for message in client["t"].head()] == [b"before", b"after"]


def test_in_checks_for_a_topic() -> None:
    with hw.open() as client:
        client.create_topic("t")
        assert "t" in client
        assert "u" not in client
        assert 5 not in client
        assert "__consumer_offsets" not in client
        client.reset_group_offsets("g", "t", "latest")
        assert "__consumer_offsets" in client
    with pytest.raises(hw.ClosedError):
        assert "t" in client

    async def main() -> None:
        async with aio.open() as client:
            await client.create_topic("t")
            assert "t" in client
            assert "u" not in client

    asyncio.run(main())
