//! Reads cached parts of a log file through mmap, without a copy.
//!
//! The first read of a range returns a slice of a window: a map of the next few mebibytes, which is released after the
//! reads have passed it. A range that is read a second time is likely to be read again: it gets a slice of a map of the
//! whole file, which stays, so that its page tables stay filled.
//!
//! Invariant: mapped bytes are whole batches, and nothing changes or truncates them while a map is alive. Appends write
//! after them; deleted files are unlinked, which keeps maps valid; and truncations must go through [`Maps::cut`].

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::mutants::{self, Mutant};

/// The size of a window. With 1 MiB, reads take 10 to 17 % longer, because each unmapping interrupts the other
/// processors. 32 MiB is not faster and counts more memory to the process.
const WINDOW_BYTES: u64 = 8 << 20;

/// The maps of one log file, including replaced ones that are still in use.
#[derive(Default)]
pub(crate) struct Maps {
    state: Mutex<State>,
}

/// Maps a range of the file; `None` if it cannot be mapped.
type MapFile<'a> = &'a dyn Fn(Range<u64>) -> io::Result<Option<Bytes>>;

#[derive(Default)]
struct State {
    /// A map from the start of the file, for repeated reads.
    whole: Option<Map>,
    /// A map around the last first-time read.
    window: Option<Map>,
    /// The end of the bytes that were read at least once.
    read_to: u64,
    /// Whether a map was used since the last check.
    used: bool,
    /// Each live map holds a clone.
    token: Arc<()>,
}

/// A mapped range of the file from `start` on.
struct Map {
    start: u64,
    bytes: Bytes,
}

impl Map {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn slice(&self, range: &Range<u64>) -> Option<Bytes> {
        let is_in = self.start <= range.start && range.end <= self.end();
        let place = |position: u64| (position - self.start) as usize;
        is_in.then(|| self.bytes.slice(place(range.start)..place(range.end)))
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

/// Whether a map of the file is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alive {
    No,
    Yes,
}

impl Maps {
    /// Maps the bytes of `range` of a file of `size` bytes. Returns `None` if `map` does; then the caller must read
    /// them.
    pub(crate) fn read(
        &self,
        range: Range<u64>,
        size: impl FnOnce() -> u64,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Bytes>> {
        let mut state = self.state.lock();
        // After a truncation that this reader has not seen, the bytes may not exist.
        let size = size();
        if range.end > size {
            return Ok(None);
        }
        state.used = true;
        if state.is_read_again(&range)
            && let Some(bytes) = state.in_whole(&range, size, &map)?
        {
            return Ok(Some(bytes));
        }
        state.in_window(&range, size, &map)
    }

    /// Releases the maps unless one was used since the last call.
    pub(crate) fn release_if_idle(&self) {
        let mut state = self.state.lock();
        if !std::mem::take(&mut state.used) {
            state.release();
        }
    }

    /// Truncates the file at `end` through `cut`, which gets whether maps are alive. No map is created meanwhile.
    pub(crate) fn cut<T>(&self, end: u64, cut: impl FnOnce(Alive) -> T) -> T {
        let mut state = self.state.lock();
        state.release();
        state.read_to = state.read_to.min(end);
        let alive = match Arc::get_mut(&mut state.token) {
            None if !mutants::is_active(Mutant::CutUnderMap) => Alive::Yes,
            _ => Alive::No,
        };
        cut(alive)
    }
}

impl State {
    /// Records a read. Returns whether the bytes were read before.
    fn is_read_again(&mut self, range: &Range<u64>) -> bool {
        let again = range.end <= self.read_to;
        self.read_to = self.read_to.max(range.end);
        again
    }

    /// A slice of the map of the whole file. If it does not include `range`, it is replaced only when the file has
    /// grown by half: a new map starts with empty page tables.
    fn in_whole(
        &mut self,
        range: &Range<u64>,
        size: u64,
        map: MapFile<'_>,
    ) -> io::Result<Option<Bytes>> {
        let mapped = self.whole.as_ref().map_or(0, Map::end);
        if range.end > mapped && size >= mapped + mapped / 2 {
            self.release();
            self.whole = self.map(0..size, map)?;
        }
        Ok(slice(self.whole.as_ref(), range))
    }

