//! One `Fetch` for each leader, and what their responses hold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::{FetchResponse, FetchableTopicResponse, PartitionData};
use headwater_protocol::{ErrorCode, FetchRequest};
use headwater_record::{Offset, PartitionId};
use uuid::Uuid;

use crate::batch::TopicPartition;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::metadata_cache::TopicMetadata;
use crate::scan::IsolationLevel;
use crate::transport::Node;

/// What is wanted from one partition.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) partition: TopicPartition,
    pub(crate) from: Offset,
    pub(crate) max_bytes: usize,
}

/// How a fetch waits and how much it brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchLimits {
    pub(crate) max_wait: Duration,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
    pub(crate) isolation: IsolationLevel,
}

/// What came from one partition.
#[derive(Debug)]
pub(crate) struct Brought {
    pub(crate) partition: TopicPartition,
    /// The topic that was read, where a broker was asked: a topic of the same name may have been created since the last fetch.
    pub(crate) topic_id: Option<Uuid>,
    pub(crate) from: Offset,
    pub(crate) records: Result<Bytes>,
    /// The high watermark, or with `read_committed` the last stable offset (exclusive): all records before it can be read. `None` with an
    /// error.
    pub(crate) readable_end: Option<Offset>,
}

impl Brought {
    /// Whether no record came, although the leader counts offsets from `from` up to `end` as readable.
    pub(crate) fn is_empty_before(&self, end: Offset) -> bool {
        let is_empty = self.records.as_ref().is_ok_and(Bytes::is_empty);
        is_empty && self.from < end && self.readable_end.is_some_and(|readable| readable >= end)
    }
}

/// How long a fetch that confirms the absence of records waits for one.
const CONFIRM_WAIT: Duration = Duration::from_millis(500);

/// Whether there is no record from `from` up to `end` although the leader counts these offsets as readable: compaction removed the last records
/// of the log. To be asked after a fetch that brought nothing. It fetches the partition alone: an answer with several partitions may be full
/// before it comes to this one. After an error the answer is no; the next fetch returns the error.
pub(crate) async fn has_no_records(
    client: &Client,
    partition: &TopicPartition,
    from: Offset,
    end: Offset,
    isolation: IsolationLevel,
) -> bool {
    let wanted = [Wanted {
        partition: partition.clone(),
        from,
        max_bytes: 1,
    }];
    let limits = FetchLimits {
        max_wait: CONFIRM_WAIT,
        min_bytes: 1,
        max_bytes: 1,
        isolation,
    };
    fetch(client, &wanted, limits)
        .await
        .is_ok_and(|brought| brought.iter().any(|brought| brought.is_empty_before(end)))
}

/// Asks each leader once. A partition that a leader says nothing about is not in the answer; one that is not there does not keep the others
/// from being read.
pub(crate) async fn fetch(
    client: &Client,
    wanted: &[Wanted],
    limits: FetchLimits,
) -> Result<Vec<Brought>> {
    let mut leaders: BTreeMap<i32, Vec<(Arc<TopicMetadata>, &Wanted)>> = BTreeMap::new();
    let mut brought = Vec::with_capacity(wanted.len());
    for want in wanted {
        match leader_of(client, &want.partition).await {
            Ok((leader, metadata)) => leaders.entry(leader).or_default().push((metadata, want)),
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                brought.push(Brought {
                    partition: want.partition.clone(),
                    topic_id: None,
                    from: want.from,
                    records: Err(error),
                    readable_end: None,
                });
            }
            Err(error) => return Err(error),
        }
    }
    let timeout = client.config().request_timeout + limits.max_wait;
    let asked = leaders.iter().map(|(leader, wanted)| {
        client.call_within(Node::Id(*leader), request(wanted, limits), timeout)
    });
    let answers = futures_util::future::join_all(asked).await;
    for (wanted, answer) in leaders.values().zip(answers) {
        read(answer?, wanted, limits.isolation, &mut brought)?;
    }
    Ok(brought)
}

async fn leader_of(
    client: &Client,
    partition: &TopicPartition,
) -> Result<(i32, Arc<TopicMetadata>)> {
    let metadata = client.topic_metadata(&partition.topic).await?;
    match metadata.leader(partition.partition)? {
        Some(leader) => Ok((leader, metadata)),
        None => Err(
            error_codes::error(ErrorCode::LeaderNotAvailable, None, "read the partition")
                .in_topic(Arc::clone(&metadata.name))
                .in_partition(partition.partition),
        ),
    }
}

fn request(wanted: &[(Arc<TopicMetadata>, &Wanted)], limits: FetchLimits) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (metadata, want) in wanted {
        let partition = FetchPartition {
            partition: want.partition.partition.get(),
            current_leader_epoch: -1,
            fetch_offset: want.from.get(),
            partition_max_bytes: wire_size(want.max_bytes),
            ..Default::default()
        };
        match topics
            .last_mut()
            .filter(|topic| topic.topic_id == metadata.topic_id)
        {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(FetchTopic {
                topic: metadata.wire_name(),
                topic_id: metadata.topic_id,
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    FetchRequest {
        max_wait_ms: i32::try_from(limits.max_wait.as_millis()).unwrap_or(i32::MAX),
        min_bytes: wire_size(limits.min_bytes),
        max_bytes: wire_size(limits.max_bytes),
        isolation_level: limits.isolation.wire(),
        topics,
        ..Default::default()
    }
}

fn read(
    response: FetchResponse,
    wanted: &[(Arc<TopicMetadata>, &Wanted)],
    isolation: IsolationLevel,
    brought: &mut Vec<Brought>,
) -> Result<()> {
    let code = error_codes::code(response.error_code);
    if code != ErrorCode::None {
        return Err(error_codes::error(code, None, "read"));
    }
    for topic in response.responses {
        let (name, id) = (topic.topic.clone(), topic.topic_id);
        let FetchableTopicResponse { partitions, .. } = topic;
        for data in partitions {
            let partition = PartitionId::new(data.partition_index);
            let asked = wanted.iter().find(|(metadata, want)| {
                want.partition.partition == partition
                    && (metadata.topic_id == id || *metadata.name == *name)
            });
            if let Some((metadata, want)) = asked {
                brought.push(read_partition(data, metadata.topic_id, isolation, want));
            }
        }
    }
    Ok(())
}

fn read_partition(
    data: PartitionData,
    topic_id: Uuid,
    isolation: IsolationLevel,
    want: &Wanted,
) -> Brought {
    let code = error_codes::code(data.error_code);
    let readable_end = match isolation {
        IsolationLevel::ReadUncommitted => data.high_watermark,
        IsolationLevel::ReadCommitted => data.last_stable_offset,
    };
    let records = if code == ErrorCode::None {
        Ok(data.records.unwrap_or_default())
    } else {
        Err(read_error(code, want))
    };
    Brought {
        partition: want.partition.clone(),
        topic_id: Some(topic_id),
        from: want.from,
        readable_end: (code == ErrorCode::None && readable_end >= 0)
            .then(|| Offset::new(readable_end)),
        records,
    }
}

fn read_error(code: ErrorCode, want: &Wanted) -> Error {
    let told = (code == ErrorCode::OffsetOutOfRange).then(|| {
        format!(
            "offset {} is not in the log: it was deleted, or never written. Ask for the topic's offsets, and seek to one in between",
            want.from
        )
    });
    error_codes::error(code, told.as_deref(), &format!("read {}", want.partition))
        .in_topic(Arc::clone(&want.partition.topic))
        .in_partition(want.partition.partition)
        .at_offset(want.from)
}

fn wire_size(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
