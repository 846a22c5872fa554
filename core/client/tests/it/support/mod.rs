//! A broker in memory that does what a test tells it: refuses, forgets to answer, answers twice.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::ThreadId;

use bytes::Bytes;
use headwater_client::{
    CallFuture, Client, ClientConfig, Node, ProducerConfig, Transport, TransportError,
};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use headwater_protocol::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use headwater_protocol::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use headwater_protocol::{
    ErrorCode, FetchRequest, FetchResponse, InitProducerIdResponse, ListOffsetsRequest,
    ListOffsetsResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
    Request, Response,
};
use headwater_record::{BatchHeader, DecompressLimit, ProducerId, RecordBatch, batches};
use uuid::Uuid;

/// What happens to the next produce.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused with this code.
    Code(ErrorCode),
    /// It is refused, and these records of it are named.
    Records(Vec<i32>),
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is lost on the way.
    RequestLost,
    /// Its answer never comes.
    Hangs,
}

/// A produce that was answered with success or lost after it was written.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) partition: i32,
    pub(crate) header: BatchHeader,
    pub(crate) thread: ThreadId,
}

/// Topic, partition, producer id and epoch.
type Writer = (String, i32, ProducerId, i16);
/// First and last sequence of a writer's last batch, and its offset.
type Last = (i32, i32, i64);

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Topic, partition: the batches as they are in the log.
    pub(crate) logs: BTreeMap<(String, i32), Vec<Bytes>>,
    pub(crate) partitions: BTreeMap<String, i32>,
    pub(crate) produce_faults: VecDeque<Fault>,
    pub(crate) fetch_faults: VecDeque<ErrorCode>,
    /// Every batch that arrived, refused or not.
    pub(crate) seen: Vec<Seen>,
    pub(crate) metadata_requests: usize,
    /// The names under which clients asked.
    pub(crate) client_ids: Vec<String>,
    /// Produces that have come and are not answered, now and at most.
    on_their_way: usize,
    pub(crate) most_on_their_way: usize,
    /// How long a produce takes.
    pub(crate) produce_takes: std::time::Duration,
    /// So many requests of any kind find nobody.
    pub(crate) away: usize,
    pub(crate) max_batch_bytes: usize,
    /// The last sequence of each producer in each partition, and the offset of the batch.
    sequences: HashMap<Writer, Last>,
    /// The first offset that is still there.
    pub(crate) log_start: i64,
    /// Offsets that each log counts after its last batch, as after a compaction that removed its last records.
    pub(crate) removed_at_end: i64,
    /// So many fetches bring no records, whatever there is.
    pub(crate) empty_fetches: usize,
}

#[derive(Debug, Default)]
pub(crate) struct FakeBroker {
    state: Mutex<State>,
}

impl FakeBroker {
    pub(crate) fn with_topic(name: &str, partitions: i32) -> Arc<Self> {
        let broker = Self::default();
        broker
            .state()
            .partitions
            .insert(name.to_owned(), partitions);
        broker.state().max_batch_bytes = 1 << 20;
        Arc::new(broker)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().produce_faults.extend(faults);
    }

    /// The values in a partition, in order, with their offsets.
    pub(crate) fn values(&self, topic: &str, partition: i32) -> Vec<(i64, Vec<u8>)> {
        let state = self.state();
        let mut values = Vec::new();
        for batch in state
            .logs
            .get(&(topic.to_owned(), partition))
            .into_iter()
            .flatten()
        {
            let batch = RecordBatch::parse(batch.clone()).unwrap();
            batch.verify_crc().unwrap();
            for record in &batch.records(DecompressLimit::default()).unwrap() {
                let record = record.unwrap();
                values.push((
                    record.offset.get(),
                    record.value.unwrap_or_default().to_vec(),
                ));
            }
        }
        values
    }
}

