"""Effects of other processes and the operating system: Ctrl-C, fork, kill, locks, permissions, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import headwater as hw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("is about signals, locks and files of processes")

BLOCKING = {
    "poll": "client.consumer('t').poll(timeout=60)",
    "iterate messages": "next(client.consumer('t'))",
    "iterate batches": "next(iter(client.consumer('t').batches()))",
    "scan": "[topic.scan().to_polars() for _ in range(100_000)]",
    "arrow stream": "[pa.table(topic.scan()) for _ in range(100_000)]",
    "head": "[topic.head() for _ in range(10_000_000)]",
    "send_batch": "[producer.send_batch('t', frame) for _ in range(100_000)]",
    "full buffer": "fill(client.producer(buffer_memory=1000, max_block_ms=60_000, linger_ms=60_000))",
}


@pytest.mark.parametrize("call", BLOCKING.values(), ids=BLOCKING.keys())
def test_ctrl_c_ends_a_blocking_call(spawn: Spawn, call: str) -> None:
    process = spawn(
        f"""
        import time, polars as pl, pyarrow as pa, headwater as hw
        frame = pl.DataFrame({{"value": ["x" * 100] * 200_000}})
        client = hw.open()
        topic = client.create_topic("t")
        producer = client.producer()
        producer.send_batch("t", frame, value="value")
        def fill(producer):
            while True:
                producer.send("t", b"x" * 900)
        print("ready", flush=True)
        try:
            try:
                {call}
            except pa.ArrowInvalid:
                # A foreign reader gives its own error first; the interrupt is raised as soon as Python code runs again.
                time.sleep(1)
        except KeyboardInterrupt:
            print("interrupted", time.time(), flush=True)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert output.startswith("interrupted"), errors
    # The promise is 100 ms; a busy machine gets more time.
    assert float(output.split()[1]) - sent < 2
    assert process.returncode == 0, errors


