//! Recovers the state of producers from the newest snapshot and the batches after it.

use std::path::Path;

use headwater_env::Env;
use headwater_record::{BatchHeader, Offset};

use crate::control_records::control_record;
use crate::error::{FileError, ReadError};
use crate::file_name::{self, FileKind, FileName};
use crate::producer_snapshot;
use crate::producer_state::ProducerStates;
use crate::segment::Segment;
use crate::view::LogView;

/// The newest readable snapshot at or before `limit`, and its offset. Removes unreadable ones.
pub(crate) fn newest_snapshot<E: Env>(
    env: &E,
    dir: &Path,
    limit: Offset,
) -> Result<Option<(Offset, ProducerStates)>, FileError> {
    let entries = env
        .read_dir(dir)
        .map_err(|source| FileError::new("list", dir, source))?;
    for entry in entries.iter().rev() {
        let FileName::Segment(offset, FileKind::ProducerSnapshot) = file_name::parse(&entry.name)
        else {
            continue;
        };
        if offset > limit {
            continue;
        }
        let path = dir.join(&entry.name);
        let bytes = env
            .read_file(&path)
            .map_err(|source| FileError::new("read", &path, source))?;
        match producer_snapshot::decode(&bytes.unwrap_or_default()) {
            Ok(states) => return Ok(Some((offset, states))),
            Err(what) => {
                tracing::warn!(path = %path.display(), what, "a producer snapshot is damaged; using an older one");
                env.remove_file(&path)
                    .map_err(|source| FileError::new("remove", &path, source))?;
            }
        }
    }
    Ok(None)
}

/// The state of the producers at the end of the view.
pub(crate) fn rebuild_producers<E: Env>(view: &LogView<E>) -> Result<ProducerStates, ReadError> {
    let first = &view.segments().list()[0];
    let (env, log) = (first.env(), first.path(FileKind::Log));
    let dir = log.parent().unwrap_or(Path::new("."));
    let (from, mut states) = newest_snapshot(env, dir, view.log_end_offset())?
        .unwrap_or_else(|| (Offset::ZERO, ProducerStates::default()));
    replay(view, from, &mut states)?;
    Ok(states)
}

/// Replays the batches from `from` to the end of the view into the state.
pub(crate) fn replay<E: Env>(
    view: &LogView<E>,
    from: Offset,
    states: &mut ProducerStates,
) -> Result<(), ReadError> {
    let from = from.max(view.log_start_offset());
    if from >= view.log_end_offset() {
        return Ok(());
    }
    let Some(found) = view.find(from)? else {
        return Ok(());
    };
    let mut start = found.position;
    for index in found.segment..view.segments().list().len() {
        let segment = &view.segments().list()[index];
        let mut walk = segment.walk(start, view.limit(index))?;
        while let Some((position, header)) = segment.step(&mut walk)? {
            replay_batch(segment, position, &header, states)?;
        }
        start = 0;
    }
    Ok(())
}

fn replay_batch<E: Env>(
    segment: &Segment<E>,
    position: u64,
    header: &BatchHeader,
    states: &mut ProducerStates,
) -> Result<(), ReadError> {
    if header.producer_id.is_none() {
        return Ok(());
    }
    let control = if header.attributes.is_control() {
        control_record(segment.read_batch(position, header)?.into_bytes()).ok()
    } else {
        None
    };
    states.replay(header, control);
    Ok(())
}
