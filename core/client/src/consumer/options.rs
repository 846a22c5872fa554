//! The batch sizes and the end of a stream.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use headwater_record::Offset;
use parking_lot::Mutex;

use crate::batch::TopicPartition;
use crate::choice;
use crate::error::{Error, ErrorKind, Result};

/// End offsets, exclusive.
pub(crate) type Ends = BTreeMap<TopicPartition, Offset>;

/// The end of a [`BatchStream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Never; it waits for new records.
    #[default]
    Forever,
    /// At the end of each partition at the time of the first call. A new member of a group first waits for all
    /// partitions that its group assigns to it; each ends where it ended when it was assigned.
    End,
}

impl FromStr for Until {
    type Err = Error;

    /// `forever` or `end`.
    fn from_str(given: &str) -> Result<Self> {
        let choices = [("forever", Self::Forever), ("end", Self::End)];
        choice::parse("until", given, &choices)
    }
}

/// The limits of a [`BatchStream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// The maximum records in a table.
    pub max_records: usize,
    /// The maximum fetched bytes in a table; a single fetch of one partition may exceed it.
    pub max_bytes: usize,
    /// The maximum time to wait for more records after the first.
    pub max_wait: Duration,
    /// The end of the stream.
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

/// A stream of tables, read with [`Consumer::next_batch`](super::Consumer::next_batch). Each stream of a consumer has
/// its own end offsets. Clones refer to the same stream.
#[derive(Debug, Clone)]
pub struct BatchStream {
    options: BatchOptions,
    ends: Arc<Mutex<Arc<Ends>>>,
}

impl BatchStream {
    /// A new stream. Fails if a limit is 0.
    pub fn new(options: BatchOptions) -> Result<Self> {
        require_positive("max_records", options.max_records, "record")?;
        require_positive("max_bytes", options.max_bytes, "byte")?;
        Ok(Self {
            options,
            ends: Arc::default(),
        })
    }

    /// The stream of messages that are read one by one: returns available records at once.
    pub(super) fn for_messages() -> Self {
        Self {
            options: BatchOptions {
                max_wait: Duration::ZERO,
                ..BatchOptions::default()
            },
            ends: Arc::default(),
        }
    }

    /// Its limits.
    pub fn options(&self) -> &BatchOptions {
        &self.options
    }

    /// Whether both are the same stream.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ends, &other.ends)
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.options.until == Until::Forever
    }

    /// The end offsets fixed so far; `None` if it never ends.
    pub(super) fn ends(&self) -> Option<Arc<Ends>> {
        (!self.is_endless()).then(|| Arc::clone(&self.ends.lock()))
    }

    /// Sets the end offsets of more partitions.
    pub(super) fn fix(&self, ends: Ends) {
        Arc::make_mut(&mut self.ends.lock()).extend(ends);
    }
}

/// Rejects a limit of 0.
pub(super) fn require_positive(name: &str, limit: usize, of: &str) -> Result<()> {
    if limit > 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("{name} must be at least 1: a batch has at least one {of}."),
    ))
}
