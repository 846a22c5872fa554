//! Helpers of the broker tests: a broker in memory or on a simulated disk, and requests.

pub mod consumers;
pub mod events;
pub mod groups;

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use headwater_broker::{Broker, OpenError, OpenReport, RequestContext};
use headwater_env::{Env, MemoryEnv};
use headwater_metadata::BrokerConfig;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::create_topics_response::CreatableTopicResult;
use headwater_protocol::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use headwater_protocol::delete_records_response::DeleteRecordsPartitionResult;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::PartitionData;
use headwater_protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::list_offsets_response::ListOffsetsPartitionResponse;
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::produce_response::PartitionProduceResponse;
use headwater_protocol::{
    ApiRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest, ErrorCode,
    FetchRequest, FetchResponse, IncrementalAlterConfigsRequest, ListOffsetsRequest,
    ProduceRequest,
};
use headwater_record::{
    BatchBuilder, BatchOptions, Compression, DecompressLimit, ProducerEpoch, ProducerId,
    ProducerState, batches,
};

pub const DIR: &str = "/data";
pub const EARLIEST: i64 = -2;
pub const LATEST: i64 = -1;

/// Opens a broker at [`DIR`].
pub fn try_open<E: Env>(
    env: &E,
    config: &[(&str, &str)],
) -> Result<(Broker<E>, OpenReport), OpenError> {
    Broker::open(
        env.clone(),
        Path::new(DIR),
        BrokerConfig::parse(config.iter().copied()).unwrap(),
    )
}

pub fn open<E: Env>(env: &E, config: &[(&str, &str)]) -> Broker<E> {
    try_open(env, config).unwrap().0
}

pub fn in_memory() -> Broker<MemoryEnv> {
    open(&MemoryEnv::new(), &[])
}

/// The result of a future that must complete in its first poll.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the request is pending after its first poll"),
    }
}

/// Sends a request that must not wait.
pub fn ask<E: Env, R: ApiRequest>(broker: &Broker<E>, request: R) -> R::Response {
    ask_from(broker, &on_the_network(), request)
}

/// The context of a client in another process on this machine.
pub fn on_the_network() -> RequestContext {
    RequestContext {
        client_host: Some("127.0.0.1".into()),
        ..RequestContext::default()
    }
}

/// Sends a request with this context.
pub fn ask_from<E: Env, R: ApiRequest>(
    broker: &Broker<E>,
    context: &RequestContext,
    request: R,
) -> R::Response {
    let response = now(broker.handle(context, request.into()));
    R::Response::try_from(response).unwrap()
}

/// Sends a request as a client of this version.
pub fn ask_at<E: Env, R: ApiRequest>(broker: &Broker<E>, version: i16, request: R) -> R::Response {
    let context = RequestContext {
        api_version: Some(version),
        ..on_the_network()
    };
    let response = now(broker.handle(&context, request.into()));
    R::Response::try_from(response).unwrap()
}

pub fn code(raw: i16) -> ErrorCode {
    ErrorCode::from_code(raw)
}

pub fn creatable(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreatableTopic {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
        ..Default::default()
    };
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: -1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    }
}

pub fn try_create<E: Env>(broker: &Broker<E>, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    ask(broker, request).topics.remove(0)
}

pub fn create<E: Env>(broker: &Broker<E>, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let result = try_create(broker, creatable(name, partitions, configs));
    assert_eq!(
        code(result.error_code),
        ErrorCode::None,
        "{:?}",
        result.error_message
    );
}

pub fn delete<E: Env>(broker: &Broker<E>, name: &str) -> ErrorCode {
    let request = DeleteTopicsRequest {
        topic_names: vec![name.into()],
        ..Default::default()
    };
    code(ask(broker, request).responses[0].error_code)
}

/// Sets keys of a topic (2) or broker (4).
pub fn alter<E: Env>(
    broker: &Broker<E>,
    resource: (i8, &str),
    configs: &[(&str, i8, Option<&str>)],
) -> (ErrorCode, String) {
    let config = |(name, operation, value): &(&str, i8, Option<&str>)| AlterableConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: value.map(Into::into),
        ..Default::default()
    };
    let resource = AlterConfigsResource {
        resource_type: resource.0,
        resource_name: resource.1.into(),
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    let response = ask(
        broker,
        IncrementalAlterConfigsRequest {
            resources: vec![resource],
            ..Default::default()
        },
    );
    let result = &response.responses[0];
    (
        code(result.error_code),
        result
            .error_message
            .as_deref()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// A batch of values with timestamps, without keys.
pub fn batch_at(records: &[(i64, &str)]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for (timestamp_ms, value) in records {
        builder
            .try_append(*timestamp_ms, None, Some(value.as_bytes()), &[])
            .unwrap();
    }
    builder.finish().unwrap()
}

/// A batch of values at time 1,000.
pub fn batch(values: &[&str]) -> Bytes {
    batch_at(
        &values
            .iter()
            .map(|value| (1000, *value))
            .collect::<Vec<_>>(),
    )
}

/// A batch of an idempotent producer.
pub fn batch_of(producer: (i64, i16, i32), values: &[&str]) -> Bytes {
    let producer = ProducerState {
        id: ProducerId::new(producer.0),
        epoch: ProducerEpoch::new(producer.1),
        base_sequence: producer.2,
    };
    let mut builder = BatchBuilder::new(BatchOptions {
        producer: Some(producer),
        ..BatchOptions::default()
    });
    for value in values {
        builder
            .try_append(1000, None, Some(value.as_bytes()), &[])
            .unwrap();
    }
    builder.finish().unwrap()
}

pub fn compressed(codec: Compression, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        compression: codec,
        ..BatchOptions::default()
    });
    for value in values {
        builder
            .try_append(1000, None, Some(value.as_bytes()), &[])
            .unwrap();
    }
    builder.finish().unwrap()
}

