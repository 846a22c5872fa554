//! The isolation level of reads.

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
