"""@platformatic/kafka in the complete scenario."""

from __future__ import annotations

from tests.clients.node_client import NodeClient
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics


class Platformatic(NodeClient):
    """All functions of @platformatic/kafka."""

    script = "platformatic.mjs"


class TestPlatformatic(Topics, Records, Groups):
    judge = Platformatic
