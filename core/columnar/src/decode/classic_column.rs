//! A key or value column that is copied into the layout of a classic array.

use arrow_array::{BinaryArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::trusted::{Buffers, ViewColumn};

/// Consecutive values, in the layout of a classic array.
#[derive(Debug)]
pub(crate) struct ClassicColumn {
    offsets: Vec<i32>,
    data: Vec<u8>,
    valid: Vec<bool>,
    has_null: bool,
}

impl Default for ClassicColumn {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
            valid: Vec::new(),
            has_null: false,
        }
    }
}

impl ClassicColumn {
    /// Copies all values of `views`. `None` if the data would exceed 2 GiB.
    pub(crate) fn append(&mut self, views: &ViewColumn, buffers: &Buffers) -> Option<()> {
        if views.has_null() || self.has_null {
            // There are no validity flags before the first null; then there is one for every row.
            self.valid.resize(self.offsets.len() - 1, true);
            self.valid.extend(views.validity());
            self.has_null = true;
        }
        self.offsets.reserve(views.len());
        for row in 0..views.len() {
            self.data
                .extend_from_slice(views.value(row, buffers).unwrap_or_default());
            self.offsets.push(i32::try_from(self.data.len()).ok()?);
        }
        Some(())
    }

    fn parts(self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let nulls = self.has_null.then(|| NullBuffer::from(self.valid));
        (
            OffsetBuffer::new(ScalarBuffer::from(self.offsets)),
            Buffer::from_vec(self.data),
            nulls,
        )
    }

    /// The array.
    pub(crate) fn into_binary(self) -> BinaryArray {
        let (offsets, data, nulls) = self.parts();
        BinaryArray::new(offsets, data, nulls)
    }

    /// The array as text. Each appended value must have been checked by [`ViewColumn::check_text`]. Arrow checks the
    /// whole again, which costs little for one range of bytes.
    pub(crate) fn into_text(self) -> Result<StringArray, arrow_schema::ArrowError> {
        let (offsets, data, nulls) = self.parts();
        StringArray::try_new(offsets, data, nulls)
    }
}
