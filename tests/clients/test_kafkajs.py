"""kafkajs in the complete scenario."""

from __future__ import annotations

from tests.clients.node_client import NodeClient
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics


class KafkaJs(NodeClient):
    """All functions of kafkajs."""

    script = "kafkajs.mjs"


class TestKafkaJs(Topics, Records, Groups):
    judge = KafkaJs
