"""A child of `os.fork()` cannot use its parent's engine or open its directory."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

import headwater as hw

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("forks processes")

# The parent: an engine with its own threads, and a record that is not sent yet.
PARENT = """
import asyncio, os, sys, threading, time, headwater as hw, headwater.aio as aio
path = sys.argv[1]
client = hw.open(path)
topic = client.create_topic("t", partitions=2)
producer = client.producer(linger_ms=60_000)
consumer = client.consumer("t", auto_offset_reset="earliest")
scan = topic.scan()
server = client.serve(port=0)
future = producer.send("t", b"from the parent", partition=0)

def in_child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except SystemExit:
            raise
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        sys.exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def refused(use):
    try:
        use()
    except (hw.ForkError, hw.LockedError) as error:
        return type(error).__name__
    return "worked"

def refused_in_child():
    return ["LockedError", "worked"][in_child(lambda: sys.exit(refused(lambda: hw.open(path)) != "LockedError"))]

def awaited(begin):
    async def main():
        return await begin()
    return lambda: asyncio.run(main())
"""

OPENINGS = {
    "open": "refused(lambda: hw.open(path))",
    "open by another name": "refused(lambda: hw.open(path + '/../' + os.path.basename(path)))",
    "open with configuration": "refused(lambda: hw.open(path, num_partitions=2))",
    "aio": "refused(awaited(lambda: aio.open(path)))",
    "open again and again": "[refused(lambda: hw.open(path)) for _ in range(3)][-1]",
    "after closing nothing": "(refused(client.close), refused(lambda: hw.open(path)))[1]",
    "in a child of a child": "refused_in_child()",
}

USES = {
    "client": [
        "client.topics",
        "client.close",
        "lambda: client.closed",
        "lambda: 't' in client",
        "lambda: client.serve(port=0)",
        "lambda: client.create_topic('u')",
        "lambda: client.aio",
        "lambda: client.recovery",
        "client.metrics",
        "client.__enter__",
        "client.producer",
        "lambda: client.consumer('t')",
        "client.groups",
    ],
    "topic": ["topic.head", "topic.scan", "lambda: len(topic)", "lambda: topic.offsets('latest')", "topic.config"],
    "scan": ["scan.to_arrow", "lambda: list(scan)", "scan.count"],
    "producer": ["lambda: producer.send('t', b'x')", "lambda: producer.send_batch('t', [b'x'])", "producer.flush", "producer.close"],
    "future": ["future.result", "future.exception", "lambda: future._condition"],
    "consumer": ["consumer.poll", "lambda: next(consumer)", "consumer.close", "consumer.commit", "lambda: next(iter(consumer.batches()))"],
    "server": ["server.close", "lambda: server.address", "lambda: server.bootstrap_servers", "server.__exit__"],
}

AIO_USES = [
    "client.topics",
    "client.close",
    "lambda: client.serve(port=0)",
    "lambda: client.create_topic('u')",
    "topic.head",
    "topic.count",
    "lambda: producer.send('t', b'x')",
    "producer.flush",
    "producer.close",
    "consumer.poll",
    "lambda: anext(consumer)",
    "consumer.close",
    "server.close",
]


def outcome(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == ""
    return output


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS.keys())
def test_a_child_that_opens_its_parents_directory_is_refused(spawn: Spawn, tmp_path: Path, opening: str) -> None:
    child = f"print({opening}, flush=True)"
    program = f"""{PARENT}
status = in_child(lambda: {child})
assert status == 0, status
assert future.result(10).offset == 0
server.close()
client.close()
"""
    assert outcome(spawn(program, tmp_path)) == "LockedError\n"
    with hw.open(tmp_path) as client:
        assert client.recovery is None
        assert [message.value for message in client["t"].head()] == [b"from the parent"]


@pytest.mark.parametrize("uses", USES.values(), ids=USES.keys())
def test_every_use_of_an_inherited_object_is_an_error(spawn: Spawn, tmp_path: Path, uses: list[str]) -> None:
    program = f"""{PARENT}
def child():
    for name, use in [{", ".join(f"({use!r}, {use})" for use in uses)}]:
        print(name, refused(use), flush=True)
