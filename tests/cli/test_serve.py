"""`headwater serve`: readiness, settings, authentication, and its end."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.serving import RunningServer

#: The last line of output when everything was closed.
CLEAN = ".kafka_cleanshutdown"


def topics(address: str, **configuration: str) -> list[str]:
    client = AdminClient({"bootstrap.servers": address, **{key.replace("_", "."): value for key, value in configuration.items()}})
    return sorted(client.list_topics(timeout=30).topics)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(serve: Callable[..., RunningServer], data: Path, number: signal.Signals) -> None:
    serving = serve("--data", data, "--listen", "127.0.0.1:0")
    assert not (data / CLEAN).exists()
    assert serving.end(number) == 0
    assert (data / CLEAN).exists()
    assert serving.log.read_text() == f"headwater ready on {serving.address}, serving {data}\n"


def test_the_directory_can_come_from_the_environment(
    serve: Callable[..., RunningServer], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_DATA", str(data))
    serving = serve("--listen", "127.0.0.1:0")
    assert serving.end(signal.SIGTERM) == 0
    assert (data / CLEAN).exists()
    assert serving.log.read_text().endswith(f"serving {data}\n")


def test_without_a_directory_everything_is_in_memory(serve: Callable[..., RunningServer]) -> None:
    serving = serve("--listen", "127.0.0.1:0")
    assert topics(serving.address) == []
    assert serving.end(signal.SIGTERM) == 0


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux shows the limits of another process")
def test_it_raises_its_limit_of_open_files(serve: Callable[..., RunningServer]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        serving = serve("--listen", "127.0.0.1:0")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(serving.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_more_written_partitions_than_files_may_be_open(serve: Callable[..., RunningServer], data: Path) -> None:
    partitions, sessions = 600, 3
    succeed("topic", "create", "flights", "--data", data, "--partitions", partitions)
    for session in range(1, sessions + 1):
        serving = serve("--data", data, "--listen", "127.0.0.1:0", files_max=512)
        producer = Producer({"bootstrap.servers": serving.address, "message.timeout.ms": 60_000})
        for partition in range(partitions):
            producer.produce("flights", b"value", partition=partition)
        assert producer.flush(60) == 0
        assert serving.end(signal.SIGTERM) == 0
        assert "ERROR" not in serving.log.read_text()
        stored = succeed("consume", "flights", "--data", data).lines
        assert len(stored) == session * partitions


def test_too_few_files_are_an_error_with_the_limit(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    refused = [ended.problems for most in range(4, 24) if (ended := run("topic", "list", "--data", data, files_max=most)).code != 0]
    unopened = [problems for problems in refused if "Cannot open the engine" in problems]
    assert unopened, refused
    for problems in unopened:
        assert "raise that limit (`ulimit -n`" in problems, problems
        assert "heck the disk" not in problems, problems


def test_too_many_connections_of_one_address_are_closed(serve: Callable[..., RunningServer]) -> None:
    serving = serve("--listen", "127.0.0.1:0", "--config", "max.connections.per.ip=1")
    host, port = serving.address.split(":")
    with socket.create_connection((host, int(port)), timeout=30), socket.create_connection((host, int(port)), timeout=30) as second:
        assert second.recv(1) == b""


def test_every_acknowledged_record_survives_a_signal_under_load(serve: Callable[..., RunningServer], data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    serving = serve("--data", data, "--listen", "127.0.0.1:0")
    acknowledged: list[bytes] = []
    loaded, ended = threading.Event(), threading.Event()

    def delivered(error: object, message: object) -> None:
        if error is None:
            acknowledged.append(message.value())  # type: ignore[attr-defined]
            if len(acknowledged) == 10_000:
                loaded.set()

    def load() -> None:
        producer = Producer({"bootstrap.servers": serving.address, "linger.ms": 0, "log_level": 0, "message.timeout.ms": 2000})
        number = 0
        while not ended.is_set():
            try:
                producer.produce("flights", b"%d" % number, on_delivery=delivered)
                number += 1
            except BufferError:
                producer.poll(0.01)
            producer.poll(0)
        producer.purge()
        producer.flush(10)

    loader = threading.Thread(target=load)
    loader.start()
    try:
        assert loaded.wait(60)
        assert serving.end(signal.SIGTERM) == 0
        assert (data / CLEAN).exists()
    finally:
        ended.set()
        loader.join()
    stored = {record["value"] for record in succeed("consume", "flights", "--data", data).objects}
    assert {value.decode() for value in acknowledged} <= stored


def test_a_second_process_is_refused_with_the_pid_of_the_first(serve: Callable[..., RunningServer], data: Path) -> None:
    serving = serve("--data", data, "--listen", "127.0.0.1:0")
    for arguments in [("serve", "--listen", "127.0.0.1:0"), ("topic", "list")]:
        second = run(*arguments, "--data", data)
        assert second.code == 1
        assert f"{data} is in use by process {serving.process.pid}: close it there" in second.problems


def test_settings_configure_the_broker(serve: Callable[..., RunningServer]) -> None:
    settings = {
        "num.partitions": "3",
        "log.retention.ms": "-1",
        "group.consumer.min.heartbeat.interval.ms": "1000",
        "group.consumer.heartbeat.interval.ms": "1000",
    }
    arguments = [part for key, value in settings.items() for part in ("--config", f"{key}={value}")]
    serving = serve("--listen", "127.0.0.1:0", *arguments)
    producer = Producer({"bootstrap.servers": serving.address, "allow.auto.create.topics": True})
    producer.produce("made", b"")
    assert producer.flush(30) == 0
    client = AdminClient({"bootstrap.servers": serving.address})
    assert len(client.list_topics(timeout=30).topics["made"].partitions) == 3


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("num.partition=3", 'unknown broker configuration "num.partition"; did you mean "num.partitions"?'),
        ("num.partitions=many", '"many" is not a value of num.partitions: it takes an integer of at least 1'),
        ("num.partitions", "num.partitions is not a setting: write KEY=VALUE"),
        ("group.consumer.heartbeat.interval.ms=1000", "group.consumer.min.heartbeat.interval.ms (5000) must not be more than"),
    ],
)
def test_a_wrong_setting_is_an_error_with_advice(data: Path, setting: str, problem: str) -> None:
    ended = run("serve", "--data", data, "--config", setting)
    assert ended.code == 2
    assert problem in ended.problems


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--listen", "localhost"], "localhost is not a valid address: write HOST:PORT"),
        (["--listen", "HTTP://localhost:1"], "HTTP is not a security protocol"),
        (["--listen", "0.0.0.0:0", "--advertised", "localhost:1"], "other machines can reach it"),
        (["--listen", "127.0.0.1:0", "--advertised", "a:1", "--advertised", "b:1"], "use one for each listener"),
        (["--listen", "SSL://127.0.0.1:0"], "needs a certificate"),
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--listen", "PLAINTEXT://127.0.0.1:0", "--sasl"], "No listener uses --sasl"),
        (["--sasl=GSSAPI"], "GSSAPI is not a SASL mechanism"),
        (["--log", "headwater=loud"], "is not a filter"),
    ],
)
def test_wrong_arguments_are_errors_with_advice(arguments: list[str], problem: str) -> None:
    ended = run("serve", *arguments)
    assert ended.code == 2
    assert problem in ended.problems


def test_a_port_in_use_is_an_error_with_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "--listen", f"127.0.0.1:{port}")
    assert ended.code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in ended.problems


def test_clients_get_the_advertised_address(serve: Callable[..., RunningServer]) -> None:
    serving = serve("--listen", "127.0.0.1:0", "--advertised", "broker.example:19092")
    brokers = AdminClient({"bootstrap.servers": serving.address, "log_level": 0}).list_topics(timeout=30).brokers
    assert [str(broker) for broker in brokers.values()] == ["broker.example:19092/1"]


def test_only_users_can_connect_where_a_password_is_required(serve: Callable[..., RunningServer], data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    succeed("user", "add", "ada", "--data", data, given=b"secret\n")
    serving = serve("--data", data, "--listen", "127.0.0.1:0", "--sasl", "--listen", "PLAINTEXT://127.0.0.1:0")
    guarded, plain = serving.addresses
    assert topics(plain) == ["flights"]
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]:
        login = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": mechanism, "sasl_username": "ada"}
        assert topics(guarded, sasl_password="secret", **login) == ["flights"]
        with pytest.raises(KafkaException):
            AdminClient(
                {
                    "bootstrap.servers": guarded,
                    "log_level": 0,
                    **{key.replace("_", "."): value for key, value in login.items()},
                    "sasl.password": "wrong",
                }
            ).list_topics(timeout=2)


def test_tls_uses_the_given_certificate(serve: Callable[..., RunningServer], tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.fail("openssl is missing: run tests/foreign/install.sh")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files: list[str | Path] = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run([openssl, *request, *files], check=True, capture_output=True)
    serving = serve("--listen", "localhost:0", "--tls-cert", certificate, "--tls-key", key)
    port = serving.address.rpartition(":")[2]
    assert topics(f"localhost:{port}", security_protocol="SSL", ssl_ca_location=str(certificate)) == []
