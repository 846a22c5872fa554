"""`headwater` and `headwater.aio` have the same names with the same meaning, except for a list of differences."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import re
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import headwater
import headwater.aio

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.embedded("compares the two APIs of the package")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


stubs = load(Path(__file__).parents[2] / "bindings-python" / "stubs.py")
BORN = {"__module__", "__doc__", "__new__", "__weakref__"}


def members(owner: type) -> dict[str, Any]:
    """The members of a class that this package defines, including inherited ones."""
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__[:-1]):
        found |= {name: value for name, value in vars(base).items() if name not in BORN}
    return found


def test_both_modules_have_the_same_names() -> None:
    assert sorted(headwater.aio.__all__) == sorted(headwater.__all__)
    for name in headwater.__all__:
        if name not in stubs.CLASSES and name not in {"open", "connect"}:
            assert getattr(headwater.aio, name) is getattr(headwater, name)


@pytest.mark.parametrize("owner", stubs.CLASSES)
def test_both_classes_have_the_same_members_except_for_the_listed_ones(owner: str) -> None:
    blocking, asyncio_ = members(getattr(headwater, owner)), members(getattr(headwater.aio, owner))
    expected = {stubs.asyncio_name(owner, name) for name in blocking} - {None}
    assert set(asyncio_) == expected
    for name, member in blocking.items():
        same = stubs.asyncio_name(owner, name)
        if same == name:
            # One definition: the same signature and docstring.
            assert asyncio_[name] is member


def test_opening_takes_the_same_arguments() -> None:
    def parameters(function: Callable[..., object]) -> list[tuple[str, object, object]]:
        found = inspect.signature(function).parameters.values()
        return [(parameter.name, parameter.kind, parameter.default) for parameter in found]

    assert parameters(headwater.aio.open) == parameters(headwater.open)
    assert parameters(headwater.aio.connect) == parameters(headwater.connect)


@pytest.mark.parametrize("listed", [*stubs.ONLY_BLOCKING, *stubs.NOT_AWAITED, *stubs.RESULTS, *stubs.RENAMED])
def test_the_list_of_differences_has_existing_names(listed: str) -> None:
    owner, _, name = listed.partition(".")
    owners = stubs.CLASSES if owner == "*" else [owner]
    assert any(name in members(getattr(headwater, each)) for each in owners)


def test_the_stub_of_asyncio_is_written_from_the_other_one() -> None:
    stub: str = stubs.STUB.read_text()
    assert stubs.generated(stub) == stub
    before, after = "def delete_group(self, group_id: str)", "def delete_group(self, group_id: str, *, force: bool = False)"
    changed = stubs.generated(stub.replace(f"{before} -> None", f"{after} -> None", 1))
    assert f"async {after} -> None" in changed
    assert f"{before} ->" not in changed


@pytest.mark.parametrize("owner", stubs.CLASSES)
def test_classes_have_their_public_names(owner: str) -> None:
    for module in (headwater, headwater.aio):
        face = getattr(module, owner)
        assert (face.__module__, face.__qualname__) == (module.__name__, owner)
        for name, member in members(face).items():
            if inspect.isroutine(member) and not name.startswith("__"):
                assert member.__qualname__ == f"{owner}.{name}"
                assert inspect.signature(member)


def test_errors_of_arguments_name_the_method() -> None:
    with headwater.open() as client:
        wrong: Any = client.create_topic
        with pytest.raises(TypeError, match=r"Client\.create_topic\(\) missing 1 required positional argument: 'name'"):
            wrong()


# One call of each method. It must return the same in both APIs.
CALLS: dict[str, Callable[[Any], object]] = {
    "Client.create_topic": lambda at: at.client.create_topic("made", partitions=2),
    "Client.topic": lambda at: at.client.topic("t"),
    "Client.topics": lambda at: at.client.topics(internal=True),
    "Client.config": lambda at: at.client.config(),
    "Client.alter_topic": lambda at: at.client.alter_topic("t", partitions=5),
    "Client.delete_topic": lambda at: at.client.delete_topic("t"),
    "Client.delete_records": lambda at: at.client.delete_records("t", before=1),
    "Client.groups": lambda at: at.client.groups(),
    "Client.group_offsets": lambda at: at.client.group_offsets("g"),
    "Client.reset_group_offsets": lambda at: at.client.reset_group_offsets("g", "t", "latest"),
    "Client.delete_group": lambda at: at.client.delete_group("g"),
    "Client.producer": lambda at: at.client.producer(),
    "Client.consumer": lambda at: at.client.consumer("t"),
    "Client.serve": lambda at: at.client.serve(port=0, advertised="here:1"),
    "Client.close": lambda at: at.client.close(),
    "Client.aio": lambda at: getattr(at.client, at.name),
    "Client.recovery": lambda at: at.client.recovery,
    "Client.metrics": lambda at: at.client.metrics(),
    "Client.closed": lambda at: at.client.closed,
    "Topic.name": lambda at: at.topic.name,
    "Topic.partitions": lambda at: at.topic.partitions,
    "Topic.size_bytes": lambda at: at.topic.size_bytes,
    "Topic.config": lambda at: at.topic.config(),
    "Topic.scan": lambda at: at.topic.scan(1),
    "Topic.head": lambda at: at.topic.head(2, value="string"),
    "Topic.tail": lambda at: at.topic.tail(2),
    "Topic.count": lambda at: at.topic.count(),
    "Topic.offsets": lambda at: at.topic.offsets("latest"),
    "Topic.rate": lambda at: at.topic.rate("1s"),
    "Scan.to_polars": lambda at: at.topic.scan(value="json").to_polars(lazy=True),
    "Scan.to_pandas": lambda at: at.topic.scan(value="string").to_pandas(),
    "Scan.to_arrow": lambda at: at.topic.scan().to_arrow(),
    "Scan.to_reader": lambda at: at.topic.scan().to_reader(),
    "Scan.count": lambda at: at.topic.scan(1).count(),
    "Scan.explain": lambda at: at.topic.scan(1).explain(),
    "Scan.schema": lambda at: at.topic.scan(value="json").schema,
    "Scan.skipped": lambda at: at.topic.scan().skipped,
    "Producer.send": lambda at: at.producer.send("t", b"4", timestamp=4),
    "Producer.send_batch": lambda at: at.producer.send_batch("t", ({"n": n} for n in range(3))),
    "Producer.flush": lambda at: at.producer.flush(10),
    "Producer.close": lambda at: at.producer.close(),
    "Consumer.assign": lambda at: at.consumer.assign([("t", 0)]),
    "Consumer.subscribe": lambda at: at.client.consumer(group_id="h").subscribe("t"),
    "Consumer.unsubscribe": lambda at: at.consumer.unsubscribe(),
    "Consumer.commit": lambda at: at.client.consumer(group_id="h").commit({("t", 0): 1}),
    "Consumer.committed": lambda at: at.client.consumer(group_id="g").committed([("t", 0)]),
    "Consumer.group_metadata": lambda at: at.client.consumer(group_id="h").group_metadata(),
    "Consumer.assignment": lambda at: at.consumer.assignment(),
    "Consumer.poll": lambda at: at.consumer.poll(max_records=2),
    "Consumer.batches": lambda at: at.consumer.batches(until="end"),
    "Consumer.position": lambda at: at.consumer.position(),
    "Consumer.lag": lambda at: at.consumer.lag(),
    "Consumer.seek": lambda at: at.consumer.seek("latest"),
    "Consumer.pause": lambda at: at.consumer.pause(),
    "Consumer.resume": lambda at: at.consumer.resume([("t", 0)]),
    "Consumer.paused": lambda at: at.consumer.paused(),
    "Consumer.skipped": lambda at: at.consumer.skipped,
    "Consumer.wakeup": lambda at: at.consumer.wakeup(),
    "Consumer.close": lambda at: at.consumer.close(),
    "Server.address": lambda at: at.server.address.partition(":")[0],
    "Server.bootstrap_servers": lambda at: at.server.bootstrap_servers,
    "Server.close": lambda at: at.server.close(),
}


class PreparedObjects:
    """An engine with a topic, a group that has committed, and one object of each class."""

    def __init__(self, client: Any, client_of_face: Any, name: str) -> None:
        self.client, self.name = client_of_face, name
        client.create_topic("t", retention_ms=-1)
        with client.producer() as producer:
            for n in range(3):
                producer.send("t", b"%d" % n, key=b"k", timestamp=1_000 * n)
        client.reset_group_offsets("g", "t", 1)
        self.topic = self.client.topic("t")
        self.producer = self.client.producer()
        self.consumer = self.client.consumer("t", auto_offset_reset="earliest")


def shown(result: Any) -> object:
    """A result in a comparable form."""
    if isinstance(result, headwater.Future):
        result = result.result(10)
    if isinstance(result, headwater.Batch):
        return result.to_arrow().to_pydict()
    if isinstance(result, headwater.Schema):
        return str(pa.schema(result))
    if isinstance(result, pl.LazyFrame):
        return result.collect().to_dicts()
    if isinstance(result, pa.RecordBatchReader):
        return result.read_all().to_pydict()
    if isinstance(result, pa.Table):
        return result.to_pydict()
    if isinstance(result, pd.DataFrame):
        return result.to_string()
    if isinstance(result, headwater.BatchResult):
        return result.offsets
    if type(result).__name__.endswith("BatchIterator"):
        return "batches"
    if type(result).__name__ == "Server":
        return result.bootstrap_servers
    if isinstance(result, dict) and "request-total" in result:
        # Requests include retries during the creation of the offsets topic.
        return sorted(result)
    # A consumer of asyncio looks its topics up at its first use.
    return re.sub(r", \d+ partitions?\)$", ")", repr(result).removeprefix("aio."))


def test_each_method_has_a_call() -> None:
    public = {f"{owner}.{name}" for owner in stubs.CLASSES for name in members(getattr(headwater, owner)) if not name.startswith("_")}
    assert set(CALLS) == public


@pytest.mark.parametrize("method", CALLS)
def test_a_method_has_the_same_result_in_both_apis(method: str) -> None:
    owner, _, name = method.partition(".")
    call = CALLS[method]

    with headwater.open() as client:
        prepared: Any = PreparedObjects(client, client, "aio")
        if owner == "Server":
            prepared.server = client.serve(port=0, advertised="here:1")
        blocking = shown(call(prepared))

    async def main() -> object:
        async with headwater.aio.open() as client:
            prepared: Any = PreparedObjects(client.sync, client, "sync")
            if owner == "Server":
                prepared.server = await client.serve(port=0, advertised="here:1")
            result = call(prepared)
            assert isinstance(result, Awaitable) == stubs.is_awaited(owner, name)
            if isinstance(result, Awaitable):
                result = await result
            shown_result = shown(result)
            # Consumers and producers of both APIs behave the same when they are closed twice.
            await prepared.producer.close()
            await prepared.consumer.close()
            return shown_result

    assert asyncio.run(main()) == blocking


def test_flush_stops_at_its_timeout_in_both_apis() -> None:
    with headwater.open() as client:
        client.create_topic("t")
        producer = client.producer(linger_ms=60_000)
        producer.flush(timeout=10)
        with pytest.raises(headwater.InvalidArgumentError, match="not a number"):
            producer.flush(timeout=float("nan"))

        async def main() -> None:
            same = client.aio.producer(linger_ms=60_000)
            await same.flush(timeout=10)
            with pytest.raises(headwater.InvalidArgumentError, match="not a number"):
                await same.flush(timeout=float("nan"))

        asyncio.run(main())


def test_an_error_of_a_function_is_raised_by_the_call_in_both_apis() -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("enough")

    with headwater.open(group_initial_rebalance_delay_ms=0) as client:
        topic = client.create_topic("t")
        client.producer().send("t", b"x").result(10)
        with pytest.raises(RuntimeError, match="enough"):
            topic.scan(progress=refuse).to_arrow()

        async def main() -> None:
            same = client.aio
            with pytest.raises(RuntimeError, match="enough"):
                await same.topic("t").scan(progress=refuse).to_arrow()
            with pytest.raises(RuntimeError, match="enough"):
                async for _ in same.topic("t").scan(progress=refuse):
                    pass
            async with same.consumer(group_id="g") as consumer:
                await consumer.subscribe("t", on_assign=refuse)
                # The member joins the group in between.
                with pytest.raises(RuntimeError, match="enough"):
                    await consumer.poll(30)

        asyncio.run(asyncio.wait_for(main(), 30))


def test_functions_of_asyncio_are_called_in_the_thread_of_the_event_loop() -> None:
    async def main() -> None:
        threads: set[int] = set()
        async with headwater.aio.open() as client, client.producer() as producer:
            topic = await client.create_topic("t")
            await producer.send_batch("t", [b"a", b"b"])
            scan = topic.scan(progress=lambda *_: threads.add(threading.get_ident()))
            await scan.to_arrow()
            assert [len(batch) async for batch in scan] == [2]
            assert threads == {threading.get_ident()}

    asyncio.run(main())


def test_readers_and_lazy_frames_of_asyncio_are_read_without_it() -> None:
    async def main() -> None:
        async with headwater.aio.open() as client, client.producer() as producer:
            topic = await client.create_topic("t")
            await producer.send_batch("t", [b"%d" % n for n in range(10)])
            reader = await topic.scan().to_reader()
            assert (await asyncio.to_thread(reader.read_all)).num_rows == 10
            frame = (await topic.scan().to_polars(lazy=True)).filter(pl.col("offset") >= 4).select("value")
            assert (await frame.collect_async()).height == 6
            assert (await asyncio.to_thread(frame.collect)).height == 6

    asyncio.run(main())
