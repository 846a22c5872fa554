//! Asking for memory before it is read.

/// Asks for the bytes at that distance from the first of these, which may lie outside them: two lines of the cache, about a record.
#[inline(always)]
pub(crate) fn prefetch(bytes: &[u8], distance: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let soon = bytes.as_ptr().wrapping_add(distance).cast::<i8>();
        // SAFETY: a prefetch is a hint. It reads nothing, and with an address that is not there it does nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(soon);
            _mm_prefetch::<_MM_HINT_T1>(soon.wrapping_add(64));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, distance);
}
