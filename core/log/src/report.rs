//! The report of opening a log.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use headwater_record::Offset;

/// The changes that [`PartitionLog::open`](crate::PartitionLog::open) made to recover the log, and the damage it found.
/// `Display` prints it for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The partition's directory.
    pub directory: PathBuf,
    /// The number of segments that were read completely.
    pub segments_checked: usize,
    /// The number of bytes that were read.
    pub bytes_checked: u64,
    /// The truncated end, if there was one.
    pub cut: Option<Cut>,
    /// Segments that contained no whole batch, did not belong to the log and were removed: base offset and size.
    pub segments_removed: Vec<(Offset, u64)>,
    /// Missing offsets. The log starts after them, and the segments before them were set aside.
    pub missing: Option<Range<Offset>>,
    /// Segments with records that no longer belong to the log; their log files are kept under another name.
    pub set_aside: Vec<SetAside>,
    /// Index files that were missing or wrong and were rebuilt from the log.
    pub indexes_rebuilt: Vec<String>,
    /// Damage that was left in place: reading the damaged batch returns an error, reading any other works.
    pub damage: Vec<Damage>,
    /// The base offsets of cleaned segments that were on disk and now replace those they were made from.
    pub swaps_completed: Vec<Offset>,
    /// Left-overs that were removed: deleted segments, temporary files.
    pub files_removed: Vec<String>,
}

/// The truncated end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The base offset of the segment.
    pub segment: Offset,
    /// The new end position of its log file.
    pub position: u64,
    /// The number of bytes that were removed.
    pub bytes: u64,
    /// The new end of the log.
    pub log_end_offset: Offset,
    /// The fault of the batch at the position.
    pub reason: String,
    /// Whether whole batches followed and were removed too. Then the cause was damage, not a torn end.
    pub had_batches: bool,
}

/// A segment that recovery took out of the log, because offsets are missing between it and the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The base offset of the segment.
    pub segment: Offset,
    /// The size of its log file.
    pub bytes: u64,
    /// The new path of the log file.
    pub path: PathBuf,
}

/// A batch that was fsynced and has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The base offset of the segment.
    pub segment: Offset,
    /// The position in its log file.
    pub position: u64,
    /// A description of the fault.
    pub reason: String,
}

impl RecoveryReport {
    /// Whether the log needed no repair and has no damage.
    pub fn is_clean(&self) -> bool {
        self.cut.is_none()
            && self.segments_removed.is_empty()
            && self.missing.is_none()
            && self.set_aside.is_empty()
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
            write!(
                out,
                "; completed the swap of the cleaned segment {base_offset}"
            )?;
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
            if cut.had_batches {
                write!(out, " (whole batches after the damage were cut off too)")?;
            }
        }
        if let Some(missing) = &self.missing {
            let (start, end) = (missing.start, missing.end);
            write!(
                out,
                "; offsets {start} to {end} are missing, so the log starts at {end}"
            )?;
        }
        for aside in &self.set_aside {
            write!(
                out,
                "; segment {} ({} bytes) no longer belongs to the log and was kept as {}",
                aside.segment,
                aside.bytes,
                aside.path.display()
            )?;
        }
        for (base_offset, bytes) in &self.segments_removed {
            write!(
                out,
                "; removed segment {base_offset} ({bytes} bytes), which held no whole batch"
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
