//! Deletes the oldest records when storage is exhausted. Produce fails only if no record may be deleted.

mod choice;
mod free_space;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use headwater_env::Env;
use headwater_log::{DeletedSegment, DeletionReason, LogConfig};
use headwater_metadata::{BrokerConfig, OnStorageFull, is_internal_topic};
use headwater_record::Offset;
use parking_lot::{Mutex, RwLock};

use crate::controller::Controller;
use crate::partition::{Partition, Role};
use crate::partitions::{Partitions, Urgency};
use choice::{Candidate, Candidates, choose};

/// Keeps the storage of all partitions within its limits.
#[derive(Debug)]
pub(crate) struct Storage<E: Env> {
    controller: Arc<Controller<E>>,
    partitions: Arc<Partitions<E>>,
    /// One thread frees space; others wait for it.
    relief: Mutex<()>,
    exhausted: AtomicBool,
    /// Whether the limits were checked since the broker was opened.
    was_checked: AtomicBool,
    reason: RwLock<Option<Arc<str>>>,
    appended_since_check: AtomicU64,
    /// Whether the warning about the nearly full disk was logged.
    is_low: AtomicBool,
}

/// No segment may be deleted and nothing can be appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StorageExhausted(pub(crate) Arc<str>);

/// The missing space and the limit that it exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pressure {
    /// The bytes to free to stay below the limit for a while.
    wanted: u64,
    /// The bytes to free to continue at all.
    needed: u64,
    limit: Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Budget { used: u64, max: u64 },
    Disk { free: u64, min: u64 },
}

impl<E: Env> Storage<E> {
    /// The storage of `partitions`, with the limits of the broker's configuration.
    pub(crate) fn new(controller: Arc<Controller<E>>, partitions: Arc<Partitions<E>>) -> Self {
        Self {
            controller,
            partitions,
            relief: Mutex::new(()),
            exhausted: AtomicBool::new(false),
            was_checked: AtomicBool::new(false),
            reason: RwLock::new(None),
            appended_since_check: AtomicU64::new(0),
            is_low: AtomicBool::new(false),
        }
    }

    /// Whether a produce may be tried. The first call checks the limits. While storage is exhausted each call does, so
    /// writing resumes automatically.
    pub(crate) fn admit_append(&self) -> Result<(), StorageExhausted> {
        let is_exhausted = self.exhausted.load(Ordering::Relaxed);
        if !is_exhausted && self.was_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.free_storage(0);
        match &*self.reason.read() {
            Some(reason) => Err(StorageExhausted(Arc::clone(reason))),
            None => Ok(()),
        }
    }

    /// Counts appended bytes. Checks the limits each time a certain amount has been appended.
    pub(crate) fn count_appended(&self, bytes: u64) {
        let config = self.controller.config();
        if config.storage_bytes_max.is_none() && config.storage_free_bytes_min == 0 {
            return;
        }
        let since = self
            .appended_since_check
            .fetch_add(bytes, Ordering::Relaxed)
            + bytes;
        if since >= check_interval_bytes(&config) {
            self.free_storage(0);
        }
    }

    /// Frees space to meet the limits, and at least `disk_short` bytes, which the disk refused.
    pub(crate) fn free_storage(&self, disk_short: u64) {
        let _one_at_a_time = self.relief.lock();
        self.appended_since_check.store(0, Ordering::Relaxed);
        self.was_checked.store(true, Ordering::Relaxed);
        let pressure = self.pressure(disk_short);
        let Some(pressure) = pressure else {
            return self.storage_suffices();
        };
        self.partitions.remove_deleted_directories(Urgency::Now);
        let on_full = self.controller.config().storage_on_full;
        let mut freed = self.drop_deleted();
        if on_full == OnStorageFull::Delete {
            freed += self.drop_oldest(pressure.wanted.saturating_sub(freed));
        }
        if freed >= pressure.needed {
            self.storage_suffices();
        } else {
            self.storage_exhausted(&pressure, on_full);
        }
    }

