"""The Headwater client over TCP in the complete scenario."""

from __future__ import annotations

from tests.clients.headwater_client import ConnectedHeadwater
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics


class TestHeadwater(Topics, Records, Groups):
    judge = ConnectedHeadwater
