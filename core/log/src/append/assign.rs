//! Assigns to batches their offsets, the leader epoch and, with `LogAppendTime`, the timestamp.

use bytes::{Bytes, BytesMut};
use headwater_env::Env;
use headwater_record::crc::crc32c;
use headwater_record::{BatchHeader, LeaderEpoch, Offset, TimestampType, ValidatedBatches};

use crate::config::LogConfig;
use crate::error::AppendError;

/// The position in a batch of the first byte that the CRC covers.
const CRC_START: usize = 21;

/// The requests of one append, with the final headers of all their batches.
pub(super) struct FinalRequests {
    pub(super) requests: Vec<Request>,
    pub(super) headers: Vec<BatchHeader>,
}

/// The batches of one request, with the number of their headers.
pub(super) struct Request {
    pub(super) bytes: Bytes,
    pub(super) base_offset: Offset,
    pub(super) next_offset: Offset,
    pub(super) log_append_time_ms: Option<i64>,
}

impl FinalRequests {
    /// Assigns offsets to at least one request, from `log_end_offset` on.
    pub(super) fn new(
        env: &impl Env,
        run: &[ValidatedBatches],
        config: &LogConfig,
        log_end_offset: Offset,
        leader_epoch: LeaderEpoch,
    ) -> Result<Self, AppendError> {
        let mut assigned = Self {
            requests: Vec::with_capacity(run.len()),
            headers: Vec::with_capacity(run.len()),
        };
        let mut next_offset = log_end_offset;
        for batches in run {
            let base_offset = next_offset;
            let first = assigned.headers.len();
            for header in batches.headers() {
                assigned.headers.push(BatchHeader {
                    base_offset: next_offset,
                    leader_epoch,
                    ..*header
                });
                next_offset = next_offset
                    .checked_add(i64::from(header.last_offset_delta) + 1)
                    .ok_or(AppendError::OffsetsExhausted { log_end_offset })?;
            }
            let headers = &mut assigned.headers[first..];
            let (bytes, log_append_time_ms) = timed(env, batches.bytes(), headers, config);
            assigned.requests.push(Request {
                bytes,
                base_offset,
                next_offset,
                log_append_time_ms,
            });
        }
        Ok(assigned)
    }

    /// The offset after the last record of the append.
    pub(super) fn next_offset(&self) -> Offset {
        self.headers[self.headers.len() - 1].next_offset()
    }

    /// The size of all batches in bytes.
    pub(super) fn size_in_bytes(&self) -> u64 {
        let sizes = self.requests.iter().map(|request| request.bytes.len());
        sizes.sum::<usize>() as u64
    }

    pub(super) fn max_timestamp_ms(&self) -> i64 {
        let timestamps = self.headers.iter().map(|header| header.max_timestamp_ms);
        timestamps.fold(-1, i64::max)
    }
}

/// The bytes of a request, stamped with the append time if the topic has `LogAppendTime` and a batch is not stamped
/// yet.
fn timed(
    env: &impl Env,
    bytes: &Bytes,
    headers: &mut [BatchHeader],
    config: &LogConfig,
) -> (Bytes, Option<i64>) {
    if config.message_timestamp_type != TimestampType::LogAppendTime {
        return (bytes.clone(), None);
    }
    let is_stamped =
        |header: &BatchHeader| header.attributes.timestamp_type() == TimestampType::LogAppendTime;
    let bytes = if headers.iter().all(is_stamped) {
        bytes.clone()
    } else {
        stamp(bytes, headers, env.wall_clock_ms())
    };
    (bytes, headers.last().map(|header| header.max_timestamp_ms))
}

/// Sets the timestamp of batches and computes their CRC again.
fn stamp(bytes: &[u8], headers: &mut [BatchHeader], now_ms: i64) -> Bytes {
    let mut bytes = BytesMut::from(bytes);
    let mut start = 0;
    for header in headers {
        let end = start + header.size_in_bytes();
        header.attributes = header
            .attributes
            .with_timestamp_type(TimestampType::LogAppendTime);
        header.max_timestamp_ms = now_ms;
        bytes[start + 21..start + 23].copy_from_slice(&header.attributes.bits().to_be_bytes());
        bytes[start + 35..start + 43].copy_from_slice(&now_ms.to_be_bytes());
        header.crc = crc32c(&bytes[start + CRC_START..end]);
        bytes[start + 17..start + 21].copy_from_slice(&header.crc.to_be_bytes());
        start = end;
    }
    bytes.freeze()
}
