//! What opening a log found and did, in words.

use std::fmt;
use std::path::PathBuf;

use headwater_record::Offset;

/// What [`PartitionLog::open`](crate::PartitionLog::open) did to make the log whole. Its `Display` is for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The partition's directory.
    pub directory: PathBuf,
    /// Segments whose every batch was read and its CRC checked.
    pub segments_checked: usize,
    /// Bytes so read.
    pub bytes_checked: u64,
    /// The end that was cut off, if any.
    pub cut: Option<Cut>,
    /// Segments after the cut, which went with it: base offset and bytes.
    pub segments_removed: Vec<(Offset, u64)>,
    /// Index files that were missing or wrong and were made again from the log.
    pub indexes_rebuilt: Vec<String>,
    /// Damage that was found and left in place: a reader gets an error there, and everything else.
    pub damage: Vec<Damage>,
    /// Cleaned segments that were on disk and now are in the place of those they were made from: their base offsets.
    pub swaps_completed: Vec<Offset>,
    /// Left-overs of earlier work that were removed: deleted segments, temporary files.
    pub files_removed: Vec<String>,
}

/// A tail that held no whole valid batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Base offset of the segment.
    pub segment: Offset,
    /// Where its log file ends now.
    pub position: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
    /// Where the log ends now.
    pub log_end_offset: Offset,
    /// Why the batch at the position is not one.
    pub reason: String,
}

/// A batch, already fsynced once, whose bytes have changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Base offset of the segment.
    pub segment: Offset,
    /// Where in its log file.
    pub position: u64,
    /// What is wrong.
    pub reason: String,
}

impl RecoveryReport {
    /// Was there nothing to repair and nothing damaged?
    pub fn is_clean(&self) -> bool {
        self.cut.is_none()
            && self.segments_removed.is_empty()
            && self.indexes_rebuilt.is_empty()
            && self.damage.is_empty()
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: checked {} segments ({} bytes)",
            self.directory.display(),
            self.segments_checked,
            self.bytes_checked
        )?;
        for base_offset in &self.swaps_completed {
            write!(out, "; put the cleaned segment {base_offset} in its place")?;
        }
        if self.is_clean() {
            return write!(out, ", all well");
        }
        if let Some(cut) = &self.cut {
            write!(
                out,
                "; cut {} bytes off segment {} at byte {} because {}; the log ends at offset {}",
                cut.bytes, cut.segment, cut.position, cut.reason, cut.log_end_offset
            )?;
        }
        for (base_offset, bytes) in &self.segments_removed {
            write!(
                out,
                "; removed segment {base_offset} ({bytes} bytes), which followed the cut"
            )?;
        }
        for name in &self.indexes_rebuilt {
            write!(out, "; rebuilt {name}")?;
        }
        for damage in &self.damage {
            write!(
                out,
                "; segment {} is damaged at byte {}: {}",
                damage.segment, damage.position, damage.reason
            )?;
        }
        Ok(())
    }
}