    /// Deletes segments below the log start offset without waiting for the next retention check. Returns the freed
    /// bytes.
    fn drop_deleted(&self) -> u64 {
        let partitions = self.partitions.all();
        let usable = partitions.iter().filter(|partition| may_change(partition));
        usable
            .map(|partition| self.drop_segments(partition, partition.log().log_start_offset()))
            .sum()
    }

    /// Deletes the oldest segments of all partitions until `bytes` are freed or none may be deleted. Returns the freed
    /// bytes.
    fn drop_oldest(&self, bytes: u64) -> u64 {
        let partitions = self.partitions.all();
        let choice = choose(&candidates(&partitions), bytes);
        let drop_from =
            |(at, log_start): (usize, Offset)| self.drop_segments(&partitions[at], log_start);
        choice.log_starts.into_iter().map(drop_from).sum()
    }

    /// The missing space; `None` if the limits are met.
    fn pressure(&self, disk_short: u64) -> Option<Pressure> {
        let config = self.controller.config();
        let used: u64 = self
            .partitions
            .all()
            .iter()
            .map(|partition| partition.log().size_in_bytes())
            .sum();
        let free = self.free_bytes(&config, disk_short);
        pressure(&config, used, free, disk_short)
    }

    fn free_bytes(&self, config: &BrokerConfig, disk_short: u64) -> u64 {
        if config.storage_free_bytes_min == 0 && disk_short == 0 {
            return u64::MAX;
        }
        let directory = self.partitions.directory();
        let Some(directory) = &*directory else {
            return u64::MAX;
        };
        match self.partitions.env.disk_space(directory.path()) {
            Ok(space) => space.free_bytes,
            Err(error) => {
                tracing::warn!(%error, "the free space of the disk is unknown; headwater.storage.min.free.bytes is not enforced");
                u64::MAX
            }
        }
    }

    /// Removes the sealed segments that end at or before `log_start` from a log and deletes their files. Returns their
    /// bytes.
    fn drop_segments(&self, partition: &Partition<E>, log_start: Offset) -> u64 {
        let _turn = self.partitions.log_config_turn();
        let log = partition.log();
        let usual = log.config();
        log.update_config(LogConfig {
            file_delete_delay_ms: 0,
            ..usual.clone()
        });
        let mut freed = 0;
        loop {
            match log.delete_oldest_segment(log_start) {
                Ok(Some(segment)) => {
                    warn_of_loss(partition, &segment);
                    self.partitions.counters.count(&segment);
                    freed += segment.size_bytes;
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(topic = %partition.topic, partition = %partition.id, %error, "the oldest records cannot be removed");
                    break;
                }
            }
        }
        if let Err(error) = log.delete_due_files() {
            tracing::error!(topic = %partition.topic, partition = %partition.id, %error, "the files of deleted records could not be removed yet");
        }
        log.update_config(usual);
        freed
    }

    fn storage_suffices(&self) {
        if self.exhausted.swap(false, Ordering::Relaxed) {
            *self.reason.write() = None;
            tracing::info!("storage is available again: produce is accepted");
        }
    }

    fn storage_exhausted(&self, pressure: &Pressure, on_full: OnStorageFull) {
        let reason = pressure.message(on_full);
        if !self.exhausted.load(Ordering::Relaxed) {
            tracing::error!(%reason, "produce is refused");
        }
        *self.reason.write() = Some(Arc::from(reason));
        self.exhausted.store(true, Ordering::Relaxed);
    }
}

/// The number of appended bytes between two checks of the limits.
fn check_interval_bytes(config: &BrokerConfig) -> u64 {
    const LEAST: u64 = 16 << 10;
    const MOST: u64 = 16 << 20;
    config
        .storage_bytes_max
        .map_or(MOST, |max| (max / 64).clamp(LEAST, MOST))
}

fn pressure(config: &BrokerConfig, used: u64, free: u64, disk_short: u64) -> Option<Pressure> {
    let headroom = check_interval_bytes(config);
    if let Some(max) = config.storage_bytes_max {
        let wanted = used.saturating_add(headroom).saturating_sub(max);
        if wanted > 0 {
            let needed = used.saturating_sub(max);
            return Some(Pressure {
                wanted,
                needed,
                limit: Limit::Budget { used, max },
            });
        }
    }
    let min = config.storage_free_bytes_min;
    if free < min || disk_short > 0 {
        let needed = min.saturating_sub(free).max(disk_short);
        return Some(Pressure {
            wanted: needed.saturating_add(headroom),
            needed,
            limit: Limit::Disk { free, min },
        });
    }
    None
}

