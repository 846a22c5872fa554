//! The directories of partitions and their names.

use std::path::{Path, PathBuf};

use headwater_env::{DirEntry, EntryKind};

/// The directory of one partition, named `<topic>-<partition>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionDirectory {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// Its path.
    pub path: PathBuf,
}

/// The suffix of the directory of a deleted partition.
const DELETED: &str = "-delete";
/// The longest file name that file systems accept.
pub(super) const NAME_BYTES_MAX: usize = 255;

pub(super) fn partition(directory: &Path, entry: &DirEntry) -> Option<PartitionDirectory> {
    let (topic, partition) = partition_of(&entry.name)?;
    (entry.kind == EntryKind::Dir).then(|| PartitionDirectory {
        topic: topic.to_owned(),
        partition,
        path: directory.join(&entry.name),
    })
}

/// Parses the name of a partition's directory into topic and number.
pub(super) fn partition_of(name: &str) -> Option<(&str, i32)> {
    let (topic, partition) = name.rsplit_once('-')?;
    let is_number = !partition.is_empty() && partition.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number || topic.is_empty() {
        return None;
    }
    Some((topic, partition.parse().ok()?))
}

/// The directory name of a deleted partition. Like Kafka, shortens the topic name if the result would be too long.
pub(super) fn deleted_name(topic: &str, partition: i32, id: [u8; 16]) -> String {
    let suffix = format!("-{partition}.{:032x}{DELETED}", u128::from_be_bytes(id));
    let kept = topic.floor_char_boundary(NAME_BYTES_MAX.saturating_sub(suffix.len()));
    format!("{}{suffix}", &topic[..kept])
}

pub(super) fn is_deleted_partition(entry: &DirEntry) -> bool {
    entry.kind == EntryKind::Dir && entry.name.ends_with(DELETED) && entry.name.contains('.')
}
