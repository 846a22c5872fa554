//! A shared buffer of zeros.

use std::sync::LazyLock;

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};

/// Enough for a whole table of most topics.
const SHARED: usize = 65_536;

/// A buffer of `count` zeros. Columns of only nulls or empty lists consist of zeros, and share them.
pub(crate) fn zeros<T: ArrowNativeType>(count: usize) -> ScalarBuffer<T> {
    static ZEROS: LazyLock<Buffer> = LazyLock::new(|| Buffer::from_vec(vec![0u128; SHARED]));
    if count * size_of::<T>() <= ZEROS.len() {
        ScalarBuffer::new(ZEROS.clone(), 0, count)
    } else {
        ScalarBuffer::from(vec![T::default(); count])
    }
}
