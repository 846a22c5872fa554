//! Validation of produce requests: the partitions and batches that may be appended.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::Env;
use headwater_metadata::{TopicConfig, is_internal_topic};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use headwater_protocol::{ErrorCode, ProduceRequest, ProduceResponse};
use headwater_record::{
    BatchError, BatchHeader, ByteSource, Compression, DecompressError, DecompressLimit,
    InvalidBatch, RecompressError, ValidatedBatches, ValidationRules, validate,
};

use super::{Components, PartitionSlot, answer};
use crate::RequestContext;
use crate::api::support::{errors, lookup};
use crate::expired::warn_of_expired;
use crate::log_config::validation_rules;
use crate::memory::USUAL_DECOMPRESSION;
use crate::partition::{Acks, Partition};
use crate::partitions::Topic;

/// The first version whose clients support zstd.
const ZSTD_SINCE: i16 = 7;

/// The batches of one partition of a request, validated.
#[derive(Debug)]
pub(super) struct AcceptedBatches<E: Env> {
    pub(super) slot: PartitionSlot,
    pub(super) partition: Arc<Partition<E>>,
    pub(super) acks: Acks,
    pub(super) batches: ValidatedBatches,
}

/// Why a partition's batches were refused.
enum PartitionRefusal {
    Code(ErrorCode, String),
    Invalid(InvalidBatch),
}

impl PartitionRefusal {
    fn is_too_large_to_decompress(&self) -> bool {
        matches!(
            self,
            Self::Invalid(InvalidBatch::Unreadable(BatchError::Decompress(
                DecompressError::TooLarge { .. }
            )))
        )
    }
}

/// Builds the response of request number `request`, with empty results for the accepted partitions.
pub(super) fn accept<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    number: usize,
    request: ProduceRequest,
    accepted: &mut Vec<AcceptedBatches<E>>,
) -> ProduceResponse {
    let acks = acks(&request);
    let topics = request.topic_data.into_iter().enumerate();
    let responses = topics.map(|(topic, data)| {
        let slot = PartitionSlot {
            request: number,
            topic,
            partition: 0,
        };
        accept_topic(components, context, slot, data, &acks, accepted)
    });
    ProduceResponse {
        responses: responses.collect(),
        ..ProduceResponse::default()
    }
}