pub fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    let data = PartitionProduceData {
        index: partition,
        records: Some(records),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: topic.into(),
        partition_data: vec![data],
        ..Default::default()
    };
    ProduceRequest {
        acks,
        timeout_ms: 1000,
        topic_data: vec![topic],
        ..Default::default()
    }
}

pub fn produce<E: Env>(
    broker: &Broker<E>,
    topic: &str,
    partition: i32,
    records: Bytes,
) -> PartitionProduceResponse {
    let mut response = ask(broker, produce_request(topic, partition, -1, records));
    response.responses.remove(0).partition_responses.remove(0)
}

/// Produces and returns the first offset.
pub fn append<E: Env>(broker: &Broker<E>, topic: &str, partition: i32, records: Bytes) -> i64 {
    let response = produce(broker, topic, partition, records);
    assert_eq!(
        code(response.error_code),
        ErrorCode::None,
        "{:?}",
        response.error_message
    );
    response.base_offset
}

pub fn fetch_request(topic: &str, partitions: &[(i32, i64)]) -> FetchRequest {
    let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        current_leader_epoch: -1,
        fetch_offset: *fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: topic.into(),
        partitions: partitions.iter().map(partition).collect(),
        ..Default::default()
    };
    FetchRequest {
        max_bytes: 1 << 20,
        min_bytes: 1,
        session_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    }
}

pub fn fetch<E: Env>(
    broker: &Broker<E>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> PartitionData {
    first(ask(broker, fetch_request(topic, &[(partition, offset)])))
}

pub fn first(mut response: FetchResponse) -> PartitionData {
    assert_eq!(code(response.error_code), ErrorCode::None);
    response.responses.remove(0).partitions.remove(0)
}

/// The offsets and values of the fetched records.
pub fn records(data: &PartitionData) -> Vec<(i64, String)> {
    let bytes = data.records.clone().unwrap_or_default();
    let mut all = Vec::new();
    for batch in batches(&bytes) {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        let records = batch.records(DecompressLimit::default()).unwrap();
        for record in &records {
            let record = record.unwrap();
            let value = String::from_utf8(record.value.unwrap_or_default().to_vec()).unwrap();
            all.push((record.offset.get(), value));
        }
    }
    all
}

/// All values of a partition, from its start.
pub fn values<E: Env>(broker: &Broker<E>, topic: &str, partition: i32) -> Vec<String> {
    let mut next = offset(broker, topic, partition, EARLIEST);
    let end = offset(broker, topic, partition, LATEST);
    let mut values = Vec::new();
    while next < end {
        let data = fetch(broker, topic, partition, next);
        assert_eq!(code(data.error_code), ErrorCode::None);
        let read = records(&data);
        assert!(!read.is_empty(), "no records at {next} before {end}");
        values.extend(
            read.iter()
                .filter(|(at, _)| *at >= next)
                .map(|(_, value)| value.clone()),
        );
        next = read[read.len() - 1].0 + 1;
    }
    values
}

pub fn list_offsets<E: Env>(
    broker: &Broker<E>,
    topic: &str,
    partition: i32,
    timestamp: i64,
) -> ListOffsetsPartitionResponse {
    let wanted = ListOffsetsPartition {
        partition_index: partition,
        current_leader_epoch: -1,
        timestamp,
        ..Default::default()
    };
    let topic = ListOffsetsTopic {
        name: topic.into(),
        partitions: vec![wanted],
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![topic],
        ..Default::default()
    };
    ask(broker, request).topics.remove(0).partitions.remove(0)
}

pub fn offset<E: Env>(broker: &Broker<E>, topic: &str, partition: i32, timestamp: i64) -> i64 {
    let listed = list_offsets(broker, topic, partition, timestamp);
    assert_eq!(code(listed.error_code), ErrorCode::None);
    listed.offset
}

pub fn delete_records<E: Env>(
    broker: &Broker<E>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> DeleteRecordsPartitionResult {
    let wanted = DeleteRecordsPartition {
        partition_index: partition,
        offset,
        ..Default::default()
    };
    let topic = DeleteRecordsTopic {
        name: topic.into(),
        partitions: vec![wanted],
        ..Default::default()
    };
    ask(
        broker,
        DeleteRecordsRequest {
            topics: vec![topic],
            ..Default::default()
        },
    )
    .topics
    .remove(0)
    .partitions
    .remove(0)
}
