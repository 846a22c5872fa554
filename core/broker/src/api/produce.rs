//! `Produce` (key 0), versions 3-13 (0-2 are advertised for old librdkafka and answered as unsupported).
//!
//! Behaviour: each partition stands for itself. Bytes are validated before any lock is taken; the log checks producer sequences and
//! answers a batch that it has already with the offsets of then. Topics by name up to version 12, by id from 13.
//!
//! Notes: `acks=0` computes a response too, which the network layer drops. With one broker `acks=all` is `acks=1` plus the check of
//! `min.insync.replicas`; a topic with `flush.messages=1` is answered after its fsync either way. Transactions are not served yet.

use bytes::Bytes;
use headwater_env::Env;
use headwater_log::{AppendError, Appended};
use headwater_metadata::{TopicConfig, is_internal_topic};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, TopicProduceResponse,
};
use headwater_protocol::{ErrorCode, ProduceRequest, ProduceResponse};
use headwater_record::{
    Compression, CompressionLevel, DecompressLimit, InvalidBatch, RecompressError,
    ValidatedBatches, validate,
};

use super::{errors, lookup};
use crate::RequestContext;
use crate::log_config::validation_rules;
use crate::partition::{Acks, Partition, ProduceError};
use crate::state::State;
use crate::topics::Topic;

/// From this version on clients know zstd.
const ZSTD_SINCE: i16 = 7;
/// From this version on errors name the leader.
const LEADERS_SINCE: i16 = 10;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: ProduceRequest,
) -> ProduceResponse {
    let acks = acks(&request);
    let answer = |topic: TopicProduceData| {
        let found = lookup::topic(state, &topic.name, topic.topic_id);
        let partition_responses =
            topic
                .partition_data
                .into_iter()
                .map(|data| match (&acks, &found) {
                    (Err(refusal), _) => refused(data.index, refusal.code, refusal.message.clone()),
                    (_, Err(code)) => refused(data.index, *code, code.message().to_owned()),
                    (Ok(acks), Ok(found)) => produce(state, context, found, data, *acks),
                });
        TopicProduceResponse {
            partition_responses: partition_responses.collect(),
            name: topic.name,
            topic_id: topic.topic_id,
            ..TopicProduceResponse::default()
        }
    };
    ProduceResponse {
        responses: request.topic_data.into_iter().map(answer).collect(),
        ..ProduceResponse::default()
    }
}

fn acks(request: &ProduceRequest) -> Result<Acks, errors::Refusal> {
    if request.transactional_id.is_some() {
        let message =
            "transactions are not served by this version: produce without transactional.id";
        return Err(errors::Refusal::new(ErrorCode::InvalidRequest, message));
    }
    match request.acks {
        -1 => Ok(Acks::All),
        0 => Ok(Acks::None),
        1 => Ok(Acks::Leader),
        other => {
            let message = format!("acks is {other}: it takes -1 (all), 0 or 1");
            Err(errors::Refusal::new(
                ErrorCode::InvalidRequiredAcks,
                message,
            ))
        }
    }
}

/// Why one partition's part of the request failed.
enum Failure {
    Code(ErrorCode, String),
    Invalid(InvalidBatch),
    Produce(ProduceError),
}

fn produce<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    topic: &Topic<E>,
    data: PartitionProduceData,
    acks: Acks,
) -> PartitionProduceResponse {
    let index = data.index;
    let partition = match lookup::partition(topic, index) {
        Ok(partition) => partition,
        Err(code) => {
            return refused(
                index,
                code,
                format!("topic \"{}\" has no partition {index}", topic.name),
            );
        }
    };
    let bytes = data.records.unwrap_or_default();
    match append(state, context, &partition, bytes, acks) {
        Ok(appended) => PartitionProduceResponse {
            index,
            error_code: ErrorCode::None.code(),
            base_offset: appended.base_offset.get(),
            log_append_time_ms: appended.log_append_time_ms.unwrap_or(-1),
            log_start_offset: appended.log_start_offset.get(),
            ..PartitionProduceResponse::default()
        },
        Err(Failure::Code(code, message)) => refused(index, code, message),
        Err(Failure::Invalid(error)) => invalid(index, &error),
        Err(Failure::Produce(error)) => not_appended(state, context, &partition, &error),
    }
}

