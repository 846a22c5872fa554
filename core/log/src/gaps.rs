//! Whether offsets may be missing between two batches.

use headwater_record::Offset;

use crate::config::LogConfig;

/// The meaning of missing offsets between two batches. Only compaction removes records from the middle of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gaps {
    Allowed,
    Damage,
}

impl Gaps {
    /// For a log with this policy that may have been cleaned before.
    pub(crate) fn of(config: &LogConfig, was_cleaned: bool) -> Self {
        if config.cleanup_policy.compact || was_cleaned {
            Self::Allowed
        } else {
            Self::Damage
        }
    }

    /// Whether a batch may begin at `base_offset` if `next_offset` is expected.
    pub(crate) fn allow(self, next_offset: Offset, base_offset: Offset) -> bool {
        base_offset == next_offset || (self == Self::Allowed && base_offset > next_offset)
    }
}
