//! Narrows a scan to the part that a query needs.

use headwater_columnar::Column;
use headwater_record::{Offset, PartitionId};

use super::Scan;

/// The part of a scan that a query needs. Ranges have an inclusive start and an exclusive end; `None` is unbounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// These columns. A name that is not a column of the scan's records is a field of the value.
    pub columns: Option<Vec<String>>,
    /// Only these partitions, which need not exist.
    pub partitions: Option<Vec<PartitionId>>,
    /// Only records from this offset on, in every partition.
    pub offset_from: Option<Offset>,
    /// Only records before this offset, in every partition.
    pub offset_until: Option<Offset>,
    /// Skips earlier records where the time index and batch headers allow it. Some earlier records may be returned.
    pub timestamp_from_ms: Option<i64>,
    /// Skips records with this timestamp or a later one where batch headers allow it. Some later records may be
    /// returned.
    pub timestamp_until_ms: Option<i64>,
    /// Stop after this many records.
    pub limit: Option<u64>,
}

impl Scan {
    /// The part of this scan within `bounds`, which replace those of an earlier call, except that the smallest limit
    /// stays. Bounds of a column that the scan does not read do not apply: a field of the value may have the same name.
    ///
    /// Only the columns and the limit of `bounds` apply to a scan that has a limit, because its limit counts records
    /// before a query selects some of them.
    #[must_use]
    pub fn narrow(&self, bounds: Bounds) -> Self {
        let mut options = self.options.clone();
        let read = options.decode.columns.clone();
        if let Some(columns) = bounds.columns {
            options.decode.columns = read.narrowed(&columns, options.decode.unnest);
        }
        if let Some(limit) = options.limit {
            options.limit = Some(bounds.limit.map_or(limit, |smaller| limit.min(smaller)));
            return self.with_options(options);
        }
        if read.contains(Column::Partition) {
            options.partitions_within = bounds.partitions;
        }
        if read.contains(Column::Offset) {
            options.offset_from = bounds.offset_from;
            options.offset_until = bounds.offset_until;
        }
        if read.contains(Column::Timestamp) {
            options.timestamp_from_ms = bounds.timestamp_from_ms;
            options.timestamp_until_ms = bounds.timestamp_until_ms;
        }
        options.limit = bounds.limit;
        self.with_options(options)
    }
}
