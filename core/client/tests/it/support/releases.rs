//! The versions of each API in releases of Apache Kafka.

use headwater_client::NodeVersions;
use headwater_protocol::{ApiKey, VersionRange};

/// A release of Apache Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// 2.8.0, in `ZooKeeper` mode.
    Kafka28,
    /// 3.3.0, in `KRaft` mode.
    Kafka33,
    /// 3.9.0, in `KRaft` mode.
    Kafka39,
    /// The release that this library supports.
    Today,
}

impl Release {
    /// The versions that its brokers support.
    pub(crate) fn versions(self) -> NodeVersions {
        let column = match self {
            Self::Kafka28 => 0,
            Self::Kafka33 => 1,
            Self::Kafka39 => 2,
            Self::Today => return NodeVersions::ours(),
        };
        let apis = HIGHEST.iter().filter_map(|(api, highest)| {
            let highest = highest[column]?;
            Some((*api, VersionRange::new(0, highest)))
        });
        NodeVersions::new(apis)
    }
}

/// The highest version of each API that a broker of 2.8.0, 3.3.0 and 3.9.0 supports, from `validVersions`,
/// `latestVersionUnstable` and `listeners` of Kafka's message definitions at these tags. The lowest is 0 for all.
/// Leaves out APIs that this library does not have.
#[rustfmt::skip]
const HIGHEST: &[(ApiKey, [Option<i16>; 3])] = &[
    (ApiKey::Produce, [Some(9), Some(9), Some(11)]),
    (ApiKey::Fetch, [Some(12), Some(13), Some(17)]),
    (ApiKey::ListOffsets, [Some(6), Some(7), Some(9)]),
    (ApiKey::Metadata, [Some(11), Some(12), Some(12)]),
    (ApiKey::OffsetCommit, [Some(8), Some(8), Some(9)]),
    (ApiKey::OffsetFetch, [Some(7), Some(8), Some(9)]),
    (ApiKey::FindCoordinator, [Some(3), Some(4), Some(6)]),
    (ApiKey::JoinGroup, [Some(7), Some(9), Some(9)]),
    (ApiKey::Heartbeat, [Some(4), Some(4), Some(4)]),
    (ApiKey::LeaveGroup, [Some(4), Some(5), Some(5)]),
    (ApiKey::SyncGroup, [Some(5), Some(5), Some(5)]),
    (ApiKey::DescribeGroups, [Some(5), Some(5), Some(5)]),
    (ApiKey::ListGroups, [Some(4), Some(4), Some(5)]),
    (ApiKey::SaslHandshake, [Some(1), Some(1), Some(1)]),
    (ApiKey::ApiVersions, [Some(3), Some(3), Some(4)]),
    (ApiKey::CreateTopics, [Some(7), Some(7), Some(7)]),
    (ApiKey::DeleteTopics, [Some(6), Some(6), Some(6)]),
    (ApiKey::DeleteRecords, [Some(2), Some(2), Some(2)]),
    (ApiKey::InitProducerId, [Some(4), Some(4), Some(5)]),
    (ApiKey::OffsetForLeaderEpoch, [Some(4), Some(4), Some(4)]),
    (ApiKey::AddPartitionsToTxn, [Some(3), Some(3), Some(5)]),
    (ApiKey::AddOffsetsToTxn, [Some(3), Some(3), Some(4)]),
    (ApiKey::EndTxn, [Some(3), Some(3), Some(4)]),
    (ApiKey::WriteTxnMarkers, [Some(1), Some(1), Some(1)]),
    (ApiKey::TxnOffsetCommit, [Some(3), Some(3), Some(4)]),
    (ApiKey::DescribeAcls, [Some(2), Some(3), Some(3)]),
    (ApiKey::CreateAcls, [Some(2), Some(3), Some(3)]),
    (ApiKey::DeleteAcls, [Some(2), Some(3), Some(3)]),
    (ApiKey::DescribeConfigs, [Some(4), Some(4), Some(4)]),
    (ApiKey::AlterConfigs, [Some(2), Some(2), Some(2)]),
    (ApiKey::DescribeLogDirs, [Some(2), Some(4), Some(4)]),
    (ApiKey::SaslAuthenticate, [Some(2), Some(2), Some(2)]),
    (ApiKey::CreatePartitions, [Some(3), Some(3), Some(3)]),
    (ApiKey::DeleteGroups, [Some(2), Some(2), Some(2)]),
    (ApiKey::ElectLeaders, [Some(2), Some(2), Some(2)]),
    (ApiKey::IncrementalAlterConfigs, [Some(1), Some(1), Some(1)]),
    (ApiKey::AlterPartitionReassignments, [Some(0), Some(0), Some(0)]),
    (ApiKey::ListPartitionReassignments, [Some(0), Some(0), Some(0)]),
    (ApiKey::OffsetDelete, [Some(0), Some(0), Some(0)]),
    (ApiKey::DescribeClientQuotas, [Some(1), Some(1), Some(1)]),
    (ApiKey::AlterClientQuotas, [Some(1), Some(1), Some(1)]),
    (ApiKey::DescribeUserScramCredentials, [Some(0), None, Some(0)]),
    (ApiKey::AlterUserScramCredentials, [Some(0), None, Some(0)]),
    (ApiKey::DescribeQuorum, [None, Some(1), Some(2)]),
    (ApiKey::UpdateFeatures, [Some(0), Some(1), Some(1)]),
    (ApiKey::DescribeCluster, [Some(0), Some(0), Some(1)]),
    (ApiKey::DescribeProducers, [Some(0), Some(0), Some(0)]),
    (ApiKey::DescribeTransactions, [None, Some(0), Some(0)]),
    (ApiKey::ListTransactions, [None, Some(0), Some(1)]),
    (ApiKey::ConsumerGroupHeartbeat, [None, None, Some(0)]),
    (ApiKey::ConsumerGroupDescribe, [None, None, Some(0)]),
    (ApiKey::DescribeTopicPartitions, [None, None, Some(0)]),
];
