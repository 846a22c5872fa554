//! Finds the file behind mapped memory, so that the system can send the file instead.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use crate::PerProcess;

/// A position in a file.
#[derive(Debug, Clone)]
pub struct FilePlace {
    /// The file, open as long as this exists.
    pub file: Arc<fs::File>,
    /// The offset in bytes.
    pub position: u64,
}

/// A live map. It must not keep its file open, because there may be more maps than descriptors.
#[derive(Debug)]
struct LiveMap {
    len: usize,
    file: Weak<fs::File>,
    position: u64,
}

/// The live maps, by address.
static MAPS: PerProcess<RwLock<BTreeMap<usize, LiveMap>>> = PerProcess::new(RwLock::default);

/// The file position that `bytes` are mapped from, if they are a map and the file is still open: the file has the same
/// bytes there. `None` for other memory.
pub fn file_behind(bytes: &[u8]) -> Option<FilePlace> {
    let address = bytes.as_ptr().addr();
    let maps = MAPS.read();
    let (start, mapped) = maps.range(..=address).next_back()?;
    let skipped = address - start;
    if skipped + bytes.len() > mapped.len {
        return None;
    }
    Some(FilePlace {
        file: mapped.file.upgrade()?,
        position: mapped.position + skipped as u64,
    })
}

/// Registers `map` as the bytes of the file from `position` on, until [`unregister`].
pub(super) fn register(map: &[u8], file: &Arc<fs::File>, position: u64) {
    let mapped = LiveMap {
        len: map.len(),
        file: Arc::downgrade(file),
        position,
    };
    MAPS.write().insert(map.as_ptr().addr(), mapped);
}

/// Removes a map that is about to be unmapped.
pub(super) fn unregister(map: &[u8]) {
    MAPS.write().remove(&map.as_ptr().addr());
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::fs::FileExt as _;

    use super::*;
    use crate::{Env as _, File as _, OpenMode, RealEnv};

    #[test]
    fn a_slice_of_a_map_has_its_place_while_the_map_lives() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let file = RealEnv.open_file(&dir.path().join("file"), OpenMode::Create)?;
        let written: Vec<u8> = (0..20_000_u32).map(|byte| byte as u8).collect();
        file.write_all_at(&written, 0)?;
        let map = file
            .map(5_000..15_000)?
            .expect("a small range can be mapped");
        let slice = map.slice(100..9_000);
        drop(map);
        let place = file_behind(&slice).expect("the slice is part of a map");
        assert_eq!(place.position, 5_100);
        let mut read = vec![0; slice.len()];
        place.file.read_exact_at(&mut read, place.position)?;
        assert_eq!(read, slice);
        let start = slice.as_ptr().addr() - 100;
        assert!(MAPS.read().contains_key(&start));
        let weak = Arc::downgrade(&place.file);
        drop((place, file));
        assert!(
            file_behind(&slice).is_none(),
            "the map does not keep the file open"
        );
        assert_eq!(slice, written[5_100..14_000]);
        drop(slice);
        let behind = MAPS.read().get(&start).map(|map| Weak::clone(&map.file));
        assert!(
            behind.is_none_or(|other| !Weak::ptr_eq(&other, &weak)),
            "the map was unregistered"
        );
        Ok(())
    }

    #[test]
    fn memory_outside_of_maps_has_no_file() {
        assert!(file_behind(b"a constant").is_none());
        assert!(file_behind(&vec![0; 100_000]).is_none());
    }
}
