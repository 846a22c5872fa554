//! Validates bytes once, before they become a part of a log.

use bytes::Bytes;

use crate::attributes::TimestampType;
use crate::batch::RecordBatch;
use crate::compression::DecompressLimit;
use crate::error::{BatchError, RecordDefect};
use crate::header::BatchHeader;
use crate::invalid::{InvalidBatch, RecordRefusal, RefusedRecord};
use crate::record::RawRecord;
use crate::validated::ValidatedBatches;

/// The origin of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AppendOrigin {
    /// A producer: exactly one batch, which starts at offset 0 and is not a control batch.
    #[default]
    Client,
    /// The coordinator of groups or transactions: may append control batches too.
    Coordinator,
    /// The log of a leader: several batches with assigned offsets, possibly with gaps.
    Replication,
}

/// The source of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ByteSource {
    /// A disk or a network: check the CRC and every record.
    #[default]
    Outside,
    /// A [`BatchBuilder`](crate::BatchBuilder) in this process: check only the header, and the records if keys or
    /// timestamps have rules.
    Builder,
}

/// The rule for timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TimestampRule {
    /// Any.
    #[default]
    Any,
    /// The timestamp of each record must be within these bounds, inclusive (`message.timestamp.before.max.ms`,
    /// `.after.max.ms`).
    Within {
        /// The current wall-clock time.
        now_ms: i64,
        /// The maximum time before `now_ms`.
        before_max_ms: i64,
        /// The maximum time after `now_ms`.
        after_max_ms: i64,
    },
    /// The topic has log append time: replace the producer's timestamps by `now_ms`.
    LogAppendTime {
        /// The current wall-clock time.
        now_ms: i64,
    },
}

/// The rules of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationRules {
    /// The size limit of one batch (`max.message.bytes`).
    pub max_batch_bytes: usize,
    /// The origin of the append.
    pub origin: AppendOrigin,
    /// The source of the bytes.
    pub source: ByteSource,
    /// The rule for timestamps.
    pub timestamps: TimestampRule,
    /// Whether each record must have a key (compacted topics).
    pub require_keys: bool,
    /// The size limit of one decompressed batch.
    pub decompress_limit: DecompressLimit,
}

impl Default for ValidationRules {
    /// A producer's bytes from outside, with Kafka's default of `max.message.bytes`.
    fn default() -> Self {
        Self {
            max_batch_bytes: 1_048_588,
            origin: AppendOrigin::Client,
            source: ByteSource::Outside,
            timestamps: TimestampRule::Any,
            require_keys: false,
            decompress_limit: DecompressLimit::default(),
        }
    }
}

/// Checks that the bytes are whole batches that may be appended: size, magic byte, CRC, counts, deltas, timestamps,
/// producer fields, and each record. Never panics, whatever the bytes are, and uses no more memory than the decompress
/// limit implies.
///
/// Like Kafka, corrects the maximum timestamp and timestamp type of a header if the records or the topic contradict
/// them (in place if the bytes are not shared), and refuses any other error. For a replicated batch, checks the header
/// and the CRC but not each record, because its leader did.
pub fn validate(bytes: Bytes, rules: &ValidationRules) -> Result<ValidatedBatches, InvalidBatch> {
    let mut headers = Vec::new();
    let mut corrected = Vec::new();
    let mut first = None;
    let mut position = 0;
    while position < bytes.len() {
        if first.is_some() && rules.origin == AppendOrigin::Client {
            return Err(InvalidBatch::SeveralBatches);
        }
        let batch = take_batch(&bytes, position, rules)?;
        check_header(batch.header(), headers.last().or(first.as_ref()), rules)?;
        if rules.source == ByteSource::Outside {
            batch.verify_crc()?;
        }
        let header = check_records(&batch, rules)?;
        if header != *batch.header() {
            corrected.push(position);
        }
        position += header.size_in_bytes();
        if first.is_none() {
            first = Some(header);
        } else {
            headers.push(header);
        }
    }
    let first = first.ok_or(InvalidBatch::Empty)?;
    Ok(ValidatedBatches::new(bytes, first, headers).correct(&corrected))
}

