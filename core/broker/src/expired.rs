//! Warns about records older than the retention of their topic, which the next retention check deletes.

use headwater_env::Env;
use headwater_metadata::TopicConfig;
use headwater_record::{TimestampType, ValidatedBatches};

use crate::partitions::Topic;

/// Warns if all records of a batch are older than the retention; once for each configuration of a topic.
pub(crate) fn warn_of_expired<E: Env>(
    topic: &Topic<E>,
    config: &TopicConfig,
    batches: &ValidatedBatches,
    now_ms: i64,
) {
    let Some(retention_ms) = config.retention_ms else {
        return;
    };
    if !config.cleanup_policy.delete || config.timestamp_type == TimestampType::LogAppendTime {
        return;
    }
    let oldest_kept_ms = now_ms.saturating_sub(i64::try_from(retention_ms).unwrap_or(i64::MAX));
    let is_expired = |newest_ms: &i64| (0..oldest_kept_ms).contains(newest_ms);
    let mut newest = batches.headers().map(|header| header.max_timestamp_ms);
    let Some(newest_ms) = newest.find(is_expired) else {
        return;
    };
    if topic.mark_expired_reported() {
        tracing::warn!(
            topic = %topic.name, newest_timestamp_ms = newest_ms, retention_ms,
            "records older than retention.ms of their topic were produced: the next retention check deletes them; raise retention.ms, or set it to -1 to keep records of any age"
        );
    }
}
