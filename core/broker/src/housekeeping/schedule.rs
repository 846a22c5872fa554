//! The schedule of housekeeping tasks. Pure: it takes the time and the intervals.

use std::time::Duration;

use headwater_metadata::BrokerConfig;

/// A housekeeping task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// Check that log files still exist, flush logs according to `flush.ms`, close old segments, delete files after
    /// their delay, enforce the storage limits.
    Flush,
    /// Apply `retention.ms` and `retention.bytes`.
    Retention,
    /// Checkpoint the recovery points.
    RecoveryCheckpoint,
    /// Checkpoint the log start offsets.
    StartCheckpoint,
    /// Expire producer ids.
    ExpireProducers,
    /// Expire committed offsets.
    ExpireOffsets,
}

impl Task {
    /// All tasks, in the order of a round.
    pub(crate) const ALL: [Self; 6] = [
        Self::Flush,
        Self::Retention,
        Self::ExpireProducers,
        Self::ExpireOffsets,
        Self::RecoveryCheckpoint,
        Self::StartCheckpoint,
    ];

    fn interval(self, config: &BrokerConfig) -> Duration {
        // An interval of 0 would spin.
        Duration::from_millis(match self {
            Self::Flush => config.flush_check_interval_ms,
            Self::Retention => config.retention_check_interval_ms,
            Self::RecoveryCheckpoint => config.recovery_checkpoint_interval_ms,
            Self::StartCheckpoint => config.start_checkpoint_interval_ms,
            Self::ExpireProducers => config.producer_expiration_check_interval_ms,
            Self::ExpireOffsets => config.offsets_retention_check_interval_ms,
        })
        .max(Duration::from_millis(1))
    }
}

/// When each task ran last.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    last: [Duration; Task::ALL.len()],
}

impl Schedule {
    /// All tasks are due one interval after `now`.
    pub(crate) const fn starting(now: Duration) -> Self {
        Self {
            last: [now; Task::ALL.len()],
        }
    }

    /// Returns the tasks that are due and marks them as run at `now`.
    pub(crate) fn take_due(&mut self, now: Duration, config: &BrokerConfig) -> Vec<Task> {
        let mut due = Vec::new();
        for (task, last) in Task::ALL.into_iter().zip(&mut self.last) {
            if now.saturating_sub(*last) >= task.interval(config) {
                *last = now;
                due.push(task);
            }
        }
        due
    }

    /// The time until the next task is due.
    pub(crate) fn wait(&self, now: Duration, config: &BrokerConfig) -> Duration {
        let waits = Task::ALL.into_iter().zip(self.last).map(|(task, last)| {
            last.saturating_add(task.interval(config))
                .saturating_sub(now)
        });
        waits.min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> BrokerConfig {
        let ms = [
            ("log.flush.scheduler.interval.ms", "10"),
            ("log.retention.check.interval.ms", "30"),
            ("log.flush.offset.checkpoint.interval.ms", "0"),
        ];
        BrokerConfig::parse(ms).unwrap()
    }

    #[test]
    fn a_task_is_due_once_in_each_interval() {
        let config = config();
        let at = Duration::from_millis;
        let mut schedule = Schedule::starting(at(100));
        assert_eq!(schedule.take_due(at(100), &config), []);
        assert_eq!(
            schedule.take_due(at(110), &config),
            [Task::Flush, Task::RecoveryCheckpoint]
        );
        assert_eq!(schedule.take_due(at(110), &config), []);
        assert_eq!(
            schedule.take_due(at(130), &config),
            [Task::Flush, Task::Retention, Task::RecoveryCheckpoint]
        );
    }

    #[test]
    fn the_wait_ends_when_the_next_task_is_due() {
        let config = config();
        let schedule = Schedule::starting(Duration::ZERO);
        assert_eq!(
            schedule.wait(Duration::ZERO, &config),
            Duration::from_millis(1)
        );
        assert_eq!(
            schedule.wait(Duration::from_secs(9), &config),
            Duration::ZERO
        );
    }
}
