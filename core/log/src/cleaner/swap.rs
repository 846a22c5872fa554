//! Swaps a cleaned segment in for those it was made from. Readers see the change at once; after a crash it happened
//! completely or not at all.
//!
//! ```text
//!   .cleaned   the segment is written and synced
//!   .swap      its files are renamed, the log file last; the directory is synced: from here on the swap is final
//!              the replaced files are removed, except the log file of the same name; the directory is synced
//!   (none)     its files are renamed, the log file last and over the old one; the directory is synced
//! ```
//! The open removes `.cleaned` files and completes a `.log.swap`: it replaces every segment from its own base offset to
//! the end of its last batch. Kafka's `LogLoader` does the same, so a directory can be handed over in any of these
//! states. Segments after that end that have no remaining records are dropped afterwards, oldest first: a crash in
//! between leaves a partly cleaned log.

use std::io;
use std::path::Path;
use std::sync::Arc;

use headwater_env::{DirEntry, Directory, Env, File, OpenMode};
use headwater_record::Offset;

use super::CleanError;
use crate::error::{ChangeError, FileError};
use crate::file_name::{self, FileKind, FileName, Suffix, segment_file};
use crate::header_walk::{HeaderWalk, WalkError};
use crate::listing::{self, remove};
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::report::RecoveryReport;
use crate::segment::Segment;

/// The files of a cleaned segment. The log comes last, because the log file makes the segment exist.
const KINDS: [FileKind; 4] = [
    FileKind::OffsetIndex,
    FileKind::TimeIndex,
    FileKind::TransactionIndex,
    FileKind::Log,
];

impl<E: Env> PartitionLog<E> {
    /// Swaps in a cleaned segment, which is on disk, for `replaced`. After an error the segment is not in the log. If
    /// the next open might complete the swap, the log is read-only until then.
    pub(super) fn swap_in(
        &self,
        cleaned: Segment<E>,
        replaced: &[Arc<Segment<E>>],
    ) -> Result<(), CleanError> {
        let mut lock = self.begin_change().map_err(change_error)?;
        let log = lock.log();
        // Earlier removals must be complete first: their records may be older than those that are removed now.
        log.finish_removals()?;
        let view = log.view().now();
        let Some(range) = view.segments().range_of(replaced) else {
            return Err(CleanError::Overtaken);
        };
        // Readers keep using the open files, whatever their names are.
        replaced
            .iter()
            .try_for_each(|segment| segment.file().keep_open())?;
        // Open it before any change: a swap that runs out of file descriptors half-way could not continue.
        let (env, dir) = (log.env(), log.directory().path());
        let directory = open(env, dir)?;
        lock.note_change();
        let base_offset = cleaned.base_offset();
        rename(env, dir, base_offset, Suffix::Cleaned, Suffix::Swap)?;
        cleaned.set_suffix(Suffix::Swap);
        log.directory().note_change();
        directory.sync().map_err(|source| {
            log.directory()
                .sync_error(FileError::new("sync", dir, source))
        })?;
        let replaced_offsets: Vec<_> = replaced.iter().map(|old| old.base_offset()).collect();
        for segment in replaced {
            segment.set_suffix(Suffix::Deleted);
        }
        finish((env, dir, &directory), base_offset, &replaced_offsets)
            .map_err(|error| log.directory().poison(&error))?;
        cleaned.set_suffix(Suffix::None);
        lock.publish(|view| view.replace(range, Arc::new(cleaned)));
        Ok(())
    }

    /// Removes segments without records from the log, each durably before the next: an older record of a key must be
    /// removed before the record that superseded it.
    pub(super) fn drop_emptied(&self, emptied: &[Arc<Segment<E>>]) -> Result<(), CleanError> {
        if emptied.is_empty() {
            return Ok(());
        }
        let mut lock = self.begin_change().map_err(change_error)?;
        let log = lock.log();
        log.finish_removals()?;
        let view = log.view().now();
        let range = view.segments().range_of(emptied);
        let Some(range) = range.filter(|range| range.start > 0) else {
            return Err(CleanError::Overtaken);
        };
        // Readers keep using the open files.
        emptied
            .iter()
            .try_for_each(|segment| segment.file().keep_open())?;
        lock.note_change();
        lock.publish(|view| view.remove_emptied(range));
        // Oldest first: a tombstone stays as long as the records that it deletes.
        if mutants::is_active(Mutant::DropInAnyOrder) {
            log.removals().add(emptied.iter().rev());
        } else {
            log.removals().add(emptied.iter());
        }
        Ok(log.finish_removals()?)
    }

    /// Whether the log starts with this segment.
    pub(super) fn is_first(&self, segment: &Arc<Segment<E>>) -> bool {
        Arc::ptr_eq(&self.state().view().now().segments().list()[0], segment)
    }

    /// Removes the files of unfinished cleanings. While one of them exists no segment may be swapped in: the next open
    /// would conclude that the swap was not final (KAFKA-6264).
    pub(super) fn remove_unfinished(&self) -> Result<(), FileError> {
        let directory = self.state().directory();
        for entry in listing::entries(directory.env(), directory.path())? {
            if matches!(
                file_name::parse(&entry.name),
                FileName::Cleaned(_) | FileName::Swap(..)
            ) {
                directory.remove(&entry.name)?;
            }
        }
        Ok(())
    }
}

