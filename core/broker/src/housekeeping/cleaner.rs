//! The log cleaner: compacts the dirtiest log until none is dirty enough, like Kafka's `LogCleaner` with one thread.

use std::cmp::Ordering;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Weak};
use std::time::Duration;

use headwater_env::Env;
use headwater_log::{CheckpointKind, CleanError, Cleanable, Cleaned, Cleaning};
use tokio::runtime::Handle;

use super::failed;
use crate::controller::Controller;
use crate::partition::{Partition, Role};
use crate::partitions::Partitions;
use crate::state::State;

/// Cleans every `log.cleaner.backoff.ms` until the broker is closed or dropped. This is a separate task: a cleaning
/// reads and writes a whole log, and flushes must not wait for it.
pub(crate) async fn run<E: Env>(state: Weak<State<E>>, runtime: Handle) {
    const LONGEST_WAIT: Duration = Duration::from_secs(1);
    let mut rested = Duration::ZERO;
    loop {
        let open = |state: &Arc<State<E>>| state.lifecycle.is_open();
        let Some(backoff_ms) = state
            .upgrade()
            .filter(open)
            .map(|state| state.controller.config().cleaner_backoff_ms)
        else {
            return;
        };
        let backoff = Duration::from_millis(backoff_ms.max(1));
        let wait = backoff.saturating_sub(rested).min(LONGEST_WAIT);
        tokio::time::sleep(wait).await;
        rested += wait;
        if rested < backoff {
            continue;
        }
        rested = Duration::ZERO;
        let Some(state) = state.upgrade().filter(open) else {
            return;
        };
        // File I/O is synchronous and must not block the threads that handle requests.
        let pass = runtime.spawn_blocking(move || clean_logs(&state.controller, &state.partitions));
        if let Err(error) = pass.await {
            tracing::error!(%error, "a round of the cleaner failed; the next one continues");
        }
    }
}

/// A partition that is dirty enough to be cleaned.
#[derive(Debug, Clone, Copy)]
struct Dirty {
    /// An index chosen by the caller.
    partition: usize,
    cleanable: Cleanable,
}

/// The partition with the highest dirty ratio; of equal ones the first.
fn dirtiest(dirty: impl Iterator<Item = Dirty>) -> Option<usize> {
    let ratio = |dirty: &Dirty| dirty.cleanable.dirty_ratio();
    dirty
        .reduce(|best, next| match ratio(&next).total_cmp(&ratio(&best)) {
            Ordering::Greater => next,
            Ordering::Less | Ordering::Equal => best,
        })
        .map(|dirty| dirty.partition)
}

/// Cleans logs, the dirtiest first, until none is dirty enough or the broker is closed. Logs that cannot be cleaned are
/// skipped.
pub(crate) fn clean_logs<E: Env>(controller: &Controller<E>, partitions: &Partitions<E>) {
    if !controller.config().cleaner_enabled {
        return;
    }
    let mut left = partitions.all();
    while partitions.is_open() {
        let now_ms = partitions.env.wall_clock_ms();
        let dirty = (0..left.len()).filter_map(|index| {
            let cleanable = due(&left[index], now_ms)?;
            Some(Dirty {
                partition: index,
                cleanable,
            })
        });
        let Some(index) = dirtiest(dirty) else { return };
        let dedupe_buffer_bytes = controller.config().cleaner_dedupe_buffer_bytes;
        if !clean_log(partitions, &left[index], now_ms, dedupe_buffer_bytes) {
            left.swap_remove(index);
        }
    }
}

/// Cleans one log. Returns whether it is cleaner now.
fn clean_log<E: Env>(
    partitions: &Partitions<E>,
    partition: &Partition<E>,
    now_ms: i64,
    dedupe_buffer_bytes: usize,
) -> bool {
    let log = partition.log();
    if log.cleaner_checkpoint().is_none() {
        // The checkpoint explains the offset gaps of a log that was cleaned and is not compacted any more.
        log.prepare_cleaning();
        if let Err(error) = partitions.checkpoint(CheckpointKind::Cleaner) {
            failed(partition, "the checkpoint of the cleaner", &error);
            return false;
        }
    }
    let checkpointed = log.recovery_point();
    if let Err(error) = partitions.checkpoint(CheckpointKind::RecoveryPoint) {
        failed(partition, "the checkpoint of the recovery points", &error);
        return false;
    }
    let result = log.clean(Cleaning {
        last_stable_offset: partition.last_stable_offset(),
        checkpointed,
        now_wall_ms: now_ms,
        dedupe_buffer_bytes,
        is_stopped: &|| !partitions.is_open(),
    });
    match result {
        Ok(Some(cleaned)) => {
            report(partition, &cleaned);
            partitions.write_cleaner_offsets();
            true
        }
        Ok(None) => false,
        Err(error) => {
            cannot_clean(partition, &error);
            false
        }
    }
}

fn cannot_clean<E: Env>(partition: &Partition<E>, error: &CleanError) {
    if matches!(error, CleanError::Stopped) {
        return;
    }
    failed(partition, "compaction", error);
    if error.is_lasting() {
        partition.uncleanable.store(true, SeqCst);
        tracing::error!(topic = %partition.topic, partition = %partition.id, "the partition is not compacted until the next start");
    }
}

/// The cleanable part of a partition that is dirty enough.
fn due<E: Env>(partition: &Partition<E>, now_ms: i64) -> Option<Cleanable> {
    let log = partition.log();
    if !partition.config().cleanup_policy.compact
        || partition.uncleanable.load(SeqCst)
        || partition.leadership().role == Role::Gone
        || log.poisoned().is_some()
    {
        return None;
    }
    match log.cleanable(partition.last_stable_offset(), now_ms) {
        Ok(cleanable) => cleanable.filter(|cleanable| cleanable.is_due(&log.config())),
        Err(error) => {
            failed(partition, "compaction", &error);
            None
        }
    }
}

fn report<E: Env>(partition: &Partition<E>, cleaned: &Cleaned) {
    tracing::info!(
        topic = %partition.topic, partition = %partition.id, first_dirty_offset = %cleaned.first_dirty_offset, keys = cleaned.keys,
        segments_before = cleaned.before.segments, bytes_before = cleaned.before.bytes,
        segments = cleaned.after.segments, bytes = cleaned.after.bytes, "a log was compacted"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_record::Offset;

    fn dirty(partition: usize, clean_bytes: u64, dirty_bytes: u64) -> Dirty {
        let cleanable = Cleanable {
            first_dirty_offset: Offset::ZERO,
            first_uncleanable_offset: Offset::ZERO,
            clean_bytes,
            dirty_bytes,
            is_overdue: false,
        };
        Dirty {
            partition,
            cleanable,
        }
    }

    #[test]
    fn the_dirtiest_goes_first() {
        let all = [dirty(3, 10, 5), dirty(1, 10, 90), dirty(2, 100, 900)];
        assert_eq!(dirtiest(all.into_iter()), Some(1));
        assert_eq!(dirtiest(std::iter::empty()), None);
    }
}
