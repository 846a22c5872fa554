"""The topics and configs part of the scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.consumer import eventually
from tests.clients.scenario import Scenario

if TYPE_CHECKING:
    from tests.clients.client import Client


class Topics(Scenario):
    """Create, list, describe, change, delete."""

    def test_a_topic_is_created_and_described(self, client: Client, name: str) -> None:
        client.create_topic(name, 5, {"max.message.bytes": "123456"})
        assert name in client.topics()
        assert client.partitions(name) == {0, 1, 2, 3, 4}
        assert self.reference.partitions(name) == {0, 1, 2, 3, 4}
        assert self.reference.topic_configs(name)["max.message.bytes"] == "123456"

    def test_topics_are_listed_and_described(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 4, {})
        eventually(lambda: name in client.topics(), f"{name} in the list")
        assert client.partitions(name) == {0, 1, 2, 3}

    def test_partitions_are_added(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        client.add_partitions(name, 3)
        eventually(lambda: self.reference.partitions(name) == {0, 1, 2}, "the new partitions")

    def test_a_topic_is_deleted(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {})
        client.delete_topic(name)
        eventually(lambda: name not in self.reference.topics(), f"{name} to go")

    def test_the_configs_of_a_topic_are_described(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {"segment.bytes": "7654321", "cleanup.policy": "compact,delete"})
        configs = client.topic_configs(name)
        assert configs["segment.bytes"] == "7654321"
        assert set(configs["cleanup.policy"].split(",")) == {"compact", "delete"}
        assert configs["retention.ms"] == "-1", "as the broker is configured"
        assert configs["max.message.bytes"] == "1048588", "Kafka's default"

    def test_the_configs_of_the_broker_are_described(self, client: Client) -> None:
        configs = client.broker_configs()
        assert configs["num.partitions"] == "3", "as it is configured"
        assert configs["log.segment.bytes"] == "1073741824", "Kafka's default"

    def test_a_config_is_altered_and_the_others_stay(self, client: Client, name: str) -> None:
        self.reference.create_topic(name, 1, {"segment.bytes": "7654321"})
        client.alter_topic_config(name, "retention.ms", "86400000")
        eventually(lambda: self.reference.topic_configs(name)["retention.ms"] == "86400000", "the new value")
        assert self.reference.topic_configs(name)["segment.bytes"] == "7654321"