fn take_batch(
    bytes: &Bytes,
    position: usize,
    rules: &ValidationRules,
) -> Result<RecordBatch, InvalidBatch> {
    let header = BatchHeader::parse(&bytes[position..])?;
    let (size, available) = (header.size_in_bytes(), bytes.len() - position);
    if size > rules.max_batch_bytes {
        return Err(InvalidBatch::TooLarge {
            size,
            max: rules.max_batch_bytes,
        });
    }
    if size > available {
        return Err(BatchError::Truncated {
            needed: size,
            available,
        }
        .into());
    }
    Ok(RecordBatch::parse(bytes.slice(position..position + size))?)
}

fn check_header(
    header: &BatchHeader,
    previous: Option<&BatchHeader>,
    rules: &ValidationRules,
) -> Result<(), InvalidBatch> {
    header.attributes.compression().map_err(BatchError::from)?;
    check_offsets(header, previous, rules.origin)?;
    if rules.origin == AppendOrigin::Replication {
        return Ok(());
    }
    if rules.origin == AppendOrigin::Client && header.attributes.is_control() {
        return Err(InvalidBatch::ControlBatch);
    }
    check_producer(header).map_or(Ok(()), |reason| Err(InvalidBatch::Producer { reason }))
}

fn check_offsets(
    header: &BatchHeader,
    previous: Option<&BatchHeader>,
    origin: AppendOrigin,
) -> Result<(), InvalidBatch> {
    let (last_offset_delta, record_count) = (header.last_offset_delta, header.record_count);
    let base_offset = header.base_offset.get();
    // Compaction may have removed records, even all; the remaining ones keep their offsets.
    let compacted = origin == AppendOrigin::Replication && record_count <= last_offset_delta;
    let in_range = last_offset_delta >= 0
        && record_count >= 0
        && (compacted || i64::from(record_count) == i64::from(last_offset_delta) + 1);
    if !in_range {
        return Err(InvalidBatch::OffsetRange {
            last_offset_delta,
            record_count,
        });
    }
    if origin == AppendOrigin::Client && base_offset != 0 {
        return Err(InvalidBatch::BaseOffset { base_offset });
    }
    if origin == AppendOrigin::Replication {
        let expected = previous.map_or(0, |previous| previous.next_offset().get());
        let last = base_offset.checked_add(i64::from(last_offset_delta));
        if base_offset < expected || last.is_none_or(|last| last == i64::MAX) {
            return Err(InvalidBatch::OffsetsOutOfOrder {
                base_offset,
                expected,
            });
        }
    }
    Ok(())
}

fn check_producer(header: &BatchHeader) -> Option<&'static str> {
    let Some(id) = header.producer_id else {
        let is_transactional = header.attributes.is_transactional();
        return is_transactional.then_some("a transactional batch needs a producer id");
    };
    // The coordinator writes control batches, outside the producer's sequence.
    let needs_sequence = !header.attributes.is_control();
    if id.get() < 0 {
        Some("the producer id is negative")
    } else if header.producer_epoch.get() < 0 {
        Some("the producer epoch is negative")
    } else if needs_sequence && header.base_sequence < 0 {
        Some("the sequence number is negative")
    } else {
        None
    }
}

/// Checks the records as far as the rules require, and returns the correct header.
fn check_records(
    batch: &RecordBatch,
    rules: &ValidationRules,
) -> Result<BatchHeader, InvalidBatch> {
    let mut header = *batch.header();
    if rules.origin == AppendOrigin::Replication {
        return Ok(header);
    }
    if must_walk(&header, rules) {
        header.max_timestamp_ms = walk(batch, rules)?;
        header.attributes = header
            .attributes
            .with_timestamp_type(TimestampType::CreateTime);
    }
    if let TimestampRule::LogAppendTime { now_ms } = rules.timestamps {
        header.max_timestamp_ms = now_ms;
        header.attributes = header
            .attributes
            .with_timestamp_type(TimestampType::LogAppendTime);
    }
    Ok(header)
}