/// A client on `broker` and the runtime that it needs.
pub(crate) fn client(broker: &Arc<FakeBroker>) -> (tokio::runtime::Runtime, Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let config =
        ClientConfig::parse([("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "2")]).unwrap();
    let client = Client::new(
        Arc::clone(broker) as Arc<dyn Transport>,
        runtime.handle().clone(),
        config,
    );
    (runtime, client)
}

/// A producer's configuration that retries at once and lingers for ever, so that nothing happens by itself.
pub(crate) fn config(pairs: &[(&str, &str)]) -> ProducerConfig {
    let fixed = [
        ("retry.backoff.ms", "1"),
        ("retry.backoff.max.ms", "2"),
        ("linger.ms", "60000"),
    ];
    ProducerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap()
}

impl Transport for FakeBroker {
    fn call(&self, _: Node, request: Request) -> CallFuture<'_> {
        Box::pin(async move {
            if self.is_away() {
                return Err(lost(false));
            }
            match request {
                Request::Metadata(request) => Ok(self.metadata(&request).into()),
                Request::InitProducerId(_) => Ok(InitProducerIdResponse {
                    producer_id: 42,
                    producer_epoch: 0,
                    ..Default::default()
                }
                .into()),
                Request::Produce(request) => {
                    self.enter();
                    let takes = self.state().produce_takes;
                    if !takes.is_zero() {
                        tokio::time::sleep(takes).await;
                    }
                    let answer = self.produce(request).await;
                    self.state().on_their_way -= 1;
                    answer
                }
                Request::Fetch(request) => Ok(self.fetch(request).await.into()),
                Request::ListOffsets(request) => Ok(self.list_offsets(&request).into()),
                other => Err(TransportError {
                    reason: format!("no test needs {other:?}"),
                    sent: false,
                    closed: false,
                }),
            }
        })
    }

    fn named(self: Arc<Self>, client_id: &str) -> Arc<dyn Transport> {
        self.state().client_ids.push(client_id.to_owned());
        self
    }
}

fn lost(sent: bool) -> TransportError {
    TransportError {
        reason: "The connection broke".to_owned(),
        sent,
        closed: false,
    }
}

impl FakeBroker {
    /// The most produces that were on their way at once.
    fn enter(&self) {
        let mut state = self.state();
        state.on_their_way += 1;
        state.most_on_their_way = state.most_on_their_way.max(state.on_their_way);
    }

    fn is_away(&self) -> bool {
        let mut state = self.state();
        let away = state.away > 0;
        state.away = state.away.saturating_sub(1);
        away
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let mut state = self.state();
        state.metadata_requests += 1;
        let asked = request
            .topics
            .iter()
            .flatten()
            .filter_map(|topic| topic.name.clone());
        let topics = asked.map(|name| match state.partitions.get(&*name) {
            Some(count) => MetadataResponseTopic {
                name: Some(name.clone()),
                topic_id: Uuid::from_u128(1),
                partitions: (0..*count)
                    .map(|index| MetadataResponsePartition {
                        partition_index: index,
                        leader_id: 1,
                        ..Default::default()
                    })
                    .collect(),
                ..Default::default()
            },
            None => MetadataResponseTopic {
                error_code: ErrorCode::UnknownTopicOrPartition.code(),
                name: Some(name.clone()),
                ..Default::default()
            },
        });
        MetadataResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    }

    async fn produce(&self, request: ProduceRequest) -> Result<Response, TransportError> {
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
            None => match self.append(&name, partition, &bytes) {
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
        state
            .logs
            .entry((name.to_owned(), partition))
            .or_default()
            .push(stored.into());
        Ok(base)
    }

    async fn fetch(&self, request: FetchRequest) -> FetchResponse {
        let answer = self.fetch_now(&request);
        let any = answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
            .any(|data| {
                data.error_code != 0
                    || data
                        .records
                        .as_ref()
                        .is_some_and(|records| !records.is_empty())
            });
        if !any {
            tokio::time::sleep(std::time::Duration::from_millis(
                request.max_wait_ms.unsigned_abs().into(),
            ))
            .await;
        }
        answer
    }

    fn fetch_now(&self, request: &FetchRequest) -> FetchResponse {
        let mut state = self.state();
        let mut responses = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for asked in &topic.partitions {
                let mut data = PartitionData {
                    partition_index: asked.partition,
                    ..Default::default()
                };
                let log = state
                    .logs
                    .get(&(topic.topic.to_string(), asked.partition))
                    .cloned()
                    .unwrap_or_default();
                let end = state.removed_at_end
                    + log.last().map_or(0, |last| {
                        BatchHeader::parse(last).unwrap().next_offset().get()
                    });
                if let Some(code) = state.fetch_faults.pop_front() {
                    data.error_code = code.code();
                } else if asked.fetch_offset < state.log_start || asked.fetch_offset > end {
                    data.error_code = ErrorCode::OffsetOutOfRange.code();
                } else {
                    data.high_watermark = end;
                    data.last_stable_offset = end;
                    let is_empty = state.empty_fetches > 0;
                    state.empty_fetches = state.empty_fetches.saturating_sub(1);
                    if is_empty {
                        data.records = Some(Bytes::new());
                        partitions.push(data);
                        continue;
                    }
                    data.records = Some(from_offset(
                        &log,
                        asked.fetch_offset,
                        asked.partition_max_bytes as usize,
                    ));
                }
                partitions.push(data);
            }
            responses.push(FetchableTopicResponse {
                topic: topic.topic.clone(),
                topic_id: topic.topic_id,
                partitions,
                ..Default::default()
            });
        }
        FetchResponse {
            responses,
            ..Default::default()
        }
    }

    fn list_offsets(&self, request: &ListOffsetsRequest) -> ListOffsetsResponse {
        let state = self.state();
        let topic = &request.topics[0];
        let partitions = topic.partitions.iter().map(|asked| {
            let log = state
                .logs
                .get(&(topic.name.to_string(), asked.partition_index));
            let end = log.and_then(|log| log.last()).map_or(0, |last| {
                BatchHeader::parse(last).unwrap().next_offset().get()
            }) + state.removed_at_end;
            let offset = if asked.timestamp == -2 {
                state.log_start
            } else {
                end
            };
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                offset,
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

/// Whole batches from the one that holds `offset` on, at least one, at most `max_bytes` beyond it.
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
