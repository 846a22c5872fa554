"""Which messages are generated, and which versions of an API are served. The one table of supported versions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Api:
    """An API key: its name, the versions served, and the lowest one advertised."""

    name: str
    lowest: int
    highest: int
    advertised_lowest: int | None = None


APIS = [
    # Advertised from 0: older librdkafka stops compressing without a word if it does not see Produce 0 (KAFKA-18659).
    Api("Produce", 3, 13, advertised_lowest=0),
    Api("Fetch", 4, 18),
    Api("ListOffsets", 1, 11),
    Api("Metadata", 0, 13),
    Api("OffsetCommit", 2, 10),
    Api("OffsetFetch", 1, 10),
    Api("FindCoordinator", 0, 6),
    Api("JoinGroup", 0, 9),
    Api("Heartbeat", 0, 4),
    Api("LeaveGroup", 0, 5),
    Api("SyncGroup", 0, 5),
    Api("DescribeGroups", 0, 6),
    Api("ListGroups", 0, 5),
    Api("SaslHandshake", 0, 1),
    Api("ApiVersions", 0, 4),
    Api("CreateTopics", 2, 7),
    Api("DeleteTopics", 1, 6),
    Api("DeleteRecords", 0, 2),
    Api("InitProducerId", 0, 5),
    Api("OffsetForLeaderEpoch", 2, 4),
    Api("AddPartitionsToTxn", 0, 5),
    Api("AddOffsetsToTxn", 0, 4),
    Api("EndTxn", 0, 5),
    Api("WriteTxnMarkers", 1, 2),
    Api("TxnOffsetCommit", 0, 5),
    Api("DescribeAcls", 1, 3),
    Api("CreateAcls", 1, 3),
    Api("DeleteAcls", 1, 3),
    Api("DescribeConfigs", 1, 4),
    Api("AlterConfigs", 0, 2),
    Api("DescribeLogDirs", 1, 4),
    Api("SaslAuthenticate", 0, 2),
    Api("CreatePartitions", 0, 3),
    Api("DeleteGroups", 0, 2),
    Api("ElectLeaders", 0, 2),
    Api("IncrementalAlterConfigs", 0, 1),
    Api("AlterPartitionReassignments", 0, 1),
    Api("ListPartitionReassignments", 0, 0),
    Api("OffsetDelete", 0, 0),
    Api("DescribeClientQuotas", 0, 1),
    Api("AlterClientQuotas", 0, 1),
    Api("DescribeUserScramCredentials", 0, 0),
    Api("AlterUserScramCredentials", 0, 0),
    Api("DescribeQuorum", 0, 2),
    Api("UpdateFeatures", 0, 2),
    Api("DescribeCluster", 0, 2),
    Api("DescribeProducers", 0, 0),
    Api("DescribeTransactions", 0, 0),
    Api("ListTransactions", 0, 2),
    Api("ConsumerGroupHeartbeat", 0, 1),
    Api("ConsumerGroupDescribe", 0, 1),
    Api("DescribeTopicPartitions", 0, 0),
]

RECORDS = [
    # The structures that clients of a classic group exchange inside JoinGroup and SyncGroup.
    "ConsumerProtocolSubscription",
    "ConsumerProtocolAssignment",
    # Values of control records.
    "LeaderChangeMessage",
    "SnapshotHeaderRecord",
    "SnapshotFooterRecord",
    "KRaftVersionRecord",
    "VotersRecord",
    "EndTxnMarker",
    # __consumer_offsets
    "OffsetCommitKey",
    "OffsetCommitValue",
    "GroupMetadataKey",
    "GroupMetadataValue",
    "ConsumerGroupMetadataKey",
    "ConsumerGroupMetadataValue",
    "ConsumerGroupMemberMetadataKey",
    "ConsumerGroupMemberMetadataValue",
    "ConsumerGroupTargetAssignmentMetadataKey",
    "ConsumerGroupTargetAssignmentMetadataValue",
    "ConsumerGroupTargetAssignmentMemberKey",
    "ConsumerGroupTargetAssignmentMemberValue",
    "ConsumerGroupCurrentMemberAssignmentKey",
    "ConsumerGroupCurrentMemberAssignmentValue",
    "ConsumerGroupRegularExpressionKey",
    "ConsumerGroupRegularExpressionValue",
    # __transaction_state
    "TransactionLogKey",
    "TransactionLogValue",
    # __cluster_metadata
    "RegisterBrokerRecord",
    "UnregisterBrokerRecord",
    "TopicRecord",
    "PartitionRecord",
    "ConfigRecord",
    "PartitionChangeRecord",
    "FenceBrokerRecord",
    "UnfenceBrokerRecord",
    "BrokerRegistrationChangeRecord",
    "RemoveTopicRecord",
    "ClientQuotaRecord",
    "ProducerIdsRecord",
    "FeatureLevelRecord",
    "AccessControlEntryRecord",
    "RemoveAccessControlEntryRecord",
    "UserScramCredentialRecord",
    "RemoveUserScramCredentialRecord",
    "NoOpRecord",
    "BeginTransactionRecord",
    "EndTransactionRecord",
    "AbortTransactionRecord",
]
