//! Produce requests: Kafka's sequence check, and faults that a test asks for.

use bytes::Bytes;
use headwater_client::TransportError;
use headwater_protocol::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use headwater_protocol::{ErrorCode, ProduceRequest, ProduceResponse, Response};
use headwater_record::BatchHeader;

use super::state::{Fault, Seen};
use super::{FakeCluster, lost};

impl FakeCluster {
    /// [`FakeCluster::produce`] in the time that it is to take, counted while it is in flight.
    pub(super) async fn produce_in_time(
        &self,
        node: i32,
        request: ProduceRequest,
    ) -> Result<Response, TransportError> {
        let takes = {
            let mut state = self.state();
            state.in_flight += 1;
            state.in_flight_max = state.in_flight_max.max(state.in_flight);
            state.produce_takes
        };
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let answer = self.produce(node, request).await;
        self.state().in_flight -= 1;
        answer
    }

    async fn produce(
        &self,
        node: i32,
        request: ProduceRequest,
    ) -> Result<Response, TransportError> {
        let topic = &request.topic_data[0];
        let data = &topic.partition_data[0];
        let (name, partition) = (topic.name.to_string(), data.index);
        let bytes = data.records.clone().unwrap();
        let fault = self.state().produce_faults.pop_front();
        let mut answer = PartitionProduceResponse {
            index: partition,
            ..Default::default()
        };
        self.note(partition, &bytes);
        match fault {
            Some(Fault::RequestLost) => return Err(lost(true)),
            Some(Fault::Hangs) => return std::future::pending().await,
            Some(Fault::Code(code)) => answer.error_code = code.code(),
            Some(Fault::Records(indexes)) => {
                answer.error_code = ErrorCode::InvalidRecord.code();
                answer.record_errors = indexes
                    .into_iter()
                    .map(|batch_index| BatchIndexAndErrorMessage {
                        batch_index,
                        batch_index_error_message: Some("this one".into()),
                        ..Default::default()
                    })
                    .collect();
            }
            Some(Fault::AnswerLost) => {
                self.append(&name, partition, &bytes).ok();
                return Err(lost(true));
            }
            None => match self.append_at(node, &name, partition, &bytes) {
                Ok(base) => answer.base_offset = base,
                Err((code, base)) => (answer.error_code, answer.base_offset) = (code.code(), base),
            },
        }
        answer.log_append_time_ms = -1;
        let topic = TopicProduceResponse {
            name: topic.name.clone(),
            partition_responses: vec![answer],
            ..Default::default()
        };
        Ok(ProduceResponse {
            responses: vec![topic],
            ..Default::default()
        }
        .into())
    }

    fn note(&self, partition: i32, bytes: &Bytes) {
        let header = BatchHeader::parse(bytes).unwrap();
        self.state().seen.push(Seen {
            partition,
            header,
            thread: std::thread::current().id(),
        });
    }

    /// [`FakeCluster::append`], if the node leads the partition.
    fn append_at(
        &self,
        node: i32,
        name: &str,
        partition: i32,
        bytes: &Bytes,
    ) -> Result<i64, (ErrorCode, i64)> {
        let refused = self.state().check_leader(node, name, partition, -1);
        match refused {
            Some(code) => Err((code, -1)),
            None => self.append(name, partition, bytes),
        }
    }

    /// Appends a batch with Kafka's sequence check; the base offset, or a code and the base offset of the batch that was there before.
    fn append(&self, name: &str, partition: i32, bytes: &Bytes) -> Result<i64, (ErrorCode, i64)> {
        let mut state = self.state();
        if bytes.len() > state.max_batch_bytes {
            return Err((ErrorCode::MessageTooLarge, -1));
        }
        let header = BatchHeader::parse(bytes).unwrap();
        let log = state.logs.entry((name.to_owned(), partition)).or_default();
        let base = log.last().map_or(0, |last| {
            BatchHeader::parse(last).unwrap().next_offset().get()
        });
        if let Some(id) = header.producer_id {
            let key = (name.to_owned(), partition, id, header.producer_epoch.get());
            match state.sequences.get(&key).copied() {
                Some((first, _, at)) if first == header.base_sequence => {
                    return Err((ErrorCode::DuplicateSequenceNumber, at));
                }
                Some((_, last, _)) if last + 1 != header.base_sequence => {
                    return Err((ErrorCode::OutOfOrderSequenceNumber, -1));
                }
                None if header.base_sequence != 0 => {
                    return Err((ErrorCode::OutOfOrderSequenceNumber, -1));
                }
                _ => {}
            }
            state
                .sequences
                .insert(key, (header.base_sequence, header.last_sequence(), base));
        }
        let mut stored = bytes.to_vec();
        stored[..8].copy_from_slice(&base.to_be_bytes());
        let epoch = state.leaders[&(name.to_owned(), partition)].epoch;
        stored[12..16].copy_from_slice(&epoch.to_be_bytes());
        state
            .logs
            .entry((name.to_owned(), partition))
            .or_default()
            .push(stored.into());
        Ok(base)
    }
}
