//! The replica from which a leader lets a partition be read (KIP-392). No I/O.

use std::time::Duration;

use tokio::time::Instant;

use crate::mutants::{self, Mutant};

/// A replica to read from until the lease ends. Then the next fetch goes to the leader, which may choose a better one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PreferredReplica {
    node: i32,
    until: Instant,
}

impl PreferredReplica {
    pub(crate) fn new(node: i32, lease: Duration) -> Self {
        Self {
            node,
            until: Instant::now() + lease,
        }
    }

    /// The replica, unless the lease has ended.
    pub(crate) fn current(self) -> Option<i32> {
        let is_current =
            Instant::now() < self.until || mutants::is_active(Mutant::KeepExpiredReplica);
        is_current.then_some(self.node)
    }
}