def test_use_in_a_child_of_fork_is_an_error_and_its_end_is_clean(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(
        """
        import os, sys, headwater as hw
        client = hw.open(sys.argv[1])
        topic = client.create_topic("t")
        producer = client.producer(linger_ms=60_000)
        consumer = client.consumer("t", auto_offset_reset="earliest")
        future = producer.send("t", b"from the parent")
        pid = os.fork()
        if pid == 0:
            uses = [client.topics, lambda: producer.send("t", b"x"), producer.flush, consumer.poll, topic.head,
                    topic.scan, future.result, client.close, lambda: len(topic)]
            refused = 0
            for use in uses:
                try:
                    use()
                except hw.ForkError as error:
                    refused += "fork" in str(error)
            del client, topic, producer, consumer, future, uses, use
            with hw.open() as own:
                own.create_topic("t")
                with own.producer() as producer:
                    producer.send("t", b"in the child").result()
                children = [message.value for message in own["t"].head()]
            sys.exit(0 if refused == 9 and children == [b"in the child"] else 10 + refused)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert future.result().offset == 0
        client.close()
        print(status)
        """,
        tmp_path,
    )
    output, errors = process.communicate(timeout=60)
    assert output == "0\n", errors
    assert process.returncode == 0
    with hw.open(tmp_path) as client:
        assert [message.value for message in client["t"].head()] == [b"from the parent"]


def test_multiprocessing_with_fork_works(spawn: Spawn) -> None:
    process = spawn(
        """
        import multiprocessing, headwater as hw
        client = hw.open()
        client.create_topic("t")
        def work(n):
            with hw.open() as own:
                own.create_topic("t")
                with own.producer() as producer:
                    return producer.send("t", str(n)).result().offset + n
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(work, range(4)))
        """
    )
    output, errors = process.communicate(timeout=60)
    assert output == "[0, 1, 2, 3]\n", errors


def test_the_end_of_the_program_sends_queued_records(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(
        """
        import sys, headwater as hw
        client = hw.open(sys.argv[1])
        client.create_topic("t")
        producer = client.producer(linger_ms=60_000)
        kept = [producer.send("t", str(n)) for n in range(100)]
        kept[0].add_done_callback(lambda future: print("done", flush=True))
        consumer = client.consumer("t")
        """,
        tmp_path,
    )
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == ""
    assert output == "done\n"
    with hw.open(tmp_path) as client:
        assert len(client["t"]) == 100


def test_acknowledged_records_survive_kill_9(spawn: Spawn, tmp_path: Path) -> None:
    writer = """
        import sys, headwater as hw
        client = hw.open(sys.argv[1])
        client.create_topic("t", partitions=2, if_exists="ignore")
        producer = client.producer()
        n = 0
        while True:
            batch = [producer.send("t", f"{sys.argv[2]}:{n + i}", key=str(i)) for i in range(50)]
            for future in batch:
                metadata = future.result()
            print(sys.argv[2], n + 50, flush=True)
            n += 50
        """
    acknowledged: dict[str, int] = {}
    for run_number in range(3):
        process = spawn(writer, tmp_path, run_number)
        assert process.stdout is not None
        for _ in range(20 * (run_number + 1)):
            name, count = process.stdout.readline().split()
            acknowledged[name] = int(count)
        process.kill()
        # The last line may be cut. The first may be cut too: the loop above has already read a part.
        for line in process.communicate()[0].split("\n")[1:-1]:
            acknowledged[line.split()[0]] = int(line.split()[1])
    with hw.open(tmp_path) as client:
        stored: dict[str, set[int]] = {}
        offsets: dict[int, list[int]] = {}
        for message in client["t"].head(10_000_000):
            name, n = message.value.decode().split(":")
            stored.setdefault(name, set()).add(int(n))
            offsets.setdefault(message.partition, []).append(message.offset)
    for life, sent in acknowledged.items():
        assert stored[life] >= set(range(sent)), life
    assert all(found == list(range(len(found))) for found in offsets.values())


def test_the_error_in_a_second_process_has_the_process_id_of_the_first(spawn: Spawn, tmp_path: Path) -> None:
    holder = spawn(
        "import signal, sys, headwater as hw; c = hw.open(sys.argv[1]); print('open', flush=True); signal.pause()",
        tmp_path,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(hw.LockedError, match=str(holder.pid)):
        hw.open(tmp_path)
    holder.kill()
    holder.wait()
    with hw.open(tmp_path) as client:
        assert client.topics() == []


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


# The interpreter and its packages may be readable only by root: import them first, then drop privileges.
AS_NOBODY = """
import sys, os, headwater as hw
hw.open  # The first use imports everything, which the other user may not read.
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
"""


def test_a_directory_without_permission_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    tmp_path.chmod(0o755)
    program = (
        AS_NOBODY
        + """
for path in (sys.argv[1], sys.argv[1] + "/new"):
    try:
        hw.open(path)
    except PermissionError as error:
        print(type(error).__name__, sys.argv[1] in str(error))
"""
    )
    for parent in tmp_path.parents:
        if parent.owner() == "root" and parent != parent.parent and not os.access(parent, os.X_OK):
            parent.chmod(0o755)
    done = run(program, closed)
    assert done.stdout.split() == ["AuthorizationError", "True"] * 2, done.stderr
    assert list(closed.iterdir()) == []


FULL = """
import resource, signal, sys, headwater as hw
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
client = hw.open(sys.argv[1])
topic = client.create_topic("t")
producer = client.producer(retries=0)
producer.send_batch("t", [b"before"])
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
acknowledged = 1
try:
    while True:
        acknowledged += producer.send_batch("t", [b"x" * 1000] * 100).records
except hw.StorageError as error:
    print(error.code)
assert len(topic) >= acknowledged
assert topic.head(1).to_arrow()["value"].to_pylist() == [b"before"]
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
else:
    import os
    os.remove(sys.argv[1] + "/../ballast")
with hw.open(sys.argv[1]) as same:
    stored = len(same["t"])
assert stored >= acknowledged, (stored, acknowledged)
print("safe")
client = hw.open(sys.argv[1])
client.producer().send("t", b"after").result()
print("resumed")
client.close()
"""


def test_a_file_size_limit_does_no_harm(tmp_path: Path) -> None:
    done = run(FULL, tmp_path / "data", "limit")
    assert done.stdout.split() == ["KAFKA_STORAGE_ERROR", "safe", "resumed"], done.stderr


COMMIT = """
import asyncio, logging, resource, sys, time, headwater as hw, headwater.aio
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s")

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def report(error, started):
    # The time limit of a call is a minute.
    print(type(error).__name__, error.code, error.retriable, time.monotonic() - started < 30)

async def commit_in_asyncio(client):
    async with client.aio.consumer("t", group_id="h", auto_offset_reset="earliest", enable_auto_commit=False, **config) as consumer:
        assert len(await consumer.poll(30)) == 100
        limit(1)
        started = time.monotonic()
        try:
            await consumer.commit()
        except hw.StorageError as error:
            report(error, started)
        limit(resource.RLIM_INFINITY)

config = eval(sys.argv[2])
with hw.open(sys.argv[1]) as client:
    client.create_topic("t")
    client.producer().send_batch("t", [b"x"] * 100)
    consumer = client.consumer("t", group_id="g", auto_offset_reset="earliest", enable_auto_commit=False, **config)
    assert len(consumer.poll(30)) == 100
    limit(1)
    started = time.monotonic()
    try:
        consumer.commit()
    except hw.StorageError as error:
        report(error, started)
    consumer.commit(wait=False)
    time.sleep(0.5)
    limit(resource.RLIM_INFINITY)
    consumer.poll(0)
    consumer.commit()
    print("committed", client.group_offsets("g")[0].committed)
    asyncio.run(commit_in_asyncio(client))
"""


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_commit_that_cannot_be_written_fails_at_once_and_is_logged(tmp_path: Path, protocol: str) -> None:
    done = run(COMMIT, tmp_path / "data", {"group_protocol": protocol})
    refused = "StorageError KAFKA_STORAGE_ERROR False True"
    assert done.stdout.splitlines() == [refused, "committed 100", refused], done.stderr
    logged = done.stderr.splitlines()
    assert "WARNING headwater.client.consumer.committing" in logged
    assert "ERROR headwater.broker.groups.coordinator" in logged


def test_a_full_disk_does_no_harm(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], capture_output=True, check=False)
    if mounted.returncode != 0:
        assert not os.environ.get("CI"), f"CI must let tests mount a small disk: {mounted.stderr.decode()}"
        pytest.skip("nothing can be mounted here; the test above limits a file's size instead")
    try:
        (tmp_path / "ballast").write_bytes(bytes(3 << 20))
        done = run(FULL, tmp_path / "data", "disk")
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    assert done.stdout.split() == ["KAFKA_STORAGE_ERROR", "safe", "resumed"], done.stderr
