"""confluent-kafka (librdkafka) in the complete scenario."""

from __future__ import annotations

from tests.clients.librdkafka import ConfluentKafka
from tests.clients.scenario_groups import Groups
from tests.clients.scenario_records import Records
from tests.clients.scenario_topics import Topics


class TestConfluentKafka(Topics, Records, Groups):
    judge = ConfluentKafka
