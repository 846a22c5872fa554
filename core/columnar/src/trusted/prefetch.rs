//! Prefetches memory.

/// Prefetches the bytes at that distance from the start of `bytes`, which may be out of bounds: two cache lines, about
/// a record.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8], distance: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let soon = bytes.as_ptr().wrapping_add(distance).cast::<i8>();
        // SAFETY: a prefetch is a hint. It reads nothing, and an invalid address has no effect.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(soon);
            _mm_prefetch::<_MM_HINT_T1>(soon.wrapping_add(64));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, distance);
}
