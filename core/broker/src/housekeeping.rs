//! Periodic tasks: flushing, retention, compaction, checkpoints.

pub(crate) mod cleaner;
mod schedule;

use std::sync::{Arc, Weak};
use std::time::Duration;

use headwater_env::Env;
use tokio::runtime::Handle;

use crate::partition::{Partition, Role};
use crate::partitions::{Partitions, Urgency};
use crate::state::State;
use schedule::Schedule;

pub(crate) use schedule::Task;

/// Runs housekeeping until the broker is closed or dropped. It holds no reference to the broker between rounds.
pub(crate) async fn run<E: Env>(state: Weak<State<E>>, runtime: Handle) {
    const LONGEST_WAIT: Duration = Duration::from_secs(1);
    let Some(first) = state.upgrade() else { return };
    let mut schedule = Schedule::starting(first.partitions.env.monotonic());
    let closing = Arc::clone(first.lifecycle.closing());
    drop(first);
    loop {
        let Some(wait) = state.upgrade().map(|state| {
            schedule.wait(state.partitions.env.monotonic(), &state.controller.config())
        }) else {
            return;
        };
        tokio::select! {
            () = closing.notified() => return,
            () = tokio::time::sleep(wait.min(LONGEST_WAIT)) => {}
        }
        let Some(state) = state.upgrade().filter(|state| state.lifecycle.is_open()) else {
            return;
        };
        let due = schedule.take_due(state.partitions.env.monotonic(), &state.controller.config());
        if due.is_empty() {
            continue;
        }
        // File I/O is synchronous and must not block the threads that handle requests.
        let round = runtime.spawn_blocking(move || run_tasks(&state, &due));
        if let Err(error) = round.await {
            tracing::error!(%error, "a round of housekeeping failed; the next one continues");
        }
    }
}

/// Runs `tasks`. A failure is logged, affects one partition, and is retried in the next round.
pub(crate) fn run_tasks<E: Env>(state: &State<E>, tasks: &[Task]) {
    if state.directory_watch.check_files().is_err() {
        return;
    }
    let partitions = &state.partitions;
    // A partition that is read-only after a failed fsync was reported at that time, and accepts no change until it is
    // reopened.
    let mut usable = partitions.all();
    usable.retain(|partition| partition.log().poisoned().is_none());
    for task in tasks {
        if !state.lifecycle.is_open() {
            return;
        }
        match task {
            Task::Flush => {
                flush_round(partitions, &usable);
                state.storage.watch_free_space();
                state.storage.free_storage(0);
            }
            Task::Retention => usable
                .iter()
                .for_each(|partition| apply_retention(partitions, partition)),
            Task::ExpireProducers => expire_producers(partitions, &usable),
            Task::ExpireOffsets => state.groups.expire_offsets(),
            Task::RecoveryCheckpoint => partitions.write_recovery_points(),
            Task::StartCheckpoint => partitions.write_log_starts(),
        }
    }
}

/// Applies retention to one partition.
fn apply_retention<E: Env>(partitions: &Partitions<E>, partition: &Partition<E>) {
    match partition.apply_retention(partitions.env.wall_clock_ms()) {
        Ok(segments) => {
            for segment in segments {
                tracing::info!(
                    topic = %partition.topic, partition = %partition.id, base_offset = %segment.base_offset,
                    bytes = segment.size_bytes, reason = ?segment.reason, "a segment was removed"
                );
                partitions.counters.count(&segment);
            }
        }
        Err(error) => failed(partition, "retention", &error),
    }
}

fn flush_round<E: Env>(partitions: &Partitions<E>, usable: &[Arc<Partition<E>>]) {
    let now_ms = partitions.env.wall_clock_ms();
    for partition in usable {
        if let Err(error) = partition.log().check_active_file() {
            failed(partition, "a look at the log file", &error);
            continue;
        }
        if let Err(error) = partition.log().flush_if_due() {
            failed(partition, "flush", &error);
        }
        if let Err(error) = partition.log().roll_if_due(now_ms) {
            failed(partition, "roll", &error);
        }
        if let Err(error) = partition.log().delete_due_files() {
            failed(partition, "removal of deleted files", &error);
        }
    }
    partitions.remove_deleted_directories(Urgency::WhenDue);
}

fn expire_producers<E: Env>(partitions: &Partitions<E>, usable: &[Arc<Partition<E>>]) {
    let now_ms = partitions.env.wall_clock_ms();
    for partition in usable {
        partition.log().expire_producers(now_ms);
    }
}

/// Logs a failure at error level, or at debug level if the partition was deleted: then its files were renamed and the
/// work is obsolete.
fn failed<E: Env>(partition: &Partition<E>, what: &str, error: &dyn std::error::Error) {
    if partition.leadership().role == Role::Gone {
        tracing::debug!(topic = %partition.topic, partition = %partition.id, what, error = %error, "the partition was deleted");
        return;
    }
    tracing::error!(topic = %partition.topic, partition = %partition.id, what, error = %error, "housekeeping failed");
}