impl Pressure {
    fn message(&self, on_full: OnStorageFull) -> String {
        let what = match self.limit {
            Limit::Budget { used, max } => format!(
                "the data directory holds {used} bytes and headwater.storage.max.bytes is {max}"
            ),
            Limit::Disk { free, min } => format!(
                "the disk has {free} bytes free and headwater.storage.min.free.bytes is {min}"
            ),
        };
        match on_full {
            OnStorageFull::Delete => format!(
                "storage is exhausted: {what}, and no closed segment of a topic with cleanup.policy=delete is left to remove. \
                 Delete topics or records, lower segment.bytes so that segments close earlier, free space on the disk, or change the limit; \
                 writing then resumes by itself"
            ),
            OnStorageFull::Fail => format!(
                "storage is exhausted: {what}, and headwater.storage.on.full=fail keeps all records. \
                 Delete topics or records, free space on the disk, or change the limit; writing then resumes by itself"
            ),
        }
    }
}

/// Logs that records were deleted before their retention ended.
fn warn_of_loss<E: Env>(partition: &Partition<E>, segment: &DeletedSegment) {
    if segment.reason == DeletionReason::Exhaustion {
        tracing::warn!(
            topic = %partition.topic, partition = %partition.id, base_offset = %segment.base_offset,
            end_offset = %segment.end_offset, bytes = segment.size_bytes,
            "storage is exhausted: the oldest records were removed before their retention ended; headwater.storage.on.full=fail keeps them and lets produce fail"
        );
    }
}

/// Whether segments of the log may be removed.
fn may_change<E: Env>(partition: &Partition<E>) -> bool {
    partition.leadership().role != Role::Gone && partition.log().poisoned().is_none()
}

/// The segments that may be deleted: sealed ones of user topics with `cleanup.policy=delete`.
fn candidates<E: Env>(partitions: &[Arc<Partition<E>>]) -> Vec<Candidates> {
    let may_lose = |partition: &Partition<E>| {
        partition.config().cleanup_policy.delete
            && !is_internal_topic(&partition.topic)
            && may_change(partition)
    };
    let of = |(index, partition): (usize, &Arc<Partition<E>>)| {
        let segments = partition.log().segments();
        let sealed = segments.iter().take_while(|segment| !segment.is_active);
        let segments = sealed.map(|segment| Candidate {
            next_offset: segment.end_offset,
            bytes: segment.size_bytes,
            max_timestamp_ms: segment.max_timestamp_ms.unwrap_or(segment.modified_ms),
        });
        Candidates {
            partition: index,
            segments: segments.collect(),
        }
    };
    partitions
        .iter()
        .enumerate()
        .filter(|(_, partition)| may_lose(partition))
        .map(of)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> BrokerConfig {
        BrokerConfig::parse(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn without_limits_there_is_no_pressure() {
        assert_eq!(pressure(&config(&[]), u64::MAX, 0, 0), None);
    }

    #[test]
    fn a_budget_frees_space_before_it_is_exhausted_and_refuses_only_beyond_it() {
        let config = config(&[("headwater.storage.max.bytes", "6400000")]);
        assert_eq!(pressure(&config, 6_300_000, 0, 0), None);
        let near = pressure(&config, 6_390_000, 0, 0).unwrap();
        assert_eq!((near.wanted, near.needed), (90_000, 0));
        let beyond = pressure(&config, 6_400_001, 0, 0).unwrap();
        assert_eq!((beyond.wanted, beyond.needed), (100_001, 1));
    }

    #[test]
    fn a_disk_that_is_too_full_needs_the_missing_bytes() {
        let config = config(&[("headwater.storage.min.free.bytes", "1000")]);
        assert_eq!(pressure(&config, 0, 1000, 0), None);
        assert_eq!(pressure(&config, 0, 990, 0).unwrap().needed, 10);
        assert_eq!(pressure(&config, 0, 990, 500).unwrap().needed, 500);
    }
}
