//! Checks the integrity of the metadata log before it is opened. Changes nothing.
//!
//! Recovery truncates a partition's log at the first invalid batch. That is right for a torn end, but it could lose
//! topics here. Each change is durable before the next one begins, so a crash leaves at most one torn batch, at the
//! end. Everything else is damage.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_env::Env;
use headwater_record::{BatchError, Offset, RecordBatch, batches, find_batch};

/// Why the metadata log must not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("at byte {position}: {what}")]
    Damage {
        segment: PathBuf,
        position: usize,
        what: String,
    },
    #[error("it ends at offset {end}, but it was flushed up to {recovery_point}")]
    Short { end: Offset, recovery_point: Offset },
}

/// Checks the log in `dir`, which was flushed up to `recovery_point`. Returns the log end offset: 0 if the log is
/// empty.
pub(crate) fn check<E: Env>(
    env: &E,
    dir: &Path,
    recovery_point: Offset,
) -> Result<Offset, CheckError> {
    let segments = segments(env, dir)?;
    let mut end = Offset::ZERO;
    for (index, (segment, bytes)) in segments.iter().enumerate() {
        let Err(position) = whole_batches(bytes, &mut end) else {
            continue;
        };
        let is_followed = find_batch(bytes, position + 1).is_some()
            || segments[index + 1..]
                .iter()
                .any(|(_, bytes)| find_batch(bytes, 0).is_some());
        // A batch with a valid CRC is not torn: its offset is wrong.
        let is_whole = whole_batch(bytes, position).is_ok();
        if is_followed || is_whole || end < recovery_point {
            return Err(CheckError::Damage {
                segment: segment.clone(),
                position,
                what: what(bytes, position, end, is_followed),
            });
        }
    }
    if end < recovery_point {
        return Err(CheckError::Short {
            end,
            recovery_point,
        });
    }
    Ok(end)
}

/// The log files in order; none if the directory does not exist.
fn segments<E: Env>(env: &E, dir: &Path) -> Result<Vec<(PathBuf, Bytes)>, CheckError> {
    let entries = match env.read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut segments = Vec::new();
    for entry in entries {
        let path = dir.join(&entry.name);
        if path.extension().is_some_and(|kind| kind == "log") {
            let bytes = env.read_file(&path)?.unwrap_or_default();
            segments.push((path, bytes));
        }
    }
    Ok(segments)
}

/// Reads batches from `end` on and advances `end`. The error is the position of a missing or invalid batch.
fn whole_batches(bytes: &Bytes, end: &mut Offset) -> Result<(), usize> {
    let mut position = 0;
    while position < bytes.len() {
        match whole_batch(bytes, position) {
            Ok(batch) if batch.header().base_offset == *end => {
                *end = batch.header().next_offset();
                position += batch.bytes().len();
            }
            _ => return Err(position),
        }
    }
    Ok(())
}

/// The batch at the position, with a valid CRC.
fn whole_batch(bytes: &Bytes, position: usize) -> Result<RecordBatch, BatchError> {
    let rest = bytes.slice(position..);
    let (needed, available) = (rest.len() + 1, rest.len());
    let batch = batches(&rest)
        .next()
        .unwrap_or(Err(BatchError::Truncated { needed, available }))?;
    batch.verify_crc()?;
    Ok(batch)
}

fn what(bytes: &Bytes, position: usize, end: Offset, is_followed: bool) -> String {
    let what = match whole_batch(bytes, position) {
        Ok(batch) => format!("offset {} follows offset {end}", batch.header().base_offset),
        Err(BatchError::Truncated { .. }) => "the change there is truncated".to_owned(),
        Err(error) => error.to_string(),
    };
    if is_followed {
        format!("{what}, and complete changes follow")
    } else {
        what
    }
}
