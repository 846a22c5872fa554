//! An allocator that measures the peak memory of a piece of code in its thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, with the memory of every thread counted.
pub(crate) struct CountingAllocator;

fn grow(bytes: isize) {
    let now = NOW.get() + bytes;
    NOW.set(now);
    PEAK.set(PEAK.get().max(now));
}

#[allow(
    unsafe_code,
    reason = "an allocator cannot be written without; this one hands on to the system's"
)]
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size() as isize);
        // SAFETY: the caller fulfils the contract of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        grow(-(layout.size() as isize));
        // SAFETY: as above; our memory came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new memory may be there at once.
        grow(size as isize);
        grow(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// The peak memory of `work`, without the memory in use before.
pub(crate) fn peak(work: impl FnOnce()) -> usize {
    let start = Start::now();
    work();
    start.peak()
}

/// From when on the most memory is looked for; one at a time in a thread.
pub(crate) struct Start(isize);

impl Start {
    pub(crate) fn now() -> Self {
        let before = NOW.get();
        PEAK.set(before);
        Self(before)
    }

    /// The peak memory since then, without the memory in use before.
    pub(crate) fn peak(&self) -> usize {
        (PEAK.get() - self.0) as usize
    }
}
