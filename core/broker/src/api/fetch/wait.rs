//! Waiting for records.

use std::sync::Arc;

use headwater_env::Env;
use tokio::time::{Instant, timeout_at};

use crate::partition::{Partition, Role};
use crate::waiters::Waiter;

/// Registers a fetch with its partitions' notifications until it is dropped.
pub(super) struct Registration<'a, E: Env> {
    waiter: Arc<Waiter>,
    partitions: Vec<&'a Arc<Partition<E>>>,
}

/// A point in the growth of the partitions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(u64);

/// The reason why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitResult {
    /// The partitions may have enough records now.
    Woken,
    /// The deadline has passed.
    TimedOut,
}

impl<'a, E: Env> Registration<'a, E> {
    /// Registers with all `partitions`.
    pub(super) fn new(partitions: impl Iterator<Item = &'a Arc<Partition<E>>>) -> Self {
        let registration = Self {
            waiter: Arc::default(),
            partitions: partitions.collect(),
        };
        for partition in &registration.partitions {
            partition.waiters.add(&registration.waiter);
        }
        registration
    }

    /// The number of bytes appended to the partitions up to now.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.bytes_appended())
    }

    /// Returns when the partitions together have grown by `bytes` since `mark`, when one of them is gone, or at
    /// `deadline`.
    pub(super) async fn grown_since(
        &self,
        mark: Mark,
        bytes: usize,
        deadline: Instant,
    ) -> WaitResult {
        while self.bytes_appended() - mark.0 < bytes as u64 && !self.any_gone() {
            if timeout_at(deadline, self.waiter.woken()).await.is_err() {
                return WaitResult::TimedOut;
            }
        }
        WaitResult::Woken
    }

    fn bytes_appended(&self) -> u64 {
        self.partitions
            .iter()
            .map(|partition| partition.bytes_appended())
            .sum()
    }

    fn any_gone(&self) -> bool {
        self.partitions
            .iter()
            .any(|partition| partition.leadership().role == Role::Gone)
    }
}

impl<E: Env> Drop for Registration<'_, E> {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.waiters.remove(&self.waiter);
        }
    }
}
