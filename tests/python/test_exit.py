"""The end of the interpreter: remaining threads print nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("ends processes")

DAEMONS = {
    "poll": "while True: client.consumer('t').poll(timeout=60)",
    "poll briefly": "consumer = client.consumer('t')\n    while True: consumer.poll(timeout=0.001)",
    "iterate messages": "for message in client.consumer('t'): pass",
    "iterate batches": "for batch in client.consumer('t').batches(): pass",
    "group": "for message in client.consumer('t', group_id='g'): pass",
    "send": "while True: producer.send('t', b'x').result()",
    "send without waiting": "while True: producer.send('t', b'x')",
    "send_batch": "while True: producer.send_batch('t', [b'x'] * 1000)",
    "head": "while True: topic.head()",
    "scan": "while True: list(topic.scan())",
    "to_arrow": "while True: topic.scan().to_arrow()",
    "to_polars": "while True: topic.head().to_polars()",
    "topics": "while True: client.topics()",
    "open": "while True: hw.open().close()",
    "wait": "producer.send('t', b'x')\n    while True: concurrent.futures.wait([producer.send('t', b'x')])",
    "asyncio": "asyncio.run(read())",
    "asyncio tasks": "asyncio.run(produce())",
}


@pytest.mark.parametrize("daemon", DAEMONS.values(), ids=DAEMONS.keys())
@pytest.mark.parametrize("where", ["memory", "directory"])
def test_daemon_threads_print_nothing_at_exit(spawn: Spawn, tmp_path: Path, daemon: str, where: str) -> None:
    process = spawn(
        f"""
import asyncio, concurrent.futures, sys, threading, time, headwater as hw, headwater.aio as aio
client = hw.open(sys.argv[1] if sys.argv[2] == "directory" else None)
topic = client.create_topic("t", retention_bytes=1_000_000, segment_bytes=1_048_576)
producer = client.producer()
producer.send_batch("t", [b"x"] * 10)
# A thread that is stopped while it imports a library ends the process, before Python 3.14.
topic.head().to_arrow(), topic.head().to_polars(), topic.head().to_pandas()

async def read():
    async for message in client.aio.consumer("t"):
        pass

async def produce():
    async with client.aio.producer() as producer:
        while True:
            await asyncio.gather(*(asyncio.create_task(producer.send("t", b"x")) for _ in range(10)))

def work():
    {daemon}

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
print("end", flush=True)
""",
        tmp_path,
        where,
    )
    output, errors = process.communicate(timeout=60)
    assert output == "end\n"
    assert errors == ""
    assert process.returncode == 0


def test_the_last_handlers_of_the_program_still_get_errors(spawn: Spawn) -> None:
    process = spawn(
        """
        import atexit
        def last():
            try:
                client.topics()
            except hw.ClosedError:
                print("closed")
        atexit.register(last)
        import headwater as hw
        client = hw.open()
        """
    )
    output, errors = process.communicate(timeout=60)
    assert (output, errors) == ("closed\n", "")
