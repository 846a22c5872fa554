//! The report of opening a directory.

use headwater::{OpenReport, RecoveredPartition as Recovered, TopicPartition as Partition};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::convert::partitions::{self, TopicPartition};

/// The report of opening a directory: its last owner did not close it, or something was missing or damaged.
#[napi(object, object_from_js = false)]
pub struct RecoveryReport {
    /// Whether the last owner closed it.
    pub clean_shutdown: bool,
    /// The duration of the opening, in milliseconds.
    pub elapsed_ms: f64,
    /// Partitions that were truncated, whose indexes were rebuilt, or that have damage.
    pub recovered: Vec<RecoveredPartition>,
    /// Partitions whose directory was missing.
    pub missing: Vec<TopicPartition>,
    /// Checkpoint files that could not be read and were rebuilt.
    pub damaged_checkpoints: Vec<String>,
    /// Directories of unknown topics, which were not changed.
    pub strays: Vec<String>,
}

/// The recovery of a partition.
#[napi(object, object_from_js = false)]
pub struct RecoveredPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The number of bytes that were truncated at the end, because they were not a whole, valid batch.
    pub truncated_bytes: f64,
    /// The next offset to be written.
    pub log_end_offset: BigInt,
    /// The number of index files that were rebuilt.
    pub rebuilt_indexes: u32,
    /// The whole report as text.
    pub details: String,
}

pub(crate) fn report(found: Option<&OpenReport>) -> Option<RecoveryReport> {
    let found = found.filter(|found| found.has_news())?;
    let paths = |paths: &mut dyn Iterator<Item = &std::path::Path>| {
        paths.map(|path| path.display().to_string()).collect()
    };
    Some(RecoveryReport {
        clean_shutdown: found.clean_shutdown,
        elapsed_ms: found.elapsed.as_secs_f64() * 1e3,
        recovered: found.recovered.iter().map(recovered).collect(),
        missing: found
            .missing
            .iter()
            .map(|(topic, partition)| partitions::to_js(&Partition::new(topic.clone(), *partition)))
            .collect(),
        damaged_checkpoints: paths(&mut found.damaged_checkpoints.iter().map(AsRef::as_ref)),
        strays: paths(&mut found.strays.iter().map(|stray| stray.path.as_ref())),
    })
}

fn recovered(partition: &Recovered) -> RecoveredPartition {
    RecoveredPartition {
        topic: partition.topic.to_string(),
        partition: partition.partition.get(),
        truncated_bytes: partition.truncated_bytes as f64,
        log_end_offset: partition.log_end_offset.get().into(),
        rebuilt_indexes: partition.rebuilt_indexes as u32,
        details: partition.details.to_string(),
    }
}
