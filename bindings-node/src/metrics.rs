//! The counters of an engine.

use headwater::{DeletionCounts, Deletions};

/// Names as Kafka makes them, and counts since the engine was opened.
pub(crate) fn metrics(counts: DeletionCounts) -> Vec<(String, f64)> {
    let reasons = [
        ("retention-time", counts.retention_time),
        ("retention-size", counts.retention_size),
        ("delete-records", counts.delete_records),
        ("exhaustion", counts.exhaustion),
    ];
    let of_reason = |(reason, Deletions { segments, bytes }): (&str, Deletions)| {
        [
            (format!("{reason}-deleted-segments-total"), segments as f64),
            (format!("{reason}-deleted-bytes-total"), bytes as f64),
        ]
    };
    reasons.into_iter().flat_map(of_reason).collect()
}
