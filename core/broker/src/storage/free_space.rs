//! A warning before the disk is full.

use std::sync::atomic::Ordering;

use headwater_env::{DiskSpace, Env};
use headwater_metadata::OnStorageFull;

use crate::state::State;

/// With fewer free bytes the disk counts as nearly full, whatever its size.
const FREE_BYTES_LOW: u64 = 1 << 30;
/// With less than this fraction of the disk free (one in so many), it counts as nearly full.
const FREE_PART_LOW: u64 = 20;

impl<E: Env> State<E> {
    /// Warns when the free space of the disk falls below 5 % or 1 GiB; once, until it has risen again.
    pub(crate) fn watch_free_space(&self) {
        let directory = self.directory.read();
        let Some(directory) = &*directory else { return };
        let Ok(space) = self.env.disk_space(directory.path()) else {
            return;
        };
        let is_low = is_low(space);
        let was_low = self.storage.is_low.swap(is_low, Ordering::Relaxed);
        if !is_low || was_low {
            return;
        }
        let then = match self.config().storage_on_full {
            OnStorageFull::Delete => {
                "when it is full the oldest records are deleted before their retention ends; free space, or set headwater.storage.on.full=fail to let produce fail instead"
            }
            OnStorageFull::Fail => "when it is full produce fails; free space",
        };
        tracing::warn!(
            path = %directory.path().display(), free_bytes = space.free_bytes, total_bytes = space.total_bytes, then,
            "the disk is nearly full"
        );
    }
}

fn is_low(space: DiskSpace) -> bool {
    space.free_bytes < FREE_BYTES_LOW || space.free_bytes < space.total_bytes / FREE_PART_LOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_or_a_gibibyte_free_is_little() {
        const GIB: u64 = 1 << 30;
        let low = |free_bytes, total_bytes| {
            is_low(DiskSpace {
                free_bytes,
                total_bytes,
            })
        };
        assert!(low(GIB - 1, 10 * GIB) && !low(GIB, 10 * GIB));
        assert!(low(5 * GIB - 1, 100 * GIB) && !low(5 * GIB, 100 * GIB));
        assert!(!low(u64::MAX, u64::MAX));
    }
}
