//! Periodic tasks: flushing, retention, compaction, checkpoints.

mod checkpoints;
pub(crate) mod cleaner;
mod schedule;

use std::sync::{Arc, Weak};
use std::time::Duration;

use headwater_env::Env;
use tokio::runtime::Handle;

use crate::deletion::Urgency;
use crate::partition::{Partition, Role};
use crate::state::State;
use schedule::Schedule;

pub(crate) use schedule::Task;

/// Runs housekeeping until the broker is closed or dropped. It holds no reference to the broker between rounds.
pub(crate) async fn run<E: Env>(state: Weak<State<E>>, runtime: Handle) {
    const LONGEST_WAIT: Duration = Duration::from_secs(1);
    let Some(first) = state.upgrade() else { return };
    let mut schedule = Schedule::starting(first.env.monotonic());
    let closing = Arc::clone(&first.closing);
    drop(first);
    loop {
        let Some(wait) = state
            .upgrade()
            .map(|state| schedule.wait(state.env.monotonic(), &state.config()))
        else {
            return;
        };
        tokio::select! {
            () = closing.notified() => return,
            () = tokio::time::sleep(wait.min(LONGEST_WAIT)) => {}
        }
        let Some(state) = state.upgrade().filter(|state| state.is_open()) else {
            return;
        };
        let due = schedule.take_due(state.env.monotonic(), &state.config());
        if due.is_empty() {
            continue;
        }
        // File I/O is synchronous and must not block the threads that handle requests.
        let round = runtime.spawn_blocking(move || state.run_tasks(&due));
        if let Err(error) = round.await {
            tracing::error!(%error, "a round of housekeeping failed; the next one continues");
        }
    }
}

impl<E: Env> State<E> {
    /// Runs `tasks`. A failure is logged, affects one partition, and is retried in the next round.
    pub(crate) fn run_tasks(&self, tasks: &[Task]) {
        if self.check_files().is_err() {
            return;
        }
        // A partition that is read-only after a failed fsync was reported at that time, and accepts no change until it
        // is reopened.
        let mut partitions = self.topics.partitions();
        partitions.retain(|partition| partition.log().poisoned().is_none());
        for task in tasks {
            if !self.is_open() {
                return;
            }
            match task {
                Task::Flush => self.flush_round(&partitions),
                Task::Retention => partitions
                    .iter()
                    .for_each(|partition| self.apply_retention(partition)),
                Task::ExpireProducers => self.expire_producers(&partitions),
                Task::ExpireOffsets => self.expire_offsets(),
                Task::RecoveryCheckpoint => self.write_recovery_points(),
                Task::StartCheckpoint => self.write_log_starts(),
            }
        }
    }

    /// Applies retention to one partition.
    pub(crate) fn apply_retention(&self, partition: &Partition<E>) {
        match partition.apply_retention(self.env.wall_clock_ms()) {
            Ok(segments) => {
                for segment in segments {
                    tracing::info!(
                        topic = %partition.topic, partition = %partition.id, base_offset = %segment.base_offset,
                        bytes = segment.size_bytes, reason = ?segment.reason, "a segment was removed"
                    );
                    self.counters.count(&segment);
                }
            }
            Err(error) => failed(partition, "retention", &error),
        }
    }

    fn flush_round(&self, partitions: &[Arc<Partition<E>>]) {
        let now_ms = self.env.wall_clock_ms();
        for partition in partitions {
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
        self.remove_deleted_directories(Urgency::WhenDue);
        self.watch_free_space();
        self.free_storage(0);
    }

    fn expire_producers(&self, partitions: &[Arc<Partition<E>>]) {
        let now_ms = self.env.wall_clock_ms();
        for partition in partitions {
            partition.log().expire_producers(now_ms);
        }
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
