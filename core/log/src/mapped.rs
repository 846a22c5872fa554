//! A log file as memory: what is in the system's cache is not copied out of it.
//!
//! A first read gets a slice of a window, a map of the next few mebibytes, which goes when the reading has passed it. What is read again
//! is likely to be read once more: it gets a slice of a map of the whole file, which stays, and with it what the system has already
//! entered in its page tables.
//!
//! Invariant: the bytes under a map are whole batches, which nothing changes or cuts while a map is alive. Appends write behind them;
//! deleted files are unlinked, which leaves them to the maps; and whoever truncates asks here first.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::mutants::{self, Mutant};

/// Bytes of a window. A mebibyte at a time takes a tenth to a sixth longer, as each map that goes interrupts the other processors; 32 MiB
/// takes no less time, and more memory counts as the process's.
const WINDOW_BYTES: u64 = 8 << 20;

/// The maps of one log file, and those that it had before and somebody still holds.
#[derive(Default)]
pub(crate) struct Maps {
    state: Mutex<State>,
}

/// Maps what it is told of the file, or nothing.
type MapFile<'a> = &'a dyn Fn(Range<u64>) -> io::Result<Option<Bytes>>;

#[derive(Default)]
struct State {
    /// The first bytes of the file, for what is read again.
    whole: Option<Map>,
    /// Where the last first read was.
    window: Option<Map>,
    /// Where the bytes end that were read once.
    read_to: u64,
    /// A map was used since it was last asked.
    used: bool,
    /// Each map that is alive holds a share.
    token: Arc<()>,
}

/// Bytes of a file from `start` on.
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

/// The memory of a map and its share.
struct Shared {
    bytes: Bytes,
    _share: Arc<()>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether somebody holds a map of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alive {
    No,
    Yes,
}

impl Maps {
    /// The bytes of `range` of a file of `size` bytes. `map` maps what it is told, or nothing; then the bytes must be read.
    pub(crate) fn read(
        &self,
        range: Range<u64>,
        size: impl FnOnce() -> u64,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Bytes>> {
        let mut state = self.state.lock();
        // After a truncation that this reader does not know of yet, the bytes may not be there.
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

    /// Gives the maps back unless one was used since the last call.
    pub(crate) fn release_if_idle(&self) {
        let mut state = self.state.lock();
        if !std::mem::take(&mut state.used) {
            state.release();
        }
    }

    /// Cuts the file at `end`. `cut` is told whether maps are alive; none is made meanwhile.
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
    /// Notes a read, and says whether it is one of bytes that were read before.
    fn is_read_again(&mut self, range: &Range<u64>) -> bool {
        let again = range.end <= self.read_to;
        self.read_to = self.read_to.max(range.end);
        again
    }

    /// A slice of the map of the whole file. One that does not reach `range` is made anew only when the file has grown by a half: a new
    /// map loses what the old one has of page tables.
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

    /// A slice of the window. One that does not show `range` makes place for one that shows it, and what will be read after it.
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
        let shared = |bytes| Shared {
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

    /// A file of zeros, and what was mapped of it.
    #[derive(Default)]
    struct MappedFile {
        maps: Maps,
        mapped: Mutex<Option<Range<u64>>>,
    }

    impl MappedFile {
        /// Reads mebibytes of a file of `size` mebibytes; which mebibytes that mapped.
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
    fn what_is_read_again_maps_the_whole_file_once() {
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
    fn what_is_not_in_the_file_is_not_mapped() {
        let read = Maps::default().read(0..2, || 1, |range| panic!("{range:?}"));
        assert_eq!(read.unwrap(), None);
    }

    #[test]
    fn who_cuts_is_told_whether_bytes_are_held() {
        let file = MappedFile::default();
        let map = |range: Range<u64>| Ok(Some(Bytes::from(vec![0; range.end as usize])));
        let held = file.maps.read(0..10, || 10, map).unwrap();
        assert_eq!(file.maps.cut(5, |alive| alive), Alive::Yes);
        drop(held);
        assert_eq!(file.maps.cut(5, |alive| alive), Alive::No);
    }

    #[test]
    fn maps_go_that_were_not_used_between_two_looks() {
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
