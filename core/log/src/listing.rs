//! Lists the files in a partition's directory.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use headwater_env::{DirEntry, EntryKind, Env};
use headwater_record::Offset;

use crate::error::FileError;
use crate::file_name::{self, FileKind, FileName};
use crate::segment::FileLengths;

/// A segment in the listing of the directory.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct ListedSegment {
    pub(crate) lengths: FileLengths,
    pub(crate) modified_ms: i64,
    has_log: bool,
    has_offset_index: bool,
    has_time_index: bool,
}

impl ListedSegment {
    /// Whether a sealed segment has an index that is missing or cannot be the one that was written.
    pub(crate) fn lacks_index(&self) -> bool {
        !self.has_offset_index
            || !self.has_time_index
            // A sealed segment's time index ends with its greatest timestamp.
            || (self.lengths.log > 0 && self.lengths.time_index == 0)
    }

    /// Whether the log file of a sealed segment was emptied. If it had never had a record, its time index would be
    /// empty too.
    pub(crate) fn is_emptied(&self) -> bool {
        self.lengths.log == 0 && self.lengths.time_index > 0
    }

    fn add(&mut self, kind: FileKind, len: u64, modified_ms: i64) {
        match kind {
            FileKind::Log => {
                self.has_log = true;
                self.lengths.log = len;
                self.modified_ms = modified_ms;
            }
            FileKind::OffsetIndex => {
                self.has_offset_index = len.is_multiple_of(8);
                self.lengths.offset_index = len;
            }
            FileKind::TimeIndex => {
                self.has_time_index = len.is_multiple_of(12);
                self.lengths.time_index = len;
            }
            FileKind::TransactionIndex => self.lengths.transaction_index = len,
            FileKind::ProducerSnapshot => {}
        }
    }
}

/// The segments of a directory.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Segments with a log file.
    pub(crate) segments: BTreeMap<Offset, ListedSegment>,
    /// Segments that had only index files, which were removed.
    pub(crate) without_log: Vec<Offset>,
}

/// The current entries of the directory. A symbolic link in place of one of our files is an error: writes could go
/// anywhere.
pub(crate) fn entries<E: Env>(env: &E, dir: &Path) -> Result<Vec<DirEntry>, FileError> {
    let entries = env
        .read_dir(dir)
        .map_err(|source| FileError::new("list", dir, source))?;
    let is_link = |entry: &&DirEntry| {
        entry.kind == EntryKind::Link && file_name::parse(&entry.name) != FileName::Other
    };
    match entries.iter().find(is_link) {
        None => Ok(entries),
        Some(link) => {
            let source = io::Error::other("it is a symbolic link, which is not followed");
            Err(FileError::new("open", dir.join(&link.name), source))
        }
    }
}

/// The segments among the directory's entries that have a log file. Removes left-overs and adds their names to
/// `removed`; those of a cleaning must be handled before ([`swap::complete`](crate::cleaner::swap::complete)).
pub(crate) fn list<E: Env>(
    env: &E,
    dir: &Path,
    entries: &[DirEntry],
    removed: &mut Vec<String>,
) -> Result<Listing, FileError> {
    let mut listed: BTreeMap<Offset, ListedSegment> = BTreeMap::new();
    for entry in entries {
        match file_name::parse(&entry.name) {
            FileName::LeftOver => remove(env, dir, entry, removed)?,
            FileName::Segment(_, FileKind::ProducerSnapshot)
            | FileName::Swap(..)
            | FileName::Cleaned(_)
            | FileName::Other => {}
            FileName::Segment(offset, kind) => {
                let path = dir.join(&entry.name);
                let metadata = env
                    .metadata(&path)
                    .map_err(|source| FileError::new("open", path, source))?;
                if let Some(metadata) = metadata {
                    let segment = listed.entry(offset).or_default();
                    segment.add(kind, metadata.len, metadata.modified_ms);
                }
            }
        }
    }
    for entry in entries {
        // A crash between two removals leaves an index without its log.
        if let FileName::Segment(offset, kind) = file_name::parse(&entry.name)
            && kind != FileKind::ProducerSnapshot
            && listed.get(&offset).is_some_and(|segment| !segment.has_log)
        {
            remove(env, dir, entry, removed)?;
        }
    }
    let without_log = listed.extract_if(.., |_, segment| !segment.has_log);
    Ok(Listing {
        without_log: without_log.map(|(offset, _)| offset).collect(),
        segments: listed,
    })
}

/// Removes a file and records its name.
pub(crate) fn remove<E: Env>(
    env: &E,
    dir: &Path,
    entry: &DirEntry,
    removed: &mut Vec<String>,
) -> Result<(), FileError> {
    let path = dir.join(&entry.name);
    env.remove_file(&path)
        .map_err(|source| FileError::new("remove", path, source))?;
    removed.push(entry.name.clone());
    Ok(())
}