fn append<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    partition: &Partition<E>,
    bytes: Bytes,
    acks: Acks,
) -> Result<Appended, Failure> {
    if is_internal_topic(&partition.topic) {
        let message = format!(
            "the topic \"{}\" belongs to the broker: produce to another",
            partition.topic
        );
        return Err(Failure::Code(ErrorCode::InvalidTopicException, message));
    }
    state
        .admit_append()
        .map_err(|error| Failure::Code(ErrorCode::KafkaStorageError, error.to_string()))?;
    let now_ms = state.env.wall_clock_ms();
    let batches = validated(context, &partition.config(), bytes, now_ms)?;
    let size = batches.size_in_bytes() as u64;
    let appended = match partition.append_as_leader(batches.clone(), acks) {
        // The oldest records go before the newest are refused.
        Err(ProduceError::Append(AppendError::DiskFull(_))) => {
            state.relieve_storage(size);
            partition.append_as_leader(batches, acks)
        }
        result => result,
    };
    let appended = appended.map_err(Failure::Produce)?;
    if !appended.duplicate {
        state.note_appended(size);
    }
    Ok(appended)
}

/// The batches as they are stored. No lock is held.
fn validated(
    context: &RequestContext,
    config: &TopicConfig,
    bytes: Bytes,
    now_ms: i64,
) -> Result<ValidatedBatches, Failure> {
    let rules = validation_rules(config, context.bytes, now_ms);
    let batches = validate(bytes, &rules).map_err(Failure::Invalid)?;
    if !context.is_at_least(ZSTD_SINCE)
        && batches
            .headers()
            .any(|header| header.attributes.compression() == Ok(Compression::Zstd))
    {
        let message = format!("zstd may be used from version {ZSTD_SINCE} of Produce on");
        return Err(Failure::Code(
            ErrorCode::UnsupportedCompressionType,
            message,
        ));
    }
    if batches
        .headers()
        .any(|header| header.attributes.is_transactional())
    {
        let message =
            "a transactional batch needs a transaction, which this version does not serve";
        return Err(Failure::Code(
            ErrorCode::InvalidTxnState,
            message.to_owned(),
        ));
    }
    let Some(codec) = config.compression else {
        return Ok(batches);
    };
    let recompressed =
        batches.recompressed(codec, CompressionLevel::Default, DecompressLimit::default());
    recompressed.map_err(|error| match error {
        RecompressError::TooLarge { .. } => {
            Failure::Code(ErrorCode::MessageTooLarge, error.to_string())
        }
        RecompressError::Unreadable(_) => {
            Failure::Code(ErrorCode::CorruptMessage, error.to_string())
        }
        RecompressError::Compress(_) => {
            Failure::Code(ErrorCode::UnknownServerError, error.to_string())
        }
    })
}

fn not_appended<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    partition: &Partition<E>,
    error: &ProduceError,
) -> PartitionProduceResponse {
    let code = errors::produce_code(state, error);
    let mut response = refused(partition.id.get(), code, error.to_string());
    if code == ErrorCode::NotLeaderOrFollower && context.is_at_least(LEADERS_SINCE) {
        let image = state.image();
        if let Some(known) = image.partition(&partition.topic, partition.id) {
            response.current_leader = LeaderIdAndEpoch {
                leader_id: known.leader.unwrap_or(-1),
                leader_epoch: known.leader_epoch.get(),
                ..LeaderIdAndEpoch::default()
            };
        }
    }
    response
}

fn invalid(index: i32, error: &InvalidBatch) -> PartitionProduceResponse {
    let message = error.to_string();
    let record_errors = error
        .record_index()
        .map(|record| BatchIndexAndErrorMessage {
            batch_index: record as i32,
            batch_index_error_message: Some(message.clone().into()),
            ..BatchIndexAndErrorMessage::default()
        });
    PartitionProduceResponse {
        record_errors: record_errors.into_iter().collect(),
        ..refused(index, errors::batch_code(error), message)
    }
}

fn refused(index: i32, code: ErrorCode, message: impl Into<String>) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: code.code(),
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: -1,
        error_message: Some(message.into().into()),
        ..PartitionProduceResponse::default()
    }
}
