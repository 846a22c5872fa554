//! Warns before the disk is full.

use std::sync::atomic::Ordering;

use headwater_env::{DiskSpace, Env};
use headwater_metadata::OnStorageFull;

use super::Storage;

/// The disk is nearly full below this many free bytes.
const FREE_BYTES_LOW: u64 = 1 << 30;
/// The disk is nearly full below this fraction of free space (one in so many).
const FREE_PART_LOW: u64 = 20;

impl<E: Env> Storage<E> {
    /// Warns when less than 5 % or 1 GiB of the disk is free; again only after the free space has recovered.
    pub(crate) fn watch_free_space(&self) {
        let directory = self.partitions.directory();
        let Some(directory) = &*directory else { return };
        let Ok(space) = self.partitions.env.disk_space(directory.path()) else {
            return;
        };
        let is_low = is_low(space);
        let was_low = self.is_low.swap(is_low, Ordering::Relaxed);
        if !is_low || was_low {
            return;
        }
        let then = match self.controller.config().storage_on_full {
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
    fn less_than_a_twentieth_or_a_gibibyte_free_is_low() {
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
