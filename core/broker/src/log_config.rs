//! Derives the configuration of logs and of validation from a topic's configuration.

use headwater_log::{CleanupPolicy, LogConfig};
use headwater_metadata::{BrokerConfig, TopicConfig};
use headwater_record::{AppendOrigin, ByteSource, TimestampRule, TimestampType, ValidationRules};

/// A segment is at most this fraction of the storage budget, so that sealed segments exist before the budget is used
/// up.
const SEGMENTS_IN_BUDGET: u64 = 8;
/// Kafka's smallest `segment.bytes`; the budget does not reduce segments below it.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;

/// The configuration of a topic's logs.
pub(crate) fn log_config(topic: &TopicConfig, broker: &BrokerConfig) -> LogConfig {
    let milliseconds = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    LogConfig {
        segment_bytes: segment_bytes(topic, broker),
        segment_ms: milliseconds(topic.segment_ms),
        segment_jitter_ms: milliseconds(topic.segment_jitter_ms.min(topic.segment_ms)),
        segment_index_bytes: topic.segment_index_bytes,
        index_interval_bytes: topic.index_interval_bytes,
        retention_ms: topic.retention_ms.map(milliseconds),
        retention_bytes: topic.retention_bytes,
        flush_messages: topic.flush_messages,
        flush_ms: topic.flush_ms.unwrap_or(i64::MAX as u64),
        file_delete_delay_ms: file_delete_delay_ms(topic, broker),
        max_message_bytes: topic.max_message_bytes,
        message_timestamp_type: topic.timestamp_type,
        cleanup_policy: CleanupPolicy {
            delete: topic.cleanup_policy.delete,
            compact: topic.cleanup_policy.compact,
        },
        delete_retention_ms: topic.delete_retention_ms,
        min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
        min_compaction_lag_ms: topic.min_compaction_lag_ms,
        max_compaction_lag_ms: topic.max_compaction_lag_ms,
        producer_id_expiration_ms: milliseconds(broker.producer_expiration_ms),
    }
}

/// The validation rules for produced batches at `now_ms`.
pub(crate) fn validation_rules(
    topic: &TopicConfig,
    source: ByteSource,
    now_ms: i64,
) -> ValidationRules {
    let timestamps = match topic.timestamp_type {
        TimestampType::LogAppendTime => TimestampRule::LogAppendTime { now_ms },
        TimestampType::CreateTime => TimestampRule::Within {
            now_ms,
            before_max_ms: topic.timestamp_before_max_ms,
            after_max_ms: topic.timestamp_after_max_ms,
        },
    };
    ValidationRules {
        max_batch_bytes: topic.max_message_bytes as usize,
        origin: AppendOrigin::Client,
        source,
        timestamps,
        require_keys: topic.cleanup_policy.compact,
        ..ValidationRules::default()
    }
}

/// With a storage limit, deleted files must free their space at once. Readers that have them open are not affected.
fn file_delete_delay_ms(topic: &TopicConfig, broker: &BrokerConfig) -> u64 {
    let is_limited = broker.storage_bytes_max.is_some() || broker.storage_free_bytes_min > 0;
    if is_limited {
        0
    } else {
        topic.file_delete_delay_ms
    }
}

fn segment_bytes(topic: &TopicConfig, broker: &BrokerConfig) -> u32 {
    match broker.storage_bytes_max {
        Some(budget) if topic.cleanup_policy.delete => {
            let most = (budget / SEGMENTS_IN_BUDGET).max(SEGMENT_BYTES_MIN);
            topic
                .segment_bytes
                .min(u32::try_from(most).unwrap_or(u32::MAX))
        }
        _ => topic.segment_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_metadata::Layer;
    use headwater_metadata::config::{BROKER, TOPIC};

    fn configs(topic: &[(&str, &str)], broker: &[(&str, &str)]) -> (TopicConfig, BrokerConfig) {
        let topic = Layer::parse(&TOPIC, topic.iter().copied()).unwrap();
        let below = Layer::parse(&BROKER, broker.iter().copied()).unwrap();
        (
            TopicConfig::resolve(&topic, &below),
            BrokerConfig::parse(broker.iter().copied()).unwrap(),
        )
    }

    #[test]
    fn the_defaults_of_kafka_match_those_of_the_log() {
        let (topic, broker) = configs(&[], &[]);
        assert_eq!(log_config(&topic, &broker), LogConfig::default());
    }

    #[test]
    fn a_storage_budget_makes_segments_small_enough_to_be_removed() {
        let size = |topic: &[_], budget| {
            let (topic, broker) = configs(topic, &[("headwater.storage.max.bytes", budget)]);
            log_config(&topic, &broker).segment_bytes
        };
        assert_eq!(size(&[], "80000000"), 10_000_000);
        assert_eq!(size(&[("segment.bytes", "2000000")], "80000000"), 2_000_000);
        assert_eq!(size(&[], "1000"), 1 << 20);
        assert_eq!(size(&[("cleanup.policy", "compact")], "80000000"), 1 << 30);
    }

    #[test]
    fn timestamps_are_checked_unless_the_log_assigns_them() {
        let rules = |pairs: &[_]| {
            validation_rules(&configs(pairs, &[]).0, ByteSource::Outside, 5).timestamps
        };
        let within = TimestampRule::Within {
            now_ms: 5,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
        };
        assert_eq!(rules(&[]), within);
        assert_eq!(
            rules(&[("message.timestamp.type", "LogAppendTime")]),
            TimestampRule::LogAppendTime { now_ms: 5 }
        );
    }
}
