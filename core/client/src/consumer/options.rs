//! How a stream of tables is cut.

use std::time::Duration;

/// When [`Consumer::next_batch`](super::Consumer::next_batch) stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Never: it waits for more.
    #[default]
    Forever,
    /// At the end of each partition as it was at the first call.
    End,
}

/// How [`Consumer::next_batch`](super::Consumer::next_batch) cuts the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// Records in a table at most.
    pub max_records: usize,
    /// Fetched bytes behind a table at most, beyond what one fetch brings from one partition.
    pub max_bytes: usize,
    /// How long to wait for a fuller table once there is something.
    pub max_wait: Duration,
    /// When to stop.
    pub until: Until,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_records: 65_536,
            max_bytes: 16 << 20,
            max_wait: Duration::from_millis(100),
            until: Until::Forever,
        }
    }
}
