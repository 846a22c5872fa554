//! The isolation level of reads.

use std::str::FromStr;

use crate::choice;
use crate::error::{Error, Result};

/// Kafka's `isolation.level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IsolationLevel {
    /// Only records of committed transactions, and records outside of transactions.
    #[default]
    ReadCommitted,
    /// All records, also those of open and aborted transactions.
    ReadUncommitted,
}

impl IsolationLevel {
    /// The number on the wire.
    pub(crate) const fn wire(self) -> i8 {
        match self {
            Self::ReadUncommitted => 0,
            Self::ReadCommitted => 1,
        }
    }
}

impl FromStr for IsolationLevel {
    type Err = Error;

    /// `read_committed` or `read_uncommitted`.
    fn from_str(given: &str) -> Result<Self> {
        let choices = [
            ("read_committed", Self::ReadCommitted),
            ("read_uncommitted", Self::ReadUncommitted),
        ];
        choice::parse("isolation_level", given, &choices)
    }
}
