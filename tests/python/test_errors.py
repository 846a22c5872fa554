"""Bad input: the call that gets it raises one error with the remedy, and nothing changes."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
from headwater import errors
from tests.python.names import name

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.embedded("asks no broker")
def test_the_tree_is_the_documented_one() -> None:
    for listed in errors.__all__:
        kind = getattr(errors, listed)
        assert issubclass(kind, hw.HeadwaterError)
        assert getattr(hw, listed) is kind
        assert kind.__doc__
        if kind not in (hw.HeadwaterError, hw.ClosedError, hw.ForkError, hw.WakeupError):
            assert issubclass(kind, hw.KafkaError)
    builtins = {
        hw.UnknownTopicOrPartitionError: LookupError,
        hw.ConfigError: ValueError,
        hw.DecodeError: ValueError,
        hw.InvalidTopicError: ValueError,
        hw.InvalidArgumentError: ValueError,
        hw.RecordTooLargeError: ValueError,
        hw.RequestTimedOutError: TimeoutError,
        hw.AuthorizationError: PermissionError,
    }
    for kind, builtin in builtins.items():
        assert issubclass(kind, builtin)


@pytest.mark.embedded("asks no broker")
def test_errors_survive_pickling() -> None:
    error = hw.OffsetOutOfRangeError("No.", topic="t", partition=1, offset=5, retriable=True)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is hw.OffsetOutOfRangeError
    assert (str(again), again.topic, again.partition, again.offset, again.retriable) == ("No.", "t", 1, 5, True)
    assert again.code == "OFFSET_OUT_OF_RANGE"
    assert not again.fatal


# The stubs reject half of these calls, so the client has no type here.
CASES: list[tuple[str, Callable[[Any], object], type[Exception], str]] = [
    ("unknown engine key", lambda _: hw.open(num_partition=1), hw.ConfigError, r"num\.partitions"),
    ("wrong engine value", lambda _: hw.open(num_partitions="many"), hw.ConfigError, r"num\.partitions"),
    (
        "unknown topic key",
        lambda c: c.create_topic(name("a"), retention=1),
        hw.ConfigError,
        r"retention\.ms|retention\.bytes",
    ),
    (
        "unknown key in config",
        lambda c: c.create_topic(name("a"), config={"retention.mss": 1}),
        hw.ConfigError,
        r"retention\.ms",
    ),
    ("wrong topic value", lambda c: c.create_topic(name("a"), cleanup_policy="shred"), hw.ConfigError, "compact"),
    ("unknown producer key", lambda c: c.producer(lingerms=1), hw.ConfigError, r"linger\.ms"),
    ("wrong producer value", lambda c: c.producer(compression_type="zip"), hw.ConfigError, "zstd"),
    ("unknown consumer key", lambda c: c.consumer(auto_offset_rest="earliest"), hw.ConfigError, r"auto\.offset\.reset"),
    ("wrong consumer value", lambda c: c.consumer(auto_offset_reset="middle"), hw.ConfigError, "earliest"),
    ("config of a wrong type", lambda c: c.create_topic(name("a"), retention_ms=object()), TypeError, "retention_ms"),
    ("unknown topic: head", lambda c: c[name("nowhere")].head(), hw.UnknownTopicOrPartitionError, "nowhere"),
    ("unknown topic: scan", lambda c: c[name("nowhere")].scan().count(), hw.UnknownTopicOrPartitionError, "nowhere"),
    ("unknown topic: len", lambda c: len(c[name("nowhere")]), hw.UnknownTopicOrPartitionError, "nowhere"),
    (
        "unknown topic: alter",
        lambda c: c.alter_topic(name("nowhere"), retention_ms=1),
        hw.UnknownTopicOrPartitionError,
        "nowhere",
    ),
    ("unknown topic: delete", lambda c: c.delete_topic(name("nowhere")), hw.UnknownTopicOrPartitionError, "nowhere"),
    ("unknown topic: consumer", lambda c: c.consumer(name("nowhere")), hw.UnknownTopicOrPartitionError, "nowhere"),
    (
        "unknown topic: rows",
        lambda c: c.producer().send_batch(name("nowhere"), [b"x"]),
        hw.UnknownTopicOrPartitionError,
        "nowhere",
    ),
    (
        "unknown partition",
        lambda c: c.producer().send(name("t"), b"x", partition=9).result(),
        hw.UnknownTopicOrPartitionError,
        "9",
    ),
    (
        "unknown partition of a scan",
        lambda c: c[name("t")].scan(partitions=[9]).count(),
        hw.UnknownTopicOrPartitionError,
        "9",
    ),
    ("invalid topic name: slash", lambda c: c.create_topic("a/b"), hw.InvalidTopicError, "a/b"),
    ("invalid topic name: dots", lambda c: c.create_topic(".."), hw.InvalidTopicError, r"\.\."),
    ("invalid topic name: empty", lambda c: c.create_topic(""), hw.InvalidTopicError, "empty"),
    ("invalid topic name: long", lambda c: c.create_topic("a" * 250), hw.InvalidTopicError, "249"),
    ("no partitions", lambda c: c.create_topic(name("a"), partitions=0), hw.KafkaError, "partition"),
    ("value of a wrong type", lambda c: c.producer().send(name("t"), {"a": 1}), TypeError, "bytes or str, not dict"),
    (
        "key of a wrong type",
        lambda c: c.producer().send(name("t"), b"", key=1),
        TypeError,
        "key must be bytes or str, not int",
    ),
    ("headers of a wrong type", lambda c: c.producer().send(name("t"), b"", headers=[1]), TypeError, "pair"),
    ("timestamp of a wrong type", lambda c: c.producer().send(name("t"), b"", timestamp=1.5), TypeError, "timestamp"),
    ("negative timestamp", lambda c: c.producer().send(name("t"), b"", timestamp=-1), hw.InvalidArgumentError, "1970"),
    (
        "naive datetime",
        lambda c: c.producer().send(name("t"), b"", timestamp=datetime(2013, 1, 1)),
        hw.InvalidArgumentError,
        "zone",
    ),
    ("negative partition", lambda c: c.producer().send(name("t"), b"", partition=-1), hw.InvalidArgumentError, "negative"),
    ("topic of a wrong type", lambda c: c.producer().send(5, b""), TypeError, "str"),
    ("unknown position", lambda c: c[name("t")].offsets("yesterday"), hw.InvalidArgumentError, "yesterday"),
    ("negative offset", lambda c: c[name("t")].scan(start=-5), hw.InvalidArgumentError, "negative"),
    ("position of a wrong type", lambda c: c[name("t")].offsets(1.5), TypeError, "earliest"),
    ("naive position", lambda c: c[name("t")].offsets(datetime(2013, 1, 1)), hw.InvalidArgumentError, "zone"),
    ("no format", lambda c: c[name("t")].head(value="xml"), hw.InvalidArgumentError, "json"),
    ("no column", lambda c: c[name("t")].head(columns=["vlaue"]), hw.InvalidArgumentError, "vlaue"),
    ("unknown dtype", lambda c: c[name("t")].head(value="json", schema={"a": "integr"}), hw.InvalidArgumentError, "integr"),
    ("schema of a wrong type", lambda c: c[name("t")].head(value="json", schema=5), TypeError, "schema"),
    ("schema without json", lambda c: c[name("t")].head(schema={"a": "int64"}), hw.InvalidArgumentError, "json"),
    ("no policy", lambda c: c[name("t")].head(on_error="ignore"), hw.InvalidArgumentError, "skip"),
    ("unknown isolation level", lambda c: c[name("t")].scan(isolation_level="dirty"), hw.InvalidArgumentError, "read_committed"),
    ("no if_exists", lambda c: c.create_topic(name("t"), if_exists="replace"), hw.InvalidArgumentError, "ignore"),
    ("no duration", lambda c: c[name("t")].rate("often"), hw.InvalidArgumentError, "often"),
    ("no until", lambda c: c.consumer(name("t")).batches(until="noon"), hw.InvalidArgumentError, "end"),
    ("timeout that is not a number", lambda c: c.consumer(name("t")).poll(float("nan")), hw.InvalidArgumentError, "number"),
    ("one row instead of many", lambda c: c.producer().send_batch(name("t"), b"x"), TypeError, "list"),
    ("rows of a wrong type", lambda c: c.producer().send_batch(name("t"), 5), TypeError, "iterable"),
    ("row of a wrong type", lambda c: c.producer().send_batch(name("t"), [5]), TypeError, "bytes or str"),
    ("row without its key", lambda c: c.producer().send_batch(name("t"), [{"a": 1}], key="k"), KeyError, "k"),
    ("row that is not JSON", lambda c: c.producer().send_batch(name("t"), [{"a": object()}]), TypeError, "JSON"),
    ("nan in JSON", lambda c: c.producer().send_batch(name("t"), [{"a": float("nan")}]), ValueError, "JSON"),
    (
        "unknown value format",
        lambda c: c.producer().send_batch(name("t"), [b""], value_format="xml"),
        hw.InvalidArgumentError,
        "json",
    ),
    ("partition that is not a pair", lambda c: c.consumer().assign([0]), TypeError, "pair"),
]


@pytest.mark.parametrize(("use", "kind", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input_is_refused(client: hw.Client, use: Callable[[hw.Client], object], kind: type[Exception], message: str) -> None:
    topic = client.create_topic(name("t"))
    client.producer().send(name("t"), b"before").result()
    with pytest.raises(kind, match=message) as caught:
        use(client)
    assert type(caught.value) is kind or kind is hw.KafkaError
    if isinstance(caught.value, hw.KafkaError):
        assert caught.value.code.isupper()
        assert not str(caught.value).endswith("..")
    client.producer().send(name("t"), b"after").result()
    assert [m.value for m in topic.head()] == [b"before", b"after"]


def test_an_unknown_column_of_a_table_is_an_error_with_its_name(client: hw.Client) -> None:
    pl = pytest.importorskip("polars")
    client.create_topic(name("t"))
    with client.producer() as producer, pytest.raises(hw.KafkaError, match="carrier"):
        producer.send_batch(name("t"), pl.DataFrame({"a": [1]}), key="carrier")


def test_a_send_to_an_unknown_topic_fails_at_the_send(client: hw.Client) -> None:
    with client.producer(max_block_ms=200) as producer, pytest.raises(hw.UnknownTopicOrPartitionError, match="nowhere"):
        producer.send(name("nowhere"), b"x").result()


def test_a_record_over_the_limit_is_refused_and_other_records_are_not(client: hw.Client) -> None:
    topic = client.create_topic(name("t"), max_message_bytes=10_000)
    with client.producer() as producer:
        before = producer.send(name("t"), b"before")
        with pytest.raises(hw.RecordTooLargeError) as caught:
            producer.send(name("t"), b"x" * 20_000).result()
        assert caught.value.code == "MESSAGE_TOO_LARGE"
        assert not caught.value.retriable
        assert before.result().offset == 0
        assert producer.send(name("t"), b"after").result().offset == 1
        with pytest.raises(hw.RecordTooLargeError):
            producer.send(name("t"), b"x" * 2_000_000).result()
    assert len(topic) == 2


def test_json_that_does_not_fit_names_its_record(client: hw.Client) -> None:
    topic = client.create_topic(name("t"), partitions=2)
    with client.producer() as producer:
        producer.send(name("t"), b'{"a": 1}', partition=1)
        producer.send(name("t"), b'{"a": "text"}', partition=1)
    for read in (topic.head, topic.tail, lambda **f: topic.scan(**f).to_polars(), lambda **f: list(topic.scan(**f))):
        with pytest.raises(hw.DecodeError, match="a") as caught:
            read(value="json", schema={"a": "int64"})
        assert (caught.value.topic, caught.value.partition, caught.value.offset) == (name("t"), 1, 1)


def test_a_scan_before_the_start_of_the_log_is_out_of_range(client: hw.Client, flights: hw.Topic) -> None:
    client.delete_records(name("flights"), 5)
    with pytest.raises(hw.OffsetOutOfRangeError, match="5") as caught:
        flights.scan(start=2).to_polars()
    assert caught.value.topic == flights.name
    with pytest.raises(hw.OffsetOutOfRangeError):
        flights.scan(start=100).to_polars()
    assert flights.scan(start="earliest").count() == 5


@pytest.mark.embedded("opens a directory")
def test_a_directory_with_other_files_is_left_unchanged(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("do not touch")
    with pytest.raises(hw.NotADataDirectoryError, match=r"thesis\.txt|not a data directory"):
        hw.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(hw.KafkaError, match=r"thesis\.txt"):
        hw.open(tmp_path / "thesis.txt")


@pytest.mark.embedded("damages a directory")
def test_a_damaged_directory_is_refused_or_reported(tmp_path: Path) -> None:
    with hw.open(tmp_path) as client:
        client.create_topic(name("t"))
        with client.producer() as producer:
            producer.send_batch(name("t"), [b"x" * 100] * 1000)
    (tmp_path / "meta.properties").write_bytes(b"\xff\x00 nonsense")
    with pytest.raises(hw.KafkaError, match=r"meta\.properties"):
        hw.open(tmp_path)


@pytest.mark.embedded("damages a file")
def test_a_flipped_byte_is_found_when_it_is_read(tmp_path: Path) -> None:
    with hw.open(tmp_path) as client:
        client.create_topic(name("t"))
        with client.producer() as producer:
            producer.send_batch(name("t"), [b"first"])
            producer.send_batch(name("t"), [b"second" * 10])
    (log,) = (tmp_path / f"{name('t')}-0").glob("*.log")
    data = bytearray(log.read_bytes())
    data[-5] ^= 1
    log.write_bytes(data)
    with hw.open(tmp_path) as client:
        topic = client[name("t")]
        with pytest.raises(hw.KafkaError) as caught:
            topic.scan().to_polars()
        assert isinstance(caught.value, (hw.CorruptLogError, hw.DecodeError))
        assert (caught.value.topic, caught.value.partition) == (name("t"), 0)
        assert [message.value for message in topic.head(1)] == [b"first"]


def test_every_error_has_its_fields(client: hw.Client) -> None:
    with pytest.raises(hw.UnknownTopicOrPartitionError) as caught:
        client[name("nowhere")].head()
    error: Any = caught.value
    assert error.code == "UNKNOWN_TOPIC_OR_PARTITION"
    assert error.topic == name("nowhere")
    assert isinstance(error.retriable, bool)
    assert error.fatal is False
    assert error.offset is None
