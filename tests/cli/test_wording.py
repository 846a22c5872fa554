"""Errors speak the words of the command line: its options and commands, not the arguments of the bindings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

#: A call, an argument or a method of the bindings.
OF_BINDINGS = re.compile(r"\b[a-z]+_[a-z_]+\b(?!/)|\b\w+\(|\w+=\"|\bNone\b|\bTrue\b")

ERRORS = [
    (["topic", "create", "flights"], "with --if-not-exists"),
    (["topic", "create", "no such name"], "no such name"),
    (["topic", "create", "gates", "--partitions", "0"], "at least one partition"),
    (["topic", "create", "gates", "--config", "retention.mss=1"], "did you mean"),
    (["topic", "describe", "flight"], "Create it first"),
    (["topic", "delete", "flight"], "Create it first"),
    (["topic", "alter", "flights", "--partitions", "1"], "not fewer than the topic has"),
    (["produce", "flight"], "Create it first"),
    (["produce", "flights", "--partition", "9"], "headwater topic alter --partitions"),
    (["produce", "flights", "--config", "acks=some"], "acks"),
    (["consume", "flight"], "Create it first"),
    (["consume", "flights", "--partition", "9"], "9"),
    (["consume", "flights", "--from", "99"], "with --from earliest"),
    (["consume", "flights", "--from", "99", "--follow"], "with --from earliest"),
    (["consume", "flights", "--from", "soon"], "is not a position"),
    (["group", "describe", "readers"], "there is no such group"),
    (["group", "describe", "readers", "--watch=soon"], "is not a duration"),
    (["group", "delete", "readers"], "there is no such group"),
    (["group", "reset", "readers", "--topic", "flight", "--to", "earliest"], "Create it first"),
    (["user", "delete", "ada"], "There is no user"),
]


@pytest.mark.parametrize(("arguments", "advice"), ERRORS, ids=[" ".join(arguments) for arguments, _ in ERRORS])
def test_errors_name_options_and_commands(flights: Path, arguments: list[str], advice: str) -> None:
    ended = run(*arguments, "--data", flights, given=b"late\n")
    assert ended.code in {1, 2}
    assert advice in ended.problems
    assert not OF_BINDINGS.search(ended.problems.replace(str(flights), "")), ended.problems
    assert "Traceback" not in ended.problems


def test_a_server_that_others_reach_must_be_safe() -> None:
    ended = run("serve", "--listen", "0.0.0.0:0")
    assert ended.code == 2
    assert "--allow-insecure" in ended.problems
    assert not OF_BINDINGS.search(ended.problems.replace("SASL_SSL", "")), ended.problems


def test_credentials_are_named_by_their_keys(tmp_path: Path) -> None:
    properties = tmp_path / "client.properties"
    for line in ["", "sasl.oauthbearer.method=default\n", "sasl.jaas.config=nothing\n"]:
        properties.write_text("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n" + line)
        ended = run("topic", "list", "--bootstrap-server", "localhost:1", "--command-config", properties)
        assert ended.code == 2
        assert "sasl.oauthbearer.token.endpoint.url" in ended.problems
        assert "oauth_token" not in ended.problems


def test_the_directory_can_come_from_the_environment(flights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_DATA", str(flights))
    assert [row[0] for row in succeed("topic", "list").rows] == ["flights"]
    assert succeed("consume", "flights").moved == 5
    assert "There is no data directory" in run("topic", "list", "--data", flights / "none").problems
