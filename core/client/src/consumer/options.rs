//! How a stream of tables is cut, and where it ends.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use headwater_record::Offset;
use parking_lot::Mutex;

use crate::batch::TopicPartition;
use crate::choice;
use crate::error::{Error, ErrorKind, Result};

/// Offsets at which reading stops, exclusive.
pub(crate) type Ends = BTreeMap<TopicPartition, Offset>;

/// When a [`BatchStream`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Never: it waits for more.
    #[default]
    Forever,
    /// At the end of each partition as it was at the stream's first call.
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

/// How a [`BatchStream`] is cut.
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

/// Tables that are asked for one after the other, with [`Consumer::next_batch`](super::Consumer::next_batch). Each stream of a consumer
/// has an end of its own. Clones are the same stream.
#[derive(Debug, Clone)]
pub struct BatchStream {
    options: BatchOptions,
    ends: Arc<Mutex<Arc<Ends>>>,
}

impl BatchStream {
    /// A new stream. Refuses options that let no record through.
    pub fn new(options: BatchOptions) -> Result<Self> {
        refuse_none("max_records", options.max_records, "record")?;
        refuse_none("max_bytes", options.max_bytes, "byte")?;
        Ok(Self {
            options,
            ends: Arc::default(),
        })
    }

    /// How it is cut.
    pub fn options(&self) -> &BatchOptions {
        &self.options
    }

    /// Whether both are the same stream.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ends, &other.ends)
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.options.until == Until::Forever
    }

    /// The ends that are fixed; `None` if it never ends.
    pub(super) fn ends(&self) -> Option<Arc<Ends>> {
        (!self.is_endless()).then(|| Arc::clone(&self.ends.lock()))
    }

    /// Fixes the ends of more partitions.
    pub(super) fn fix(&self, ends: Ends) {
        Arc::make_mut(&mut self.ends.lock()).extend(ends);
    }
}

/// Refuses a limit of 0, which no table could keep.
pub(super) fn refuse_none(name: &str, limit: usize, of: &str) -> Result<()> {
    if limit > 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("{name} is 0: a batch has at least one {of}."),
    ))
}