/// Completes or undoes the swaps that a crash interrupted. The report names the completed ones; after a completed swap
/// the directory has other entries.
pub(crate) fn complete<E: Env>(
    env: &E,
    dir: &Path,
    entries: &[DirEntry],
    report: &mut RecoveryReport,
) -> Result<(), FileError> {
    let unfinished = entries
        .iter()
        .filter_map(|entry| match file_name::parse(&entry.name) {
            FileName::Cleaned(offset) => Some(offset),
            _ => None,
        })
        .min();
    let counts = |offset: Offset| unfinished.is_none_or(|unfinished| offset < unfinished);
    let swaps: Vec<_> = entries
        .iter()
        .filter_map(|entry| match file_name::parse(&entry.name) {
            FileName::Swap(offset, FileKind::Log) if counts(offset) => Some(offset),
            _ => None,
        })
        .collect();
    // Remove index files of a swap without its log file, and unfinished cleanings.
    for entry in entries {
        match file_name::parse(&entry.name) {
            FileName::Swap(offset, _) if swaps.contains(&offset) => {}
            FileName::Swap(..) | FileName::Cleaned(_) => {
                remove(env, dir, entry, &mut report.files_removed)?;
            }
            _ => {}
        }
    }
    for base_offset in swaps {
        let end = end_of_swap(env, dir, base_offset)?;
        let directory = open(env, dir)?;
        finish(
            (env, dir, &directory),
            base_offset,
            &within(entries, base_offset, end),
        )?;
        tracing::info!(dir = %dir.display(), %base_offset, %end, "completed the swap of a cleaned segment");
        report.swaps_completed.push(base_offset);
    }
    Ok(())
}

/// The base offsets of the segments with files, from `base_offset` to before `end`.
fn within(entries: &[DirEntry], base_offset: Offset, end: Offset) -> Vec<Offset> {
    let mut offsets: Vec<_> = entries
        .iter()
        .filter_map(|entry| match file_name::parse(&entry.name) {
            FileName::Segment(offset, _) if (base_offset..end).contains(&offset) => Some(offset),
            _ => None,
        })
        .collect();
    offsets.push(base_offset);
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// The offset after the last batch of a `.swap` log file. The file was whole when it was synced; after damage the rest
/// of it is ignored.
fn end_of_swap<E: Env>(env: &E, dir: &Path, base_offset: Offset) -> Result<Offset, FileError> {
    let path = dir.join(segment_file(base_offset, FileKind::Log) + Suffix::Swap.text());
    let failed = |source| FileError::new("read", &path, source);
    let file = env.open_file(&path, OpenMode::Read).map_err(failed)?;
    let len = file.len().map_err(failed)?;
    let mut walk = HeaderWalk::new(Arc::new(file), 0, len).with_next_offset(base_offset);
    let mut end = base_offset;
    loop {
        match walk.next() {
            Ok(Some((_, header))) => end = header.next_offset(),
            Ok(None) => return Ok(end),
            Err(WalkError::Io(source)) => return Err(failed(source)),
            Err(WalkError::NoBatch { position, source }) => {
                tracing::error!(path = %path.display(), position, %source, "a cleaned segment is damaged");
                return Ok(end);
            }
        }
    }
}

/// Completes a final swap. It can be repeated after an interruption at any point.
fn finish<E: Env>(
    (env, dir, directory): (&E, &Path, &E::Directory),
    base_offset: Offset,
    replaced: &[Offset],
) -> Result<(), FileError> {
    for offset in replaced {
        for kind in FileKind::ALL {
            let is_needed = *offset == base_offset
                && matches!(kind, FileKind::Log | FileKind::ProducerSnapshot);
            if !is_needed {
                remove_if_there(env, &dir.join(segment_file(*offset, kind)))?;
            }
        }
    }
    let sync = || {
        directory
            .sync()
            .map_err(|source| FileError::new("sync", dir, source))
    };
    // If the new segment were in place while a replaced one came back, deleted records would return.
    if !mutants::is_active(Mutant::SwapInAnyOrder) {
        sync()?;
    }
    rename(env, dir, base_offset, Suffix::Swap, Suffix::None)?;
    sync()
}

fn open<E: Env>(env: &E, dir: &Path) -> Result<E::Directory, FileError> {
    env.open_dir(dir)
        .map_err(|source| FileError::new("open", dir, source))
}

/// Changes the suffix of the existing files of a segment.
fn rename<E: Env>(
    env: &E,
    dir: &Path,
    base_offset: Offset,
    from: Suffix,
    to: Suffix,
) -> Result<(), FileError> {
    for kind in KINDS {
        let name = segment_file(base_offset, kind);
        let (from, to) = (
            dir.join(name.clone() + from.text()),
            dir.join(name + to.text()),
        );
        match env.rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && kind != FileKind::Log => {}
            Err(source) => return Err(FileError::new("rename", from, source)),
        }
    }
    Ok(())
}

fn remove_if_there<E: Env>(env: &E, path: &Path) -> Result<(), FileError> {
    match env.remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::new("remove", path, source))
        }
        _ => Ok(()),
    }
}

fn change_error(error: ChangeError) -> CleanError {
    match error {
        ChangeError::File(error) => error.into(),
        ChangeError::Read(error) => error.into(),
        ChangeError::Poisoned(poisoned) => poisoned.into(),
        ChangeError::Closed | ChangeError::PastEnd { .. } => CleanError::Stopped,
    }
}
