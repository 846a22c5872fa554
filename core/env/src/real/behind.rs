//! Which file stands behind a piece of memory, so that the system can be told to send the file instead.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use parking_lot::RwLock;

/// A place in a file.
#[derive(Debug, Clone)]
pub struct FilePlace {
    /// The file, open as long as this lives.
    pub file: Arc<fs::File>,
    /// Bytes from its start.
    pub position: u64,
}

/// A map that is alive.
#[derive(Debug)]
struct Mapped {
    len: usize,
    place: FilePlace,
}

/// The maps that are alive, by their addresses.
static MAPS: RwLock<BTreeMap<usize, Mapped>> = RwLock::new(BTreeMap::new());

/// The place in a file that `bytes` are a map of, if they are: from there on the file holds the same bytes. Memory that was read or made has
/// none.
pub fn file_behind(bytes: &[u8]) -> Option<FilePlace> {
    let address = bytes.as_ptr().addr();
    let maps = MAPS.read();
    let (start, mapped) = maps.range(..=address).next_back()?;
    let skipped = address - start;
    (skipped + bytes.len() <= mapped.len).then(|| FilePlace {
        file: Arc::clone(&mapped.place.file),
        position: mapped.place.position + skipped as u64,
    })
}

/// From now on `map` stands for the file from `position` on, until [`forget`].
pub(super) fn remember(map: &[u8], file: &Arc<fs::File>, position: u64) {
    let mapped = Mapped {
        len: map.len(),
        place: FilePlace {
            file: Arc::clone(file),
            position,
        },
    };
    MAPS.write().insert(map.as_ptr().addr(), mapped);
}

/// The map is about to go.
pub(super) fn forget(map: &[u8]) {
    MAPS.write().remove(&map.as_ptr().addr());
}
