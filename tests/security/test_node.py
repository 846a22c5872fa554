"""The Node package: refused passwords and forbidden calls are errors of their own classes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.security.kafka import SecureKafka

#: The folder of the tests that has the package installed.
NODE_TESTS = Path(__file__).parents[1] / "node"
PROGRAM = """
import { connect } from 'headwater';
const { address, keys, topic } = JSON.parse(process.env.SECURITY);
let client;
try {
  client = await connect(address, keys);
  await client.producer().send({ topic, value: 'value' });
  console.log('sent');
} catch ({ name, code, retriable, message }) {
  console.log(JSON.stringify({ name, code, retriable, message }));
} finally {
  await client?.close();
}
"""


def report(kafka: SecureKafka, user: str, topic: str, password: str | None = None) -> dict[str, object]:
    """The error of a Node program that sends a record."""
    keys = {
        "".join(part.capitalize() if at else part for at, part in enumerate(key.split("_"))): value
        for key, value in kafka.password("SCRAM-SHA-256", user, password).items()
    }
    given = {"address": kafka.address("PASSWORD"), "keys": keys, "topic": topic}
    ended = subprocess.run(
        ["node", "--input-type=module", "-e", PROGRAM],
        cwd=NODE_TESTS,
        env={**os.environ, "SECURITY": json.dumps(given)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    error: dict[str, object] = json.loads(ended.stdout)
    return error


def test_a_wrong_password_is_refused_and_not_shown(kafka: SecureKafka) -> None:
    error = report(kafka, "ada", "any", "guess-4711")
    assert (error["name"], error["code"], error["retriable"]) == ("AuthenticationError", "SASL_AUTHENTICATION_FAILED", False)
    assert kafka.address("PASSWORD") in str(error["message"])
    assert "guess-4711" not in json.dumps(error)


def test_a_forbidden_topic_is_an_error(kafka: SecureKafka) -> None:
    error = report(kafka, "bob", "private")
    assert (error["name"], error["code"], error["retriable"]) == ("AuthorizationError", "TOPIC_AUTHORIZATION_FAILED", False)
