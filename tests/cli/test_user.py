"""`headwater user`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.command import run, succeed

if TYPE_CHECKING:
    from pathlib import Path


def test_users_are_added_listed_and_deleted(data: Path) -> None:
    succeed("user", "add", "ada", "--data", data, given=b"secret\n")
    succeed("user", "add", "bob", "--data", data, "--mechanism", "SCRAM-SHA-256", given=b"geheim")
    assert succeed("user", "list", "--data", data).rows == [["ada", "SCRAM-SHA-256,SCRAM-SHA-512"], ["bob", "SCRAM-SHA-256"]]
    succeed("user", "delete", "ada", "--data", data)
    assert succeed("user", "list", "--data", data, "--json").objects == [{"name": "bob", "mechanisms": ["SCRAM-SHA-256"]}]


def test_a_password_is_not_stored_in_the_directory(data: Path) -> None:
    succeed("user", "add", "ada", "--data", data, given=b"a-password-to-look-for\n")
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(b"ada" in path.read_bytes() for path in files)
    assert not any(b"a-password-to-look-for" in path.read_bytes() for path in files)


def test_an_empty_password_is_refused(data: Path) -> None:
    ended = run("user", "add", "ada", "--data", data)
    assert ended.code == 2
    assert "The password is empty" in ended.problems


def test_plain_has_no_password_of_its_own(data: Path) -> None:
    ended = run("user", "add", "ada", "--data", data, "--mechanism", "PLAIN", given=b"secret\n")
    assert ended.code == 2
    assert "PLAIN accepts too" in ended.problems


def test_an_unknown_user_cannot_be_deleted(data: Path) -> None:
    succeed("topic", "create", "flights", "--data", data)
    ended = run("user", "delete", "ada", "--data", data)
    assert ended.code == 1
    assert 'There is no user "ada"' in ended.problems
