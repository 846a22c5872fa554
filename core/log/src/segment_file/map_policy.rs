//! Decides which part of a log file a read maps. A pure decision: it maps nothing.
//!
//! The first read of a range uses a window: a map of the next few mebibytes, which is released after the reads have
//! passed it. A range that is read a second time is likely to be read again: it uses a map of the whole file, which
//! stays, so that its page tables stay filled.

use std::ops::Range;

/// Copying fewer bytes than this is faster than mapping them.
const MAP_BYTES_MIN: usize = 64 << 10;
/// The size of a window. With 1 MiB, reads take 10 to 17 % longer, because each unmapping interrupts the other
/// processors. 32 MiB is not faster and counts more memory to the process.
const WINDOW_BYTES: u64 = 8 << 20;

/// Whether mapping this number of bytes may be faster than copying them.
pub(super) fn is_large_enough(len: usize) -> bool {
    len >= MAP_BYTES_MIN
}

/// Remembers which part of the file was read.
#[derive(Debug, Default)]
pub(super) struct MapPolicy {
    /// The end of the bytes that were read at least once.
    read_to: u64,
}

/// The parts of the file that are mapped; empty if there is no map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MappedRanges {
    /// From the start of the file, for repeated reads.
    pub(super) whole: Range<u64>,
    /// Around the last first-time read.
    pub(super) window: Range<u64>,
}

/// How to read a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MapChoice {
    /// Do not map it.
    Copy,
    /// Use the map of the whole file.
    Whole,
    /// Use the window.
    Window,
    /// Release both maps, and map this range as the whole file.
    NewWhole(Range<u64>),
    /// Release the window, and map this range as the window.
    NewWindow(Range<u64>),
}

impl MapPolicy {
    /// Chooses a map for the next read of a file of `size` bytes, and records the read.
    pub(super) fn choose(
        &mut self,
        range: &Range<u64>,
        size: u64,
        mapped: &MappedRanges,
    ) -> MapChoice {
        // After a truncation that this reader has not seen, the bytes may not exist.
        if range.end > size {
            return MapChoice::Copy;
        }
        let is_read_again = range.end <= self.read_to;
        self.read_to = self.read_to.max(range.end);
        if is_read_again {
            if range.end <= mapped.whole.end {
                return MapChoice::Whole;
            }
            // Only when the file has grown by half: a new map starts with empty page tables.
            if size >= mapped.whole.end + mapped.whole.end / 2 {
                return MapChoice::NewWhole(0..size);
            }
        }
        if mapped.window.start <= range.start && range.end <= mapped.window.end {
            return MapChoice::Window;
        }
        let end = range.end.max(range.start + WINDOW_BYTES).min(size);
        MapChoice::NewWindow(range.start..end)
    }

    /// Records that the file was truncated at `end`.
    pub(super) fn cut(&mut self, end: u64) {
        self.read_to = self.read_to.min(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A file and the maps that its reads leave.
    #[derive(Default)]
    struct MappedFile {
        policy: MapPolicy,
        mapped: MappedRanges,
    }

    impl MappedFile {
        /// Reads some mebibytes of a file of `size` mebibytes. Returns the mebibytes that are newly mapped.
        fn read(&mut self, range: Range<u64>, size: u64) -> Option<Range<u64>> {
            let range = range.start * MIB..range.end * MIB;
            let is_in = |map: &Range<u64>| map.start <= range.start && range.end <= map.end;
            let new = match self.policy.choose(&range, size * MIB, &self.mapped) {
                MapChoice::Copy => panic!("all bytes exist"),
                MapChoice::Whole => {
                    assert!(is_in(&self.mapped.whole));
                    return None;
                }
                MapChoice::Window => {
                    assert!(is_in(&self.mapped.window));
                    return None;
                }
                MapChoice::NewWhole(new) => {
                    self.mapped = MappedRanges {
                        whole: new.clone(),
                        window: 0..0,
                    };
                    new
                }
                MapChoice::NewWindow(new) => {
                    self.mapped.window = new.clone();
                    new
                }
            };
            assert!(is_in(&new));
            Some(new.start / MIB..new.end / MIB)
        }
    }

    #[test]
    fn a_first_read_goes_through_windows() {
        let mut file = MappedFile::default();
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
        let mut file = MappedFile::default();
        file.read(0..10, 10);
        assert_eq!(file.read(0..1, 10), Some(0..10));
        assert_eq!(file.read(9..10, 10), None);
        assert_eq!(file.read(4..5, 10), None);
    }

    #[test]
    fn a_file_that_has_grown_a_little_is_not_mapped_anew() {
        let mut file = MappedFile::default();
        file.read(0..10, 10);
        file.read(0..10, 10);
        assert_eq!(file.read(10..14, 14), Some(10..14));
        assert_eq!(file.read(10..14, 14), None);
        assert_eq!(file.read(14..15, 15), Some(14..15));
        assert_eq!(file.read(10..14, 15), Some(0..15));
    }

    #[test]
    fn bytes_past_the_end_of_the_file_are_not_mapped() {
        let choice = MapPolicy::default().choose(&(0..2), 1, &MappedRanges::default());
        assert_eq!(choice, MapChoice::Copy);
    }

    #[test]
    fn bytes_that_were_truncated_count_as_not_read() {
        let mut file = MappedFile::default();
        file.read(0..10, 10);
        file.policy.cut(5 * MIB);
        file.mapped = MappedRanges::default();
        assert_eq!(file.read(5..6, 10), Some(5..10));
        assert_eq!(file.read(0..5, 10), Some(0..10));
    }

    #[test]
    fn few_bytes_are_copied() {
        assert!(!is_large_enough(MAP_BYTES_MIN - 1));
        assert!(is_large_enough(MAP_BYTES_MIN));
    }
}
