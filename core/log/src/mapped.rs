//! A log file as memory: what is read again is not copied again.
//!
//! The first read of some bytes copies them: the page faults of a new map cost as much as the copy. From the second one on the map is
//! there, and readers get slices of it. Bytes that are only to be sent are mapped at once: the system sends the file behind them, and
//! nobody touches the pages.
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
use crate::types::Purpose;

/// The map of one log file, and those that it had before and somebody still holds.
pub(crate) struct Maps {
    state: Mutex<State>,
}

struct State {
    /// The first bytes of the file.
    map: Option<Bytes>,
    /// Where the bytes end that were read once.
    read_to: u64,
    /// The map was used since it was last asked.
    used: bool,
    /// Each map that is alive holds a share.
    token: Arc<()>,
}

/// A map and its share.
struct Mapped {
    bytes: Bytes,
    _share: Arc<()>,
}

impl AsRef<[u8]> for Mapped {
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
    pub(crate) fn none() -> Self {
        Self {
            state: Mutex::new(State {
                map: None,
                read_to: 0,
                used: false,
                token: Arc::default(),
            }),
        }
    }

    /// The bytes of `range` of a file of `size` bytes, if they were read before or are to be sent. `map` maps what it is told, or nothing.
    pub(crate) fn read(
        &self,
        range: Range<u64>,
        purpose: Purpose,
        size: impl FnOnce() -> u64,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Bytes>> {
        let mut state = self.state.lock();
        // After a truncation that this reader does not know of yet, the bytes may not be there.
        let size = size();
        if range.end > size {
            return Ok(None);
        }
        let again = state.read_again(range.clone(), size, &map)?;
        if again.is_some() || purpose == Purpose::Decoding {
            return Ok(again);
        }
        Ok(map(range)?.map(|bytes| state.shared(bytes)))
    }

    /// Gives the map back unless it was used since the last call.
    pub(crate) fn release_if_idle(&self) {
        let mut state = self.state.lock();
        if !std::mem::take(&mut state.used) {
            state.map = None;
        }
    }

    /// Cuts the file at `end`. `cut` is told whether maps are alive; none is made meanwhile.
    pub(crate) fn cut<T>(&self, end: u64, cut: impl FnOnce(Alive) -> T) -> T {
        let mut state = self.state.lock();
        state.map = None;
        state.read_to = state.read_to.min(end);
        let alive = match Arc::get_mut(&mut state.token) {
            None if !mutants::lives(Mutant::CutUnderMap) => Alive::Yes,
            _ => Alive::No,
        };
        cut(alive)
    }
}

impl State {
    /// A slice of the map of the first bytes of the file, if `range` was read before.
    fn read_again(
        &mut self,
        range: Range<u64>,
        size: u64,
        map: impl Fn(Range<u64>) -> io::Result<Option<Bytes>>,
    ) -> io::Result<Option<Bytes>> {
        if range.end > self.read_to {
            self.read_to = range.end;
            return Ok(None);
        }
        let mapped = self.mapped();
        if range.end > mapped {
            // A new map loses what the old one has of page tables, so a file that grows gets one only now and then.
            if size < mapped + mapped / 2 {
                return Ok(None);
            }
            self.map = map(0..size)?.map(|bytes| self.shared(bytes));
        }
        self.used = true;
        if range.end > self.mapped() {
            return Ok(None);
        }
        let slice = |map: &Bytes| map.slice(range.start as usize..range.end as usize);
        Ok(self.map.as_ref().map(slice))
    }

    fn mapped(&self) -> u64 {
        self.map.as_ref().map_or(0, Bytes::len) as u64
    }

    fn shared(&self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Mapped {
            bytes,
            _share: Arc::clone(&self.token),
        })
    }
}

impl fmt::Debug for Maps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = self.state.lock().mapped();
        f.debug_struct("Maps")
            .field("mapped", &mapped)
            .finish_non_exhaustive()
    }
}
