//! `DescribeLogDirs` (key 35), versions 1-4.
//!
//! Behaviour: the data directory, the sizes of the requested partitions (all of them by default), and the space of the
//! disk.
//!
//! Notes: `total_bytes` is the free space of the disk plus the size of the logs; the environment does not report more.

use headwater_env::Env;
use headwater_protocol::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use headwater_protocol::{DescribeLogDirsRequest, DescribeLogDirsResponse, ErrorCode};
use headwater_record::PartitionId;

use crate::RequestContext;
use crate::partition::Partition;
use crate::partitions::Partitions;

/// Handles the request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    _context: &RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let topics = match request.topics {
        None => all(partitions),
        Some(wanted) => wanted
            .into_iter()
            .filter_map(|wanted| {
                let topic = partitions.topic(&wanted.topic)?;
                let found = wanted
                    .partitions
                    .iter()
                    .filter_map(|index| topic.partition(PartitionId::new(*index)));
                Some(described(
                    &topic.name,
                    found.map(|partition| describe(&partition)).collect(),
                ))
            })
            .collect(),
    };
    let directory = partitions.directory();
    let Some(directory) = &*directory else {
        return DescribeLogDirsResponse {
            error_code: ErrorCode::BrokerNotAvailable.code(),
            ..DescribeLogDirsResponse::default()
        };
    };
    let space = partitions.env.disk_space(directory.path()).ok();
    let bytes =
        |count: Option<u64>| count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX));
    let result = DescribeLogDirsResult {
        error_code: ErrorCode::None.code(),
        log_dir: directory.path().to_string_lossy().into_owned().into(),
        topics,
        total_bytes: bytes(space.map(|space| space.total_bytes)),
        usable_bytes: bytes(space.map(|space| space.free_bytes)),
        ..DescribeLogDirsResult::default()
    };
    DescribeLogDirsResponse {
        error_code: ErrorCode::None.code(),
        results: vec![result],
        ..DescribeLogDirsResponse::default()
    }
}

fn all<E: Env>(partitions: &Partitions<E>) -> Vec<DescribeLogDirsTopic> {
    let mut topics = partitions.topics();
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let describe_all = |topic: &std::sync::Arc<crate::partitions::Topic<E>>| {
        described(
            &topic.name,
            topic
                .partitions()
                .iter()
                .map(|partition| describe(partition))
                .collect(),
        )
    };
    topics.iter().map(describe_all).collect()
}

fn described(name: &str, partitions: Vec<DescribeLogDirsPartition>) -> DescribeLogDirsTopic {
    DescribeLogDirsTopic {
        name: name.into(),
        partitions,
        ..DescribeLogDirsTopic::default()
    }
}

fn describe<E: Env>(partition: &Partition<E>) -> DescribeLogDirsPartition {
    DescribeLogDirsPartition {
        partition_index: partition.id.get(),
        partition_size: i64::try_from(partition.log().size_in_bytes()).unwrap_or(i64::MAX),
        offset_lag: 0,
        is_future_key: false,
        ..DescribeLogDirsPartition::default()
    }
}
