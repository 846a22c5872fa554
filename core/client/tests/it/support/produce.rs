//! Produce requests: Kafka's checks of leader, size and sequence, and the faults that a test sets.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use headwater_client::TransportError;
use headwater_protocol::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    TopicProduceResponse,
};
use headwater_protocol::{ErrorCode, ProduceRequest, ProduceResponse, Response};
use headwater_record::BatchHeader;

use super::connection::Connection;
use super::metadata::address;
use super::producer_states::Check;
use super::state::{Fault, ProduceCall, Seen, State};
use super::{FakeCluster, lost};

impl FakeCluster {
    /// Executes a request after those that arrived before it on the same connection, and answers it after them.
    pub(super) async fn produce_in_order(
        &self,
        node: i32,
        request: ProduceRequest,
        connection: &Connection,
    ) -> Result<Response, TransportError> {
        let _in_flight = InFlight::new(self, connection);
        let turn = connection.requests.lock().await;
        let (takes, hangs) = {
            let state = self.state();
            let takes = state.produce_takes_at.get(&node);
            let takes = *takes.unwrap_or(&state.produce_takes);
            (takes, state.silent_producers.contains(&node))
        };
        if hangs {
            return std::future::pending().await;
        }
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let fault = {
            let mut state = self.state();
            state.note(node, &request);
            state.produce_faults.pop_front()
        };
        if let Some(Fault::Late(by)) = fault {
            tokio::time::sleep(by).await;
        }
        let answer = match &fault {
            Some(Fault::Hangs) => return std::future::pending().await,
            Some(Fault::RequestLost) => return Err(lost(true)),
            Some(fault @ (Fault::Code(_) | Fault::Records(_))) => {
                self.produce(node, &request, Some(fault))
            }
            _ => self.produce(node, &request, None),
        };
        let _answer_turn = connection.answers.lock().await;
        drop(turn);
        match fault {
            Some(Fault::AnswerLost) => Err(lost(true)),
            Some(Fault::LateAnswer(by)) => {
                tokio::time::sleep(by).await;
                Ok(answer.into())
            }
            _ => Ok(answer.into()),
        }
    }

    /// Appends the valid batches. The fault applies to the first one.
    fn produce(
        &self,
        node: i32,
        request: &ProduceRequest,
        fault: Option<&Fault>,
    ) -> ProduceResponse {
        let mut state = self.state();
        let mut fault = fault;
        let mut responses = Vec::new();
        let mut named = Vec::new();
        for topic in &request.topic_data {
            let mut partition_responses = Vec::new();
            for data in &topic.partition_data {
                let bytes = data.records.clone().unwrap();
                let mut answer = match fault.take() {
                    Some(fault) => refusal(fault),
                    None if topic.name.is_empty() => with_code(ErrorCode::UnknownTopicId, -1),
                    None => state.append_at(node, &topic.name, data.index, &bytes),
                };
                named.extend(Some(answer.current_leader.leader_id).filter(|leader| *leader >= 0));
                answer.index = data.index;
                answer.log_append_time_ms = -1;
                partition_responses.push(answer);
            }
            responses.push(TopicProduceResponse {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partition_responses,
                ..Default::default()
            });
        }
        ProduceResponse {
            responses,
            node_endpoints: named.into_iter().map(endpoint).collect(),
            ..Default::default()
        }
    }
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

/// The answer that a test has set.
fn refusal(fault: &Fault) -> PartitionProduceResponse {
    match fault {
        Fault::Records(indexes) => {
            let errors = indexes.iter().map(|index| BatchIndexAndErrorMessage {
                batch_index: *index,
                batch_index_error_message: Some("this one".into()),
                ..Default::default()
            });
            PartitionProduceResponse {
                record_errors: errors.collect(),
                ..with_code(ErrorCode::InvalidRecord, -1)
            }
        }
        Fault::Code(code) => with_code(*code, -1),
        other => unreachable!("{other:?} applies to a request"),
    }
}

fn with_code(code: ErrorCode, base_offset: i64) -> PartitionProduceResponse {
    PartitionProduceResponse {
        error_code: code.code(),
        base_offset,
        ..Default::default()
    }
}

impl State {
    /// Records a request and its batches.
    fn note(&mut self, node: i32, request: &ProduceRequest) {
        let mut call = ProduceCall {
            node,
            batches: Vec::new(),
            bytes: 0,
        };
        for topic in &request.topic_data {
            for data in &topic.partition_data {
                let bytes = data.records.as_ref().unwrap();
                call.batches.push((topic.name.to_string(), data.index));
                call.bytes += bytes.len();
                self.seen.push(Seen {
                    node,
                    partition: data.index,
                    header: BatchHeader::parse(bytes).unwrap(),
                    thread: std::thread::current().id(),
                });
            }
        }
        self.produce_calls.push(call);
    }

    /// Appends a batch if the node leads the partition, and if size and sequence are valid.
    fn append_at(
        &mut self,
        node: i32,
        name: &str,
        partition: i32,
        bytes: &Bytes,
    ) -> PartitionProduceResponse {
        if let Some(code) = self.check_leader(node, name, partition, -1) {
            let leader = self.named_leader(name, partition, code);
            let current_leader = leader.map(|leader| LeaderIdAndEpoch {
                leader_id: leader.node,
                leader_epoch: leader.epoch,
                ..Default::default()
            });
            return PartitionProduceResponse {
                current_leader: current_leader.unwrap_or_default(),
                ..with_code(code, -1)
            };
        }
        if bytes.len() > self.max_batch_bytes {
            return with_code(ErrorCode::MessageTooLarge, -1);
        }
        let header = BatchHeader::parse(bytes).unwrap();
        let key = (name.to_owned(), partition);
        let log = self.logs.entry(key.clone()).or_default();
        let base = log.last().map_or(0, |last| {
            BatchHeader::parse(last).unwrap().next_offset().get()
        });
        let producers = self.producer_states.entry(key).or_default();
        match producers.check(&header) {
            Check::Append => {}
            Check::Duplicate(at) => return with_code(ErrorCode::DuplicateSequenceNumber, at),
            Check::Refuse(code) => {
                self.sequence_refusals += 1;
                return with_code(code, -1);
            }
        }
        producers.add(&header, base);
        let mut stored = bytes.to_vec();
        stored[..8].copy_from_slice(&base.to_be_bytes());
        let epoch = self.leaders[&(name.to_owned(), partition)].epoch;
        stored[12..16].copy_from_slice(&epoch.to_be_bytes());
        log.push(stored.into());
        with_code(ErrorCode::None, base)
    }
}

/// Counts a request while it is in flight.
struct InFlight<'a> {
    cluster: &'a FakeCluster,
    connection: &'a Connection,
}

impl<'a> InFlight<'a> {
    fn new(cluster: &'a FakeCluster, connection: &'a Connection) -> Self {
        let in_flight = connection.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        let mut state = cluster.state();
        state.in_flight += 1;
        state.in_flight_max = state.in_flight_max.max(in_flight);
        drop(state);
        Self {
            cluster,
            connection,
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.connection.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.cluster.state().in_flight -= 1;
    }
}
