//! What opening a log found and did, in words.

use std::fmt;
use std::ops::Range;
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
    /// Segments that held no whole batch, did not belong to the log, and were removed: base offset and bytes.
    pub segments_removed: Vec<(Offset, u64)>,
    /// Missing offsets. The log starts after them, and the segments before them were set aside.
    pub missing: Option<Range<Offset>>,
    /// Segments with records that no longer belong to the log; their log files are kept under another name.
    pub set_aside: Vec<SetAside>,
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
    /// Whether whole batches followed and were cut off too: the cause was damage, not a torn end.
    pub had_batches: bool,
}

/// A segment that recovery took out of the log, because offsets are missing between it and the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Base offset of the segment.
    pub segment: Offset,
    /// Bytes of its log file.
    pub bytes: u64,
    /// Where the log file is now.
    pub path: PathBuf,
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