fn accept_topic<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    slot: PartitionSlot,
    data: TopicProduceData,
    acks: &Result<Acks, errors::Refusal>,
    accepted: &mut Vec<AcceptedBatches<E>>,
) -> TopicProduceResponse {
    let found = lookup::topic(components.partitions, &data.name, data.topic_id);
    let partitions = data.partition_data.into_iter().enumerate();
    let responses = partitions.map(|(partition, data)| {
        let index = data.index;
        let (acks, topic) = match (acks, &found) {
            (Err(refusal), _) => {
                return answer::refused(index, refusal.code, refusal.message.clone());
            }
            (_, Err(code)) => return answer::refused(index, *code, code.message().to_owned()),
            (Ok(acks), Ok(topic)) => (*acks, topic),
        };
        match check(components, context, topic, data) {
            Ok((found, batches)) => {
                accepted.push(AcceptedBatches {
                    slot: PartitionSlot { partition, ..slot },
                    partition: found,
                    acks,
                    batches,
                });
                PartitionProduceResponse {
                    index,
                    ..PartitionProduceResponse::default()
                }
            }
            Err(PartitionRefusal::Code(code, message)) => answer::refused(index, code, message),
            Err(PartitionRefusal::Invalid(error)) => answer::invalid(index, &error),
        }
    });
    TopicProduceResponse {
        partition_responses: responses.collect(),
        name: data.name,
        topic_id: data.topic_id,
        ..TopicProduceResponse::default()
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

fn check<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    topic: &Topic<E>,
    data: PartitionProduceData,
) -> Result<(Arc<Partition<E>>, ValidatedBatches), PartitionRefusal> {
    let partition = lookup::partition(topic, data.index).map_err(|code| {
        let message = format!("topic \"{}\" has no partition {}", topic.name, data.index);
        PartitionRefusal::Code(code, message)
    })?;
    if is_internal_topic(&partition.topic) {
        let message = format!(
            "the topic \"{}\" is internal: produce to another topic",
            partition.topic
        );
        return Err(PartitionRefusal::Code(
            ErrorCode::InvalidTopicException,
            message,
        ));
    }
    components
        .storage
        .admit_append()
        .map_err(|error| PartitionRefusal::Code(ErrorCode::KafkaStorageError, error.to_string()))?;
    let now_ms = components.partitions.env.wall_clock_ms();
    let bytes = data.records.unwrap_or_default();
    let config = partition.config();
    let rules = validation_rules(&config, context.bytes, now_ms);
    let batches = within_memory(components, context, &config, bytes, &rules)?;
    warn_of_expired(topic, &config, &batches, now_ms);
    Ok((partition, batches))
}

/// Validates batches. If a batch decompresses to more than usual, waits for its turn and reserves the memory.
fn within_memory<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    config: &TopicConfig,
    bytes: Bytes,
    rules: &ValidationRules,
) -> Result<ValidatedBatches, PartitionRefusal> {
    if rules.source == ByteSource::Builder || !is_compressed(&bytes) {
        return validated(context, config, bytes, rules);
    }
    let limited = |limit| ValidationRules {
        decompress_limit: rules.decompress_limit.min(limit),
        ..*rules
    };
    match validated(
        context,
        config,
        bytes.clone(),
        &limited(USUAL_DECOMPRESSION),
    ) {
        Err(refused) if refused.is_too_large_to_decompress() => {}
        result => return result,
    }
    let rules = limited(DecompressLimit::new(components.memory.limit()));
    let _turn = components.memory.turn_to_decompress(rules.decompress_limit);
    validated(context, config, bytes, &rules)
}

/// Whether the first batch is compressed. A second batch is refused.
fn is_compressed(bytes: &Bytes) -> bool {
    BatchHeader::parse(bytes)
        .is_ok_and(|header| header.attributes.compression() != Ok(Compression::None))
}

/// Validates batches, without holding the lock of a log.
fn validated(
    context: &RequestContext,
    config: &TopicConfig,
    bytes: Bytes,
    rules: &ValidationRules,
) -> Result<ValidatedBatches, PartitionRefusal> {
    let batches = validate(bytes, rules).map_err(PartitionRefusal::Invalid)?;
    if !context.is_at_least(ZSTD_SINCE)
        && batches
            .headers()
            .any(|header| header.attributes.compression() == Ok(Compression::Zstd))
    {
        let message = format!("zstd needs version {ZSTD_SINCE} of Produce or later");
        return Err(PartitionRefusal::Code(
            ErrorCode::UnsupportedCompressionType,
            message,
        ));
    }
    if batches
        .headers()
        .any(|header| header.attributes.is_transactional())
    {
        let message = "transactional batches are not supported by this version";
        return Err(PartitionRefusal::Code(
            ErrorCode::InvalidTxnState,
            message.to_owned(),
        ));
    }
    let Some(codec) = config.compression else {
        return Ok(batches);
    };
    let recompressed =
        batches.recompressed(codec, config.compression_level, rules.decompress_limit);
    recompressed.map_err(|error| match error {
        RecompressError::TooLarge { .. } => {
            PartitionRefusal::Code(ErrorCode::MessageTooLarge, error.to_string())
        }
        RecompressError::Unreadable(_) => {
            PartitionRefusal::Code(ErrorCode::CorruptMessage, error.to_string())
        }
        RecompressError::Compress(_) => {
            PartitionRefusal::Code(ErrorCode::UnknownServerError, error.to_string())
        }
    })
}
