//! The table of supported versions, row by row.

use headwater_protocol::{ApiKey, VersionRange};

/// Key, name, supported versions, first flexible version.
const ROWS: [(i16, &str, i16, i16, Option<i16>); 52] = [
    (0, "Produce", 3, 13, Some(9)),
    (1, "Fetch", 4, 18, Some(12)),
    (2, "ListOffsets", 1, 11, Some(6)),
    (3, "Metadata", 0, 13, Some(9)),
    (8, "OffsetCommit", 2, 10, Some(8)),
    (9, "OffsetFetch", 1, 10, Some(6)),
    (10, "FindCoordinator", 0, 6, Some(3)),
    (11, "JoinGroup", 0, 9, Some(6)),
    (12, "Heartbeat", 0, 4, Some(4)),
    (13, "LeaveGroup", 0, 5, Some(4)),
    (14, "SyncGroup", 0, 5, Some(4)),
    (15, "DescribeGroups", 0, 6, Some(5)),
    (16, "ListGroups", 0, 5, Some(3)),
    (17, "SaslHandshake", 0, 1, None),
    (18, "ApiVersions", 0, 4, Some(3)),
    (19, "CreateTopics", 2, 7, Some(5)),
    (20, "DeleteTopics", 1, 6, Some(4)),
    (21, "DeleteRecords", 0, 2, Some(2)),
    (22, "InitProducerId", 0, 5, Some(2)),
    (23, "OffsetForLeaderEpoch", 2, 4, Some(4)),
    (24, "AddPartitionsToTxn", 0, 5, Some(3)),
    (25, "AddOffsetsToTxn", 0, 4, Some(3)),
    (26, "EndTxn", 0, 5, Some(3)),
    (27, "WriteTxnMarkers", 1, 2, Some(1)),
    (28, "TxnOffsetCommit", 0, 5, Some(3)),
    (29, "DescribeAcls", 1, 3, Some(2)),
    (30, "CreateAcls", 1, 3, Some(2)),
    (31, "DeleteAcls", 1, 3, Some(2)),
    (32, "DescribeConfigs", 1, 4, Some(4)),
    (33, "AlterConfigs", 0, 2, Some(2)),
    (35, "DescribeLogDirs", 1, 4, Some(2)),
    (36, "SaslAuthenticate", 0, 2, Some(2)),
    (37, "CreatePartitions", 0, 3, Some(2)),
    (42, "DeleteGroups", 0, 2, Some(2)),
    (43, "ElectLeaders", 0, 2, Some(2)),
    (44, "IncrementalAlterConfigs", 0, 1, Some(1)),
    (45, "AlterPartitionReassignments", 0, 1, Some(0)),
    (46, "ListPartitionReassignments", 0, 0, Some(0)),
    (47, "OffsetDelete", 0, 0, None),
    (48, "DescribeClientQuotas", 0, 1, Some(1)),
    (49, "AlterClientQuotas", 0, 1, Some(1)),
    (50, "DescribeUserScramCredentials", 0, 0, Some(0)),
    (51, "AlterUserScramCredentials", 0, 0, Some(0)),
    (55, "DescribeQuorum", 0, 2, Some(0)),
    (57, "UpdateFeatures", 0, 2, Some(0)),
    (60, "DescribeCluster", 0, 2, Some(0)),
    (61, "DescribeProducers", 0, 0, Some(0)),
    (65, "DescribeTransactions", 0, 0, Some(0)),
    (66, "ListTransactions", 0, 2, Some(0)),
    (68, "ConsumerGroupHeartbeat", 0, 1, Some(0)),
    (69, "ConsumerGroupDescribe", 0, 1, Some(0)),
    (75, "DescribeTopicPartitions", 0, 0, Some(0)),
];

#[test]
fn every_api_has_its_versions_and_there_is_no_other() {
    let table: Vec<_> = ApiKey::ALL
        .iter()
        .map(|api| {
            (
                api.code(),
                api.name(),
                api.supported().lowest,
                api.supported().highest,
                api.flexible_since(),
            )
        })
        .collect();
    assert_eq!(table, ROWS);
}

#[test]
fn every_number_leads_back_to_its_key() {
    for code in -10..200 {
        let row = ROWS.iter().find(|row| row.0 == code);
        assert_eq!(
            ApiKey::from_code(code).map(ApiKey::name),
            row.map(|row| row.1)
        );
    }
}

#[test]
fn only_produce_is_advertised_from_a_version_that_is_not_served() {
    for api in ApiKey::ALL {
        let lowest = if *api == ApiKey::Produce {
            0
        } else {
            api.supported().lowest
        };
        assert_eq!(
            api.advertised(),
            VersionRange::new(lowest, api.supported().highest),
            "{api}"
        );
    }
}

#[test]
fn headers_are_flexible_where_the_message_is_but_for_the_response_of_api_versions() {
    for (key, name, lowest, highest, flexible_since) in ROWS {
        let api = ApiKey::from_code(key).unwrap();
        for version in lowest..=highest {
            let flexible = flexible_since.is_some_and(|since| version >= since);
            assert_eq!(
                api.request_header_version(version),
                1 + i16::from(flexible),
                "{name} {version}"
            );
            assert_eq!(
                api.response_header_version(version),
                i16::from(flexible && key != 18),
                "{name} {version}"
            );
        }
    }
}
