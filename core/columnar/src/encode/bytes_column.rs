//! Keys or values of a table, whatever type of bytes they have.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, LargeBinaryArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType};

/// Bytes by row.
pub(super) trait Values {
    /// How many rows there are.
    fn rows(&self) -> usize;

    /// Which of them are null.
    fn null_rows(&self) -> Option<&NullBuffer>;

    /// The bytes of a row that is not null.
    fn bytes(&self, row: usize) -> &[u8];

    /// The length of the longest value, or more.
    fn longest(&self) -> usize;

    /// The bytes of a row, or null.
    #[inline(always)]
    fn get(&self, row: usize) -> Option<&[u8]> {
        match self.null_rows() {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.bytes(row)),
        }
    }
}

macro_rules! values_with_offsets {
    ($array:ty) => {
        impl Values for $array {
            fn rows(&self) -> usize {
                self.len()
            }

            fn null_rows(&self) -> Option<&NullBuffer> {
                self.nulls()
            }

            #[inline(always)]
            fn bytes(&self, row: usize) -> &[u8] {
                self.value(row)
            }

            fn longest(&self) -> usize {
                self.value_offsets()
                    .windows(2)
                    .map(|pair| pair[1] - pair[0])
                    .max()
                    .unwrap_or(0) as usize
            }
        }
    };
}

values_with_offsets!(BinaryArray);
values_with_offsets!(LargeBinaryArray);

impl Values for BinaryViewArray {
    fn rows(&self) -> usize {
        self.len()
    }

    fn null_rows(&self) -> Option<&NullBuffer> {
        self.nulls()
    }

    #[inline(always)]
    fn bytes(&self, row: usize) -> &[u8] {
        self.value(row)
    }

    fn longest(&self) -> usize {
        // The low half of a view's low half is its length; that of a null may be anything, which only costs a closer look.
        self.views()
            .iter()
            .map(|view| *view as u32)
            .max()
            .unwrap_or(0) as usize
    }
}

/// No value in any row.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllNull(usize);

impl Values for AllNull {
    fn rows(&self) -> usize {
        self.0
    }

    fn null_rows(&self) -> Option<&NullBuffer> {
        None
    }

    fn bytes(&self, _row: usize) -> &[u8] {
        &[]
    }

    fn longest(&self) -> usize {
        0
    }

    #[inline]
    fn get(&self, _row: usize) -> Option<&[u8]> {
        None
    }
}

/// One of the layouts that bytes come in.
#[derive(Clone, Debug)]
pub(super) enum BytesColumn {
    AllNull(AllNull),
    Small(BinaryArray),
    Large(LargeBinaryArray),
    Views(BinaryViewArray),
}

/// Runs the expression with the layout's own type.
macro_rules! with_values {
    ($column:expr, $values:ident => $body:expr) => {
        match $column {
            BytesColumn::AllNull($values) => $body,
            BytesColumn::Small($values) => $body,
            BytesColumn::Large($values) => $body,
            BytesColumn::Views($values) => $body,
        }
    };
}
pub(super) use with_values;

impl BytesColumn {
    pub(super) fn all_null(rows: usize) -> Self {
        Self::AllNull(AllNull(rows))
    }

    /// The column, if its type is bytes or text of any layout; nothing is copied but dictionaries' indexes.
    pub(super) fn of(array: &ArrayRef) -> Result<Option<Self>, ArrowError> {
        use DataType as D;
        Ok(Some(match array.data_type() {
            D::Null => Self::all_null(array.len()),
            D::Binary => Self::Small(array.as_binary::<i32>().clone()),
            D::LargeBinary => Self::Large(array.as_binary::<i64>().clone()),
            D::Utf8 => Self::Small(BinaryArray::from(array.as_string::<i32>().clone())),
            D::LargeUtf8 => Self::Large(LargeBinaryArray::from(array.as_string::<i64>().clone())),
            D::BinaryView => Self::Views(array.as_binary_view().clone()),
            D::Utf8View => Self::Views(array.as_string_view().clone().to_binary_view()),
            D::FixedSizeBinary(_) => Self::Small(
                arrow_cast::cast(array, &D::Binary)?
                    .as_binary::<i32>()
                    .clone(),
            ),
            D::Dictionary(_, values) => {
                let plain = match **values {
                    D::Utf8 | D::LargeUtf8 | D::Utf8View => D::Utf8View,
                    D::Binary | D::LargeBinary | D::BinaryView => D::BinaryView,
                    _ => return Ok(None),
                };
                return Self::of(&arrow_cast::cast(array, &plain)?);
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn slice(&self, first: usize, rows: usize) -> Self {
        match self {
            Self::AllNull(_) => Self::all_null(rows),
            Self::Small(array) => Self::Small(array.slice(first, rows)),
            Self::Large(array) => Self::Large(array.slice(first, rows)),
            Self::Views(array) => Self::Views(array.slice(first, rows)),
        }
    }

    pub(super) fn is_all_null(&self) -> bool {
        with_values!(self, values => matches!(self, Self::AllNull(_)) || values.null_rows().is_some_and(|nulls| nulls.null_count() == values.rows()))
    }

    /// The bytes of a row, or null.
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        with_values!(self, values => values.get(row))
    }

    pub(super) fn longest(&self) -> usize {
        with_values!(self, values => values.longest())
    }
}
