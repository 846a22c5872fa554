//! Requests to read: `Fetch` and `ListOffsets`.

use bytes::Bytes;
use headwater_protocol::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use headwater_protocol::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use headwater_protocol::{
    ErrorCode, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
};
use headwater_record::{BatchHeader, batches};

use super::FakeCluster;
use super::metadata::address;
use super::sessions::SessionPartition;
use super::state::{self, State};

impl FakeCluster {
    pub(super) async fn fetch(&self, node: i32, request: FetchRequest) -> FetchResponse {
        if self.state().silent_nodes.contains(&node) {
            return std::future::pending().await;
        }
        let takes = self.state().fetch_takes;
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let answer = self.fetch_now(node, &request);
        let is_final = request.session_epoch < 0 && request.topics.is_empty();
        let any = answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
            .any(|data| {
                data.error_code != 0
                    || data.preferred_read_replica >= 0
                    || data
                        .records
                        .as_ref()
                        .is_some_and(|records| !records.is_empty())
            });
        if !any && answer.error_code == 0 && !is_final {
            tokio::time::sleep(std::time::Duration::from_millis(
                request.max_wait_ms.unsigned_abs().into(),
            ))
            .await;
        }
        answer
    }

    fn fetch_now(&self, node: i32, request: &FetchRequest) -> FetchResponse {
        let mut state = self.state();
        let wanted = match state.begin_fetch(node, request) {
            Ok(wanted) => wanted,
            Err(code) => {
                return FetchResponse {
                    error_code: code.code(),
                    ..Default::default()
                };
            }
        };
        let mut responses = Vec::new();
        let mut named = Vec::new();
        for asked in wanted.partitions {
            let data = fetch_partition(&mut state, node, request, &asked);
            named.extend(Some(data.current_leader.leader_id).filter(|leader| *leader >= 0));
            responses.push(FetchableTopicResponse {
                topic: asked.topic.as_str().into(),
                topic_id: asked.topic_id,
                partitions: vec![data],
                ..Default::default()
            });
        }
        FetchResponse {
            session_id: wanted.session_id,
            responses: state.news(node, wanted.session_id, responses),
            node_endpoints: named.into_iter().map(endpoint).collect(),
            ..Default::default()
        }
    }

    pub(super) async fn list_offsets(
        &self,
        node: i32,
        request: &ListOffsetsRequest,
    ) -> ListOffsetsResponse {
        let barrier = self.state().list_offsets_barrier.clone();
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        let state = self.state();
        let topic = &request.topics[0];
        let partitions = topic.partitions.iter().map(|asked| {
            let log = state
                .logs
                .get(&(topic.name.to_string(), asked.partition_index));
            let end = log.map_or(0, |log| state::end_offset(log)) + state.removed_at_end;
            let (offset, timestamp) = match asked.timestamp {
                -2 => (state.log_start, -1),
                -3 => greatest_timestamp(log),
                0.. if state.finds_no_time => (-1, -1),
                _ => (end, -1),
            };
            let epoch = asked.current_leader_epoch;
            let refused = state.check_leader(node, &topic.name, asked.partition_index, epoch);
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: refused.map_or(0, ErrorCode::code),
                offset,
                timestamp,
                ..Default::default()
            }
        });
        let topic = ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: partitions.collect(),
            ..Default::default()
        };
        ListOffsetsResponse {
            topics: vec![topic],
            ..Default::default()
        }
    }
}

/// The end of the batch with the greatest timestamp, and that timestamp.
fn greatest_timestamp(log: Option<&Vec<Bytes>>) -> (i64, i64) {
    let batches = log.into_iter().flatten();
    let headers = batches.map(|batch| BatchHeader::parse(batch).unwrap());
    let greatest = headers.max_by_key(|header| header.max_timestamp_ms);
    greatest.map_or((-1, -1), |header| {
        (header.last_offset().get(), header.max_timestamp_ms)
    })
}

fn endpoint(node: i32) -> NodeEndpoint {
    let address = address(node);
    NodeEndpoint {
        node_id: node,
        host: address.host,
        port: address.port,
        ..Default::default()
    }
}

/// The answer of a node for one partition.
fn fetch_partition(
    state: &mut State,
    node: i32,
    request: &FetchRequest,
    SessionPartition {
        topic,
        topic_id,
        fetch: asked,
    }: &SessionPartition,
) -> PartitionData {
    let mut data = PartitionData {
        partition_index: asked.partition,
        ..Default::default()
    };
    if !topic_id.is_nil() && state.id_of(topic) != *topic_id {
        let code = if topic.is_empty() {
            ErrorCode::UnknownTopicId
        } else {
            ErrorCode::InconsistentTopicId
        };
        data.error_code = code.code();
        return data;
    }
    let log = state
        .logs
        .get(&(topic.clone(), asked.partition))
        .cloned()
        .unwrap_or_default();
    let end = state.removed_at_end + state::end_offset(&log);
    let is_replica = state.preferred_replica == Some(node);
    let refused = if is_replica {
        state.replica_faults.pop_front()
    } else {
        state.check_leader(node, topic, asked.partition, asked.current_leader_epoch)
    };
    if let Some(code) = state.fetch_faults.pop_front().or(refused) {
        data.error_code = code.code();
        if let Some(leader) = state.named_leader(topic, asked.partition, code) {
            data.current_leader = LeaderIdAndEpoch {
                leader_id: leader.node,
                leader_epoch: leader.epoch,
                ..Default::default()
            };
        }
        return data;
    }
    if asked.fetch_offset < state.log_start || asked.fetch_offset > end {
        data.error_code = ErrorCode::OffsetOutOfRange.code();
        return data;
    }
    data.high_watermark = end;
    data.last_stable_offset = end;
    data.records = Some(Bytes::new());
    if state.empty_fetches > 0 {
        state.empty_fetches -= 1;
        return data;
    }
    if let Some(replica) = state.preferred_replica
        && !is_replica
        && !request.rack_id.is_empty()
    {
        data.preferred_read_replica = replica;
        return data;
    }
    let read_committed = request.isolation_level == 1;
    data.aborted_transactions = read_committed.then(|| aborted(&state.aborted));
    let max_bytes = asked.partition_max_bytes.min(request.max_bytes);
    let records = from_offset(&log, asked.fetch_offset, max_bytes as usize);
    state.fetched_records += record_count(&records);
    data.records = Some(records);
    data
}

fn aborted(transactions: &[(i64, i64)]) -> Vec<AbortedTransaction> {
    let transactions = transactions.iter();
    transactions
        .map(|(producer_id, first_offset)| AbortedTransaction {
            producer_id: *producer_id,
            first_offset: *first_offset,
            ..Default::default()
        })
        .collect()
}

fn record_count(bytes: &Bytes) -> usize {
    let batches = batches(bytes).map(|batch| batch.unwrap().header().record_count);
    batches.map(|records| records as usize).sum()
}

/// Whole batches from the one that contains `offset` on: at least one, and at most `max_bytes` after it.
fn from_offset(log: &[Bytes], offset: i64, max_bytes: usize) -> Bytes {
    let mut out: Vec<u8> = Vec::new();
    for batch in log {
        if BatchHeader::parse(batch).unwrap().last_offset().get() < offset {
            continue;
        }
        if !out.is_empty() && out.len() + batch.len() > max_bytes {
            break;
        }
        out.extend_from_slice(batch);
    }
    assert_eq!(
        batches(&Bytes::from(out.clone())).count() > 0,
        !out.is_empty()
    );
    out.into()
}
