//! The checkpoint files of a data directory: an offset for each partition.

use std::collections::BTreeMap;

use headwater_record::Offset;

use crate::checkpoint;

/// The checkpoint files of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckpointKind {
    /// `recovery-point-offset-checkpoint`
    RecoveryPoint,
    /// `log-start-offset-checkpoint`
    LogStartOffset,
    /// `cleaner-offset-checkpoint`
    Cleaner,
}

impl CheckpointKind {
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::LogStartOffset => "log-start-offset-checkpoint",
            Self::Cleaner => "cleaner-offset-checkpoint",
        }
    }
}

/// Offsets by topic and partition: the content of a checkpoint.
pub type Offsets = BTreeMap<(String, i32), Offset>;

/// The text of a checkpoint.
pub(super) fn format_offsets(offsets: &Offsets) -> String {
    let lines = offsets
        .iter()
        .map(|((topic, partition), offset)| format!("{topic} {partition} {offset}"));
    checkpoint::format(lines)
}

/// Parses the text of a checkpoint.
pub(super) fn parse_offsets(text: &str) -> Result<Offsets, String> {
    let mut offsets = Offsets::new();
    for line in checkpoint::parse(text)? {
        let words: Vec<&str> = line.split(' ').collect();
        let parsed = match words.as_slice() {
            [topic, partition, offset] => partition.parse().ok().zip(offset.parse().ok()).map(
                |(partition, offset): (i32, i64)| {
                    (((*topic).to_owned(), partition), Offset::new(offset))
                },
            ),
            _ => None,
        };
        let (partition, offset) = parsed.ok_or_else(|| {
            format!("the line {line:?} is not a topic, a partition and an offset")
        })?;
        offsets.insert(partition, offset);
    }
    Ok(offsets)
}