fn must_walk(header: &BatchHeader, rules: &ValidationRules) -> bool {
    let timestamps = match rules.timestamps {
        // The maximum of a builder is correct, so the upper bound needs no pass over the records.
        TimestampRule::Within {
            now_ms,
            before_max_ms,
            after_max_ms,
        } => {
            before_max_ms != i64::MAX
                || header.max_timestamp_ms.saturating_sub(now_ms) > after_max_ms
        }
        TimestampRule::Any | TimestampRule::LogAppendTime { .. } => false,
    };
    rules.source == ByteSource::Outside || rules.require_keys || timestamps
}

/// The maximum number of refused records that are listed. A small request can decompress to millions.
const NAMED_MAX: usize = 1 << 17;

/// Reads every record; returns the greatest timestamp. Lists all records that the topic does not accept.
fn walk(batch: &RecordBatch, rules: &ValidationRules) -> Result<i64, InvalidBatch> {
    let records = batch.records(rules.decompress_limit)?;
    let header = batch.header();
    let checks = RecordChecks {
        require_keys: rules.require_keys && !header.attributes.is_control(),
        timestamps: rules.timestamps,
        timestamp_type: header.attributes.timestamp_type(),
    };
    let mut refused = Vec::new();
    let mut max_timestamp_ms = -1;
    for (index, record) in records.raw().enumerate() {
        let record = record?;
        if record.offset_delta as usize != index {
            return Err(BatchError::Record {
                index,
                defect: RecordDefect::OffsetDelta,
            }
            .into());
        }
        // Wraps around, as in Kafka: an overflowed timestamp is outside of any bounds.
        let timestamp_ms = header
            .base_timestamp_ms
            .wrapping_add(record.timestamp_delta);
        if let Some(reason) = checks.refusal(&record, timestamp_ms)
            && refused.len() < NAMED_MAX
        {
            refused.push(RefusedRecord { index, reason });
        }
        max_timestamp_ms = timestamp_ms.max(max_timestamp_ms);
    }
    if refused.is_empty() {
        Ok(max_timestamp_ms)
    } else {
        Err(InvalidBatch::Records(refused))
    }
}

/// The checks of each readable record.
struct RecordChecks {
    require_keys: bool,
    timestamps: TimestampRule,
    /// The timestamp type of the batch.
    timestamp_type: TimestampType,
}

impl RecordChecks {
    /// The reason why the topic does not accept the record, in Kafka's order.
    #[inline]
    fn refusal(&self, record: &RawRecord, timestamp_ms: i64) -> Option<RecordRefusal> {
        if self.require_keys && record.key.is_null() {
            return Some(RecordRefusal::MissingKey);
        }
        match self.timestamps {
            TimestampRule::Any => None,
            TimestampRule::LogAppendTime { .. } => self.wrong_type(),
            TimestampRule::Within { .. } if timestamp_ms == -1 => self.wrong_type(),
            TimestampRule::Within {
                now_ms,
                before_max_ms,
                after_max_ms,
            } => {
                let exceeds = |distance: Option<i64>, max| distance.is_none_or(|ms| ms > max);
                let is_out = exceeds(now_ms.checked_sub(timestamp_ms), before_max_ms)
                    || exceeds(timestamp_ms.checked_sub(now_ms), after_max_ms);
                is_out.then_some(RecordRefusal::Timestamp {
                    timestamp_ms,
                    now_ms,
                    before_max_ms,
                    after_max_ms,
                })
            }
        }
    }

    fn wrong_type(&self) -> Option<RecordRefusal> {
        let is_wrong = self.timestamp_type == TimestampType::LogAppendTime;
        is_wrong.then_some(RecordRefusal::TimestampType)
    }
}
