//! The maps of one log file.
//!
//! Invariant: mapped bytes are whole batches, and nothing changes or truncates them while a map is alive. Appends write
//! after them; deleted files are unlinked, which keeps maps valid; and truncations must go through [`Maps::cut`].

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::map_policy::{MapChoice, MapPolicy, MappedRanges};
use crate::mutants::{self, Mutant};

/// The maps of one log file, including replaced ones that are still in use.
#[derive(Default)]
pub(super) struct Maps {
    state: Mutex<MapState>,
}

#[derive(Default)]
struct MapState {
    policy: MapPolicy,
    /// A map from the start of the file, for repeated reads.
    whole: Option<Map>,
    /// A map around the last first-time read.
    window: Option<Map>,
    /// Whether a map was used since the last check.
    is_used: bool,
    /// Each live map holds a clone.
    token: Arc<()>,
}

/// A mapped range of the file from `start` on.
struct Map {
    start: u64,
    bytes: Bytes,
}

impl Map {
    fn range(&self) -> Range<u64> {
        self.start..self.start + self.bytes.len() as u64
    }

    /// The bytes of a range of the file; `None` if they are not all in the map.
    fn slice(&self, range: &Range<u64>) -> Option<Bytes> {
        let mapped = self.range();
        let is_in = mapped.start <= range.start && range.end <= mapped.end;
        let index = |position: u64| (position - self.start) as usize;
        is_in.then(|| self.bytes.slice(index(range.start)..index(range.end)))
    }
}

/// The memory of a map and its clone of the token.
struct SharedMap {
    bytes: Bytes,
    _share: Arc<()>,
}

impl AsRef<[u8]> for SharedMap {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether maps of a file are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiveMaps {
    None,
    Some,
}

impl Maps {
    /// Maps the bytes of `range` of a file of `size` bytes. Returns `None` if they cannot or should not be mapped; then
    /// the caller must read them. `map` maps a range of the file, or returns `None`.
    pub(super) fn read(
        &self,
        range: &Range<u64>,
        size: impl FnOnce() -> u64,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Bytes>> {
        let mut state = self.state.lock();
        let mapped = state.mapped_ranges();
        let choice = state.policy.choose(range, size(), &mapped);
        if choice == MapChoice::Copy {
            return Ok(None);
        }
        state.is_used = true;
        let map = match choice {
            MapChoice::Copy => None,
            MapChoice::Whole => state.whole.as_ref(),
            MapChoice::Window => state.window.as_ref(),
            MapChoice::NewWhole(new) => {
                state.release();
                state.whole = state.map(new, map)?;
                state.whole.as_ref()
            }
            MapChoice::NewWindow(new) => {
                state.window = None;
                state.window = state.map(new, map)?;
                state.window.as_ref()
            }
        };
        Ok(map.and_then(|map| map.slice(range)))
    }

    /// Releases the maps unless one was used since the last call.
    pub(super) fn release_if_idle(&self) {
        let mut state = self.state.lock();
        if !std::mem::take(&mut state.is_used) {
            state.release();
        }
    }

    /// Truncates the file at `end` through `cut`. No map is created meanwhile.
    pub(super) fn cut<T>(&self, end: u64, cut: impl FnOnce(LiveMaps) -> T) -> T {
        let mut state = self.state.lock();
        state.release();
        state.policy.cut(end);
        let live = match Arc::get_mut(&mut state.token) {
            None if !mutants::is_active(Mutant::CutUnderMap) => LiveMaps::Some,
            _ => LiveMaps::None,
        };
        cut(live)
    }
}

impl MapState {
    fn mapped_ranges(&self) -> MappedRanges {
        let range = |map: &Option<Map>| map.as_ref().map_or(0..0, Map::range);
        MappedRanges {
            whole: range(&self.whole),
            window: range(&self.window),
        }
    }

    fn map(
        &self,
        range: Range<u64>,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Map>> {
        let start = range.start;
        let shared = |bytes| SharedMap {
            bytes,
            _share: Arc::clone(&self.token),
        };
        Ok(map(range)?.map(|bytes| Map {
            start,
            bytes: Bytes::from_owner(shared(bytes)),
        }))
    }

    fn release(&mut self) {
        self.whole = None;
        self.window = None;
    }
}

impl fmt::Debug for Maps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = self.state.lock().mapped_ranges();
        f.debug_struct("Maps")
            .field("whole", &mapped.whole)
            .field("window", &mapped.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose bytes are the last digits of their positions.
    fn bytes_of(range: Range<u64>) -> Bytes {
        let bytes: Vec<u8> = range.map(|position| (position % 10) as u8).collect();
        Bytes::from(bytes)
    }

    fn read(maps: &Maps, range: Range<u64>) -> Bytes {
        let map = |range| Ok(Some(bytes_of(range)));
        maps.read(&range, || 20, map).unwrap().unwrap()
    }

    fn not_mapped(range: Range<u64>) -> io::Result<Option<Bytes>> {
        panic!("{range:?} is mapped already")
    }

    #[test]
    fn reads_get_the_bytes_of_their_range() {
        let maps = Maps::default();
        assert_eq!(read(&maps, 3..6), [3, 4, 5][..], "from a new window");
        assert_eq!(read(&maps, 12..13), [2][..], "from the window");
        assert_eq!(read(&maps, 0..2), [0, 1][..], "from the whole file");
        assert_eq!(read(&maps, 9..11), [9, 0][..], "from the whole file again");
    }

    #[test]
    fn bytes_past_the_end_of_the_file_are_not_mapped() {
        let read = Maps::default().read(&(0..2), || 1, not_mapped);
        assert_eq!(read.unwrap(), None);
    }

    #[test]
    fn a_file_that_cannot_be_mapped_is_read() {
        let read = Maps::default().read(&(0..2), || 2, |_| Ok(None));
        assert_eq!(read.unwrap(), None);
    }

    #[test]
    fn a_truncation_learns_whether_maps_are_alive() {
        let maps = Maps::default();
        let bytes = read(&maps, 0..10);
        assert_eq!(maps.cut(5, |live| live), LiveMaps::Some);
        drop(bytes);
        assert_eq!(maps.cut(5, |live| live), LiveMaps::None);
    }

    #[test]
    fn maps_without_use_between_two_checks_are_released() {
        let maps = Maps::default();
        read(&maps, 0..10);
        maps.release_if_idle();
        maps.read(&(10..20), || 20, not_mapped).unwrap();
        maps.release_if_idle();
        maps.release_if_idle();
        assert_eq!(maps.cut(20, |live| live), LiveMaps::None);
        assert_eq!(maps.state.lock().mapped_ranges(), MappedRanges::default());
    }
}