    /// A slice of the window. A window that does not include `range` is replaced by one that begins there.
    fn in_window(
        &mut self,
        range: &Range<u64>,
        size: u64,
        map: MapFile<'_>,
    ) -> io::Result<Option<Bytes>> {
        if let Some(bytes) = slice(self.window.as_ref(), range) {
            return Ok(Some(bytes));
        }
        self.window = None;
        let end = range.end.max(range.start + WINDOW_BYTES).min(size);
        self.window = self.map(range.start..end, map)?;
        Ok(slice(self.window.as_ref(), range))
    }

    fn map(&self, range: Range<u64>, map: MapFile<'_>) -> io::Result<Option<Map>> {
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

fn slice(map: Option<&Map>, range: &Range<u64>) -> Option<Bytes> {
    map.and_then(|map| map.slice(range))
}

impl fmt::Debug for Maps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Maps")
            .field("whole", &state.whole.as_ref().map(Map::end))
            .field(
                "window",
                &state.window.as_ref().map(|map| map.start..map.end()),
            )
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A file of zeros, and the ranges of it that were mapped.
    #[derive(Default)]
    struct MappedFile {
        maps: Maps,
        mapped: Mutex<Option<Range<u64>>>,
    }

    impl MappedFile {
        /// Reads some mebibytes of a file of `size` mebibytes. Returns the mebibytes that were newly mapped.
        fn read(&self, range: Range<u64>, size: u64) -> Option<Range<u64>> {
            let range = range.start * MIB..range.end * MIB;
            let map = |range: Range<u64>| {
                let bytes = vec![0; (range.end - range.start) as usize];
                let before = self
                    .mapped
                    .lock()
                    .replace(range.start / MIB..range.end / MIB);
                assert_eq!(before, None, "one map is enough for a read");
                Ok(Some(Bytes::from(bytes)))
            };
            let bytes = self.maps.read(range.clone(), || size * MIB, map).unwrap();
            assert_eq!(bytes.unwrap().len() as u64, range.end - range.start);
            self.mapped.lock().take()
        }
    }

    #[test]
    fn a_first_read_goes_through_windows() {
        let file = MappedFile::default();
        assert_eq!(file.read(1..2, 20), Some(1..9));
        for start in 2..8 {
            assert_eq!(file.read(start..start + 1, 20), None);
        }
        assert_eq!(file.read(8..10, 20), Some(8..16));
        assert_eq!(file.read(16..17, 20), Some(16..20));
    }

    #[test]
    fn a_read_that_is_larger_than_a_window_gets_one_of_its_size() {
        assert_eq!(MappedFile::default().read(0..12, 20), Some(0..12));
    }

    #[test]
    fn a_repeated_read_maps_the_whole_file_once() {
        let file = MappedFile::default();
        file.read(0..10, 10);
        assert_eq!(file.read(0..1, 10), Some(0..10));
        assert_eq!(file.read(9..10, 10), None);
        assert_eq!(file.read(4..5, 10), None);
    }

    #[test]
    fn a_file_that_has_grown_a_little_is_not_mapped_anew() {
        let file = MappedFile::default();
        file.read(0..10, 10);
        file.read(0..10, 10);
        assert_eq!(file.read(10..14, 14), Some(10..14));
        assert_eq!(file.read(10..14, 14), None);
        assert_eq!(file.read(14..15, 15), Some(14..15));
        assert_eq!(file.read(10..14, 15), Some(0..15));
    }

    #[test]
    fn bytes_past_the_end_of_the_file_are_not_mapped() {
        let read = Maps::default().read(0..2, || 1, |range| panic!("{range:?}"));
        assert_eq!(read.unwrap(), None);
    }

    #[test]
    fn a_truncation_learns_whether_maps_are_alive() {
        let file = MappedFile::default();
        let map = |range: Range<u64>| Ok(Some(Bytes::from(vec![0; range.end as usize])));
        let held = file.maps.read(0..10, || 10, map).unwrap();
        assert_eq!(file.maps.cut(5, |alive| alive), Alive::Yes);
        drop(held);
        assert_eq!(file.maps.cut(5, |alive| alive), Alive::No);
    }

    #[test]
    fn maps_without_use_between_two_checks_are_released() {
        let file = MappedFile::default();
        file.read(0..1, 1);
        file.read(0..1, 1);
        file.maps.release_if_idle();
        assert_eq!(file.read(0..1, 1), None);
        file.maps.release_if_idle();
        file.maps.release_if_idle();
        assert_eq!(file.read(0..1, 1), Some(0..1));
    }
}
