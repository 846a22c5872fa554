//! One pass over the partitions of a fetch.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch, PartitionData};
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse};
use headwater_record::Offset;

use crate::api::{errors, lookup};
use crate::partition::{Isolation, Partition};
use crate::state::State;

/// A fetch with its partitions looked up.
pub(super) struct Plan<E: Env> {
    topics: Vec<FetchTopic>,
    /// One for each partition of each topic, in order.
    found: Vec<Result<Arc<Partition<E>>, ErrorCode>>,
    max_bytes: usize,
    isolation: Isolation,
}

/// What one pass gave.
pub(super) struct Gathered {
    /// One for each partition of each topic, in order.
    partitions: Vec<PartitionData>,
    /// The bytes of records in it.
    pub(super) bytes: usize,
    /// Something that must be told at once.
    failed: bool,
}

impl Gathered {
    /// Whether it is to be answered without waiting.
    pub(super) const fn suffices(&self, min_bytes: usize) -> bool {
        self.failed || self.bytes >= min_bytes
    }
}

impl<E: Env> Plan<E> {
    /// Looks up what the request names.
    pub(super) fn new(state: &State<E>, request: FetchRequest) -> Self {
        let mut found = Vec::new();
        for topic in &request.topics {
            let known = lookup::topic(state, &topic.topic, topic.topic_id);
            found.extend(topic.partitions.iter().map(|wanted| match &known {
                Ok(topic) => lookup::partition(topic, wanted.partition),
                Err(code) => Err(*code),
            }));
        }
        let isolation = if request.isolation_level == 1 {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        };
        let max_bytes = usize::try_from(request.max_bytes)
            .unwrap_or(0)
            .min(state.config().fetch_bytes_max);
        Self {
            topics: request.topics,
            found,
            max_bytes,
            isolation,
        }
    }

    /// The partitions that were found.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Arc<Partition<E>>> {
        self.found.iter().filter_map(|found| found.as_ref().ok())
    }

    /// Reads what is there now.
    pub(super) fn gather(&self, state: &State<E>) -> Gathered {
        let mut gathered = Gathered {
            partitions: Vec::with_capacity(self.found.len()),
            bytes: 0,
            failed: self.found.is_empty(),
        };
        let wanted = self.topics.iter().flat_map(|topic| &topic.partitions);
        for (wanted, found) in wanted.zip(&self.found) {
            let left = self.max_bytes.saturating_sub(gathered.bytes);
            let data = match found {
                Ok(partition) => self.read(state, partition, wanted, left, gathered.bytes == 0),
                Err(code) => failed(wanted.partition, *code),
            };
            gathered.failed |= !ErrorCode::from_code(data.error_code).is_ok();
            gathered.bytes += data.records.as_ref().map_or(0, bytes::Bytes::len);
            gathered.partitions.push(data);
        }
        gathered
    }

    /// The response with what was gathered.
    pub(super) fn respond(self, gathered: Gathered) -> FetchResponse {
        let mut partitions = gathered.partitions.into_iter();
        let responses = self.topics.into_iter().map(|topic| FetchableTopicResponse {
            partitions: partitions.by_ref().take(topic.partitions.len()).collect(),
            topic: topic.topic,
            topic_id: topic.topic_id,
            ..FetchableTopicResponse::default()
        });
        FetchResponse {
            responses: responses.collect(),
            ..FetchResponse::default()
        }
    }

    /// Reads one partition; the first batch comes whole only while the answer is empty.
    fn read(
        &self,
        state: &State<E>,
        partition: &Partition<E>,
        wanted: &FetchPartition,
        left: usize,
        is_first: bool,
    ) -> PartitionData {
        let index = wanted.partition;
        if let Err(error) =
            partition.check_leader(lookup::believed_epoch(wanted.current_leader_epoch))
        {
            let code = errors::leader_code(state, &error);
            return with_leader(state, partition, failed(index, code));
        }
        let most = usize::try_from(wanted.partition_max_bytes)
            .unwrap_or(0)
            .min(left);
        let high_watermark = partition.high_watermark();
        let last_stable_offset = partition.last_stable_offset();
        let read = partition.read(
            Offset::new(wanted.fetch_offset),
            most,
            is_first,
            self.isolation,
        );
        let data = PartitionData {
            partition_index: index,
            high_watermark: high_watermark.get(),
            last_stable_offset: last_stable_offset.get(),
            log_start_offset: partition.log().log_start_offset().get(),
            aborted_transactions: (self.isolation == Isolation::ReadCommitted).then(Vec::new),
            preferred_read_replica: -1,
            ..PartitionData::default()
        };
        match read {
            Ok(read) => PartitionData {
                records: Some(read.bytes),
                ..data
            },
            Err(error) => {
                let code = errors::read_code(&error);
                if code != ErrorCode::OffsetOutOfRange {
                    tracing::error!(topic = %partition.topic, partition = index, %error, "a fetch failed");
                }
                PartitionData {
                    error_code: code.code(),
                    records: Some(bytes::Bytes::new()),
                    ..data
                }
            }
        }
    }
}

fn failed(partition_index: i32, code: ErrorCode) -> PartitionData {
    PartitionData {
        partition_index,
        error_code: code.code(),
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        preferred_read_replica: -1,
        records: Some(bytes::Bytes::new()),
        ..PartitionData::default()
    }
}

fn with_leader<E: Env>(
    state: &State<E>,
    partition: &Partition<E>,
    data: PartitionData,
) -> PartitionData {
    let image = state.image();
    let Some(known) = image.partition(&partition.topic, partition.id) else {
        return data;
    };
    let current_leader = LeaderIdAndEpoch {
        leader_id: known.leader.unwrap_or(-1),
        leader_epoch: known.leader_epoch.get(),
        ..LeaderIdAndEpoch::default()
    };
    PartitionData {
        current_leader,
        ..data
    }
}
