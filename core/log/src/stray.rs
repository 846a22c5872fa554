//! Takes segments out of the log during recovery: renames a segment with records to `.stray`, and removes one without.

use std::io;
use std::path::PathBuf;

use headwater_env::Env;
use headwater_record::find_batch;

use crate::error::FileError;
use crate::file_name::{FileKind, STRAY_SUFFIX};
use crate::mutants::{self, Mutant};
use crate::report::{RecoveryReport, SetAside};
use crate::segment::Segment;

/// The number of bytes of a segment that are searched for a whole batch.
const SEARCHED_BYTES: u64 = 16 << 20;

/// Takes a segment out of the log, durably. If it contains a whole batch, its log file is renamed to `.stray`; such a
/// file is never read or removed.
pub(crate) fn set_aside<E: Env>(
    segment: &Segment<E>,
    report: &mut RecoveryReport,
) -> Result<(), FileError> {
    let bytes = segment.size();
    if mutants::is_active(Mutant::RemoveBehindGap) || !holds_batches(segment, 0)? {
        report.segments_removed.push((segment.base_offset(), bytes));
        return remove_segment(segment);
    }
    let from = segment.path(FileKind::Log);
    let path = free_name(segment)?;
    segment
        .env()
        .rename(&from, &path)
        .map_err(|source| FileError::new("rename", from, source))?;
    report.set_aside.push(SetAside {
        segment: segment.base_offset(),
        bytes,
        path,
    });
    remove_segment(segment)
}

/// The first unused `.stray` name.
fn free_name<E: Env>(segment: &Segment<E>) -> Result<PathBuf, FileError> {
    let log = segment.path(FileKind::Log);
    let mut number = 1;
    loop {
        let mut name = log.clone().into_os_string();
        name.push(STRAY_SUFFIX);
        if number > 1 {
            name.push(number.to_string());
        }
        let path = PathBuf::from(name);
        match segment.env().metadata(&path) {
            Ok(None) => return Ok(path),
            Ok(Some(_)) => number += 1,
            Err(source) => return Err(FileError::new("open", path, source)),
        }
    }
}

/// Whether a whole batch begins in the [`SEARCHED_BYTES`] after `position`.
pub(crate) fn holds_batches<E: Env>(
    segment: &Segment<E>,
    position: u64,
) -> Result<bool, FileError> {
    let len = segment.size().saturating_sub(position).min(SEARCHED_BYTES);
    let bytes = segment.file().read_up_to(position, len as usize)?;
    Ok(find_batch(&bytes, 0).is_some())
}

/// Removes the files of a segment durably. The log file goes first: the next open removes an index without a log file.
fn remove_segment<E: Env>(segment: &Segment<E>) -> Result<(), FileError> {
    for kind in FileKind::ALL {
        let path = segment.path(kind);
        match segment.env().remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(FileError::new("remove", path, source)),
        }
    }
    let path = segment.path(FileKind::Log);
    match path.parent() {
        Some(dir) => segment
            .env()
            .sync_dir(dir)
            .map_err(|source| FileError::new("sync", dir, source)),
        None => Ok(()),
    }
}
