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
        read(answer?, wanted, &mut brought)?;
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
                brought.push(read_partition(data, metadata.topic_id, want));
            }
        }
    }
    Ok(())
}

fn read_partition(data: PartitionData, topic_id: Uuid, want: &Wanted) -> Brought {
    let code = error_codes::code(data.error_code);
    let records = if code == ErrorCode::None {
        Ok(data.records.unwrap_or_default())
    } else {
        Err(read_error(code, want))
    };
    Brought {
        partition: want.partition.clone(),
        topic_id: Some(topic_id),
        from: want.from,
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