assert in_child(child) == 0
client.close()
"""
    lines = outcome(spawn(program, tmp_path)).splitlines()
    assert lines == [f"{use} ForkError" for use in uses]


def test_every_use_of_an_inherited_asyncio_object_is_an_error(spawn: Spawn, tmp_path: Path) -> None:
    program = f"""{PARENT}
async def parent():
    client = await aio.open()
    topic = await client.create_topic("t")
    producer, consumer = client.producer(), client.consumer("t")
    return client, topic, producer, consumer, await client.serve(port=0)
client, topic, producer, consumer, server = asyncio.run(parent())
def child():
    for name, use in [{", ".join(f"({use!r}, {use})" for use in AIO_USES)}]:
        print(name, refused(awaited(use)), flush=True)
assert in_child(child) == 0
"""
    lines = outcome(spawn(program, tmp_path)).splitlines()
    assert lines == [f"{use} ForkError" for use in AIO_USES]


ENDS = {
    "exit": "sys.exit(0)",
    "return": "None",
    "garbage": "[globals().pop(name) for name in ('client', 'topic', 'producer', 'consumer', 'scan', 'server', 'future')]",
    "another engine": "hw.open().close()",
    "_exit": "os._exit(0)",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_child_that_ends_does_no_harm(spawn: Spawn, tmp_path: Path, end: str) -> None:
    program = f"""{PARENT}
for round in range(3):
    assert in_child(lambda: {end}) == 0
    producer.send("t", str(round), partition=1)
producer.flush()
print(future.result().offset, len(topic))
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    process = spawn(program, tmp_path)
    output, errors = process.communicate(timeout=60)
    assert output == "0 4\n", errors
    assert errors == ""
    with hw.open(tmp_path) as client:
        assert sorted(message.value for message in client["t"].head()) == [b"0", b"1", b"2", b"from the parent"]


def test_a_child_that_lives_on_does_not_keep_the_lock(spawn: Spawn, tmp_path: Path) -> None:
    program = f"""{PARENT}
producer.flush()
if os.fork() == 0:
    sys.stdout.close()
    os.close(1)
    os.close(2)
    time.sleep(60)
    os._exit(0)
print(os.getpid(), flush=True)
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    process = spawn(program, tmp_path)
    process.wait(timeout=60)
    with hw.open(tmp_path) as client:
        assert len(client["t"]) == 1
        assert not client.closed


def test_a_child_opens_the_directory_once_its_parent_has_closed_it(spawn: Spawn, tmp_path: Path) -> None:
    program = f"""{PARENT}
producer.close()
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(read, 1)
    with hw.open(path) as own:
        print(own.topics()[0].name, own.producer().send("t", b"x", partition=0).result().offset, flush=True)
    sys.exit(0)
server.close()
client.close()
os.write(write, b"x")
assert os.waitpid(pid, 0)[1] == 0
with hw.open(path) as again:
    print(len(again["t"]))
"""
    assert outcome(spawn(program, tmp_path)) == "t 1\n2\n"


def test_forking_while_threads_work_leaves_no_lock_behind(spawn: Spawn, tmp_path: Path) -> None:
    program = f"""{PARENT}
stop = False
def work():
    with client.producer() as own:
        while not stop:
            own.send("t", b"x", partition=1).add_done_callback(lambda future: None)
            topic.head(1)
            with hw.open() as other:
                other.create_topic("u")
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
def child():
    assert refused(lambda: hw.open(path)) == "LockedError"
    with hw.open() as own, own.producer() as sender:
        own.create_topic("u")
        done = threading.Event()
        sender.send("u", b"x").add_done_callback(lambda future: done.set())
        sender.flush()
        assert done.wait(20)
statuses = [in_child(child) for _ in range(20)]
stop = True
for thread in threads:
    thread.join()
print(set(statuses))
"""
    assert outcome(spawn(program, tmp_path)) == "{0}\n"


def test_workers_of_multiprocessing_are_refused(spawn: Spawn, tmp_path: Path) -> None:
    program = f"""{PARENT}
import multiprocessing
def work(n):
    return refused(lambda: hw.open(path)), refused(lambda: producer.send("t", b"x"))
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(set(pool.map(work, range(4))))
"""
    assert outcome(spawn(program, tmp_path)) == "{('LockedError', 'ForkError')}\n"
