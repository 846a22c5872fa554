//! One pass over the partitions of a fetch.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::Env;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch, PartitionData};
use headwater_protocol::{ErrorCode, FetchRequest};
use headwater_record::{BatchHeader, Compression, LOG_OVERHEAD, Offset};

use crate::RequestContext;
use crate::api::support::{errors, lookup};
use crate::controller::Controller;
use crate::partition::{Isolation, LeaderError, Partition};
use crate::partitions::Partitions;

/// The first version with the code for failed storage.
const STORAGE_ERROR_SINCE: i16 = 6;
/// The first version whose clients support zstd.
const ZSTD_SINCE: i16 = 10;
/// The first version whose errors contain the leader.
const LEADERS_SINCE: i16 = 16;

/// A fetch whose partitions are looked up.
pub(super) struct FetchPlan<'a, E: Env> {
    components: (&'a Partitions<E>, &'a Controller<E>),
    context: &'a RequestContext,
    topics: Vec<FetchTopic>,
    /// One for each partition of each topic, in order.
    found: Vec<Result<Arc<Partition<E>>, ErrorCode>>,
    max_bytes: usize,
    isolation: Isolation,
}

/// The result of one pass.
pub(super) struct FetchedPartitions {
    /// One for each partition of each topic, in order.
    partitions: Vec<PartitionData>,
    /// The bytes of the records.
    pub(super) bytes: usize,
    /// Whether there is an error, so that the response must not wait.
    failed: bool,
}

impl FetchedPartitions {
    /// Whether the response must not wait for more records.
    pub(super) const fn can_respond(&self, min_bytes: usize) -> bool {
        self.failed || self.bytes >= min_bytes
    }
}

impl<'a, E: Env> FetchPlan<'a, E> {
    /// Looks up the partitions of the request.
    pub(super) fn new(
        components: (&'a Partitions<E>, &'a Controller<E>),
        context: &'a RequestContext,
        request: FetchRequest,
    ) -> Self {
        let (partitions, controller) = components;
        let mut found = Vec::new();
        for topic in &request.topics {
            let known = lookup::topic(partitions, &topic.topic, topic.topic_id);
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
            .min(controller.config().fetch_bytes_max);
        Self {
            components,
            context,
            topics: request.topics,
            found,
            max_bytes,
            isolation,
        }
    }

    /// The partitions that exist.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Arc<Partition<E>>> {
        self.found.iter().filter_map(|found| found.as_ref().ok())
    }

    /// Reads all partitions once.
    pub(super) fn gather(&self) -> FetchedPartitions {
        let mut fetched = FetchedPartitions {
            partitions: Vec::with_capacity(self.found.len()),
            bytes: 0,
            failed: self.found.is_empty(),
        };
        let wanted = self.topics.iter().flat_map(|topic| &topic.partitions);
        for (wanted, found) in wanted.zip(&self.found) {
            let left = self.max_bytes.saturating_sub(fetched.bytes);
            let data = match found {
                Ok(partition) => self.read(partition, wanted, left, fetched.bytes == 0),
                Err(code) => failed(wanted.partition, *code),
            };
            fetched.failed |= !ErrorCode::from_code(data.error_code).is_ok();
            fetched.bytes += data.records.as_ref().map_or(0, Bytes::len);
            fetched.partitions.push(data);
        }
        fetched
    }

    /// Builds the response from the fetched data.
    pub(super) fn respond(self, fetched: FetchedPartitions) -> Vec<FetchableTopicResponse> {
        let mut partitions = fetched.partitions.into_iter();
        let responses = self.topics.into_iter().map(|topic| FetchableTopicResponse {
            partitions: partitions.by_ref().take(topic.partitions.len()).collect(),
            topic: topic.topic,
            topic_id: topic.topic_id,
            ..FetchableTopicResponse::default()
        });
        responses.collect()
    }

    /// Reads one partition. The first batch is returned whole only if the response is empty.
    fn read(
        &self,
        partition: &Partition<E>,
        wanted: &FetchPartition,
        left: usize,
        is_first: bool,
    ) -> PartitionData {
        let index = wanted.partition;
        if let Err(error) =
            partition.check_leader(lookup::requested_epoch(wanted.current_leader_epoch))
        {
            return self.not_led(partition, &error);
        }
        if !self.context.is_at_least(ZSTD_SINCE)
            && partition.config().compression == Some(Compression::Zstd)
        {
            return failed(index, ErrorCode::UnsupportedCompressionType);
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
                records: Some(unless_cut(read.bytes)),
                ..data
            },
            Err(error) => {
                // The topic may have been deleted and its files renamed during the read.
                if let Err(error) = partition.check_leader(None) {
                    return self.not_led(partition, &error);
                }
                let code = errors::read_code(&error);
                if code != ErrorCode::OffsetOutOfRange {
                    tracing::error!(topic = %partition.topic, partition = index, %error, "a fetch failed");
                }
                // Older clients do not have the code for failed storage; this code also makes them retry.
                let code = match code {
                    ErrorCode::KafkaStorageError
                        if !self.context.is_at_least(STORAGE_ERROR_SINCE) =>
                    {
                        ErrorCode::NotLeaderOrFollower
                    }
                    code => code,
                };
                PartitionData {
                    error_code: code.code(),
                    records: Some(Bytes::new()),
                    ..data
                }
            }
        }
    }

    /// The response if this broker is not the leader, with the current leader for versions that support it.
    fn not_led(&self, partition: &Partition<E>, error: &LeaderError) -> PartitionData {
        let (partitions, controller) = self.components;
        let code = errors::leader_code(partitions, error);
        let data = failed(partition.id.get(), code);
        let tells = matches!(
            code,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        if !tells || !self.context.is_at_least(LEADERS_SINCE) {
            return data;
        }
        let image = controller.image();
        let known = image.partition(&partition.topic, partition.id);
        let current_leader = known.map(|known| LeaderIdAndEpoch {
            leader_id: known.leader.unwrap_or(-1),
            leader_epoch: known.leader_epoch.get(),
            ..LeaderIdAndEpoch::default()
        });
        PartitionData {
            current_leader: current_leader.unwrap_or_default(),
            ..data
        }
    }
}

/// Drops an incomplete first batch, as in Kafka. The client cannot use it, and in a session it would move the partition
/// behind those with records.
fn unless_cut(bytes: Bytes) -> Bytes {
    let size = bytes
        .first_chunk::<LOG_OVERHEAD>()
        .and_then(|prefix| BatchHeader::size_from_prefix(prefix).ok());
    match size {
        Some(size) if size > bytes.len() => Bytes::new(),
        None if bytes.len() < LOG_OVERHEAD => Bytes::new(),
        _ => bytes,
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
        records: Some(Bytes::new()),
        ..PartitionData::default()
    }
}
