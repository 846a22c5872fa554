//! Zeros that all arrays share.

use std::sync::LazyLock;

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};

/// Of a whole table of most topics.
const SHARED: usize = 65_536;

/// So many zeros. A column of nothing but nulls, or of empty lists, is nothing else, and is not written each time anew.
pub(crate) fn zeros<T: ArrowNativeType>(count: usize) -> ScalarBuffer<T> {
    static ZEROS: LazyLock<Buffer> = LazyLock::new(|| Buffer::from_vec(vec![0u128; SHARED]));
    if count * size_of::<T>() <= ZEROS.len() {
        ScalarBuffer::new(ZEROS.clone(), 0, count)
    } else {
        ScalarBuffer::from(vec![T::default(); count])
    }
}
