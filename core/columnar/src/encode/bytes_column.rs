//! Keys or values of a table in any Arrow layout of bytes.

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, GenericByteArray, LargeBinaryArray,
    OffsetSizeTrait,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::{ArrowError, DataType};

/// Reads bytes by row. All its state is in slices that a loop keeps in registers.
pub(super) trait Reader<'a>: Copy {
    /// The bytes of a row, or null.
    fn get(self, row: usize) -> Option<&'a [u8]>;
}

/// A column of nulls.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoValues;

impl<'a> Reader<'a> for NoValues {
    #[inline(always)]
    fn get(self, _row: usize) -> Option<&'a [u8]> {
        None
    }
}

/// The layout with offsets.
#[derive(Clone, Copy, Debug)]
pub(super) struct OffsetReader<'a, O> {
    offsets: &'a [O],
    data: &'a [u8],
    nulls: Option<&'a NullBuffer>,
}

impl<'a, T: ByteArrayType> From<&'a GenericByteArray<T>> for OffsetReader<'a, T::Offset> {
    fn from(array: &'a GenericByteArray<T>) -> Self {
        Self {
            offsets: array.value_offsets(),
            data: array.value_data(),
            nulls: array.nulls(),
        }
    }
}

impl<'a, O: OffsetSizeTrait> Reader<'a> for OffsetReader<'a, O> {
    #[inline(always)]
    fn get(self, row: usize) -> Option<&'a [u8]> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let (start, end) = (
            self.offsets[row].as_usize(),
            self.offsets[row + 1].as_usize(),
        );
        Some(&self.data[start..end])
    }
}

/// The layout with views.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewReader<'a> {
    views: &'a [u128],
    /// The same views as bytes, for short values.
    inline: &'a [u8],
    buffers: &'a [Buffer],
    /// The first buffer, which contains most values.
    first: &'a [u8],
    nulls: Option<&'a NullBuffer>,
}

/// The longest value that is stored in its view.
const INLINE_MAX: usize = 12;

impl<'a> From<&'a BinaryViewArray> for ViewReader<'a> {
    fn from(array: &'a BinaryViewArray) -> Self {
        let buffers = array.data_buffers();
        Self {
            views: array.views(),
            inline: array.views().inner().as_slice(),
            buffers,
            first: buffers.first().map_or(&[], Buffer::as_slice),
            nulls: array.nulls(),
        }
    }
}

impl<'a> Reader<'a> for ViewReader<'a> {
    #[inline(always)]
    fn get(self, row: usize) -> Option<&'a [u8]> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let view = self.views[row];
        let len = view as u32 as usize;
        if len <= INLINE_MAX {
            return Some(&self.inline[row * 16 + 4..][..len]);
        }
        let (index, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
        let buffer = if index == 0 {
            self.first
        } else {
            self.buffers[index].as_slice()
        };
        Some(&buffer[start..start + len])
    }
}

/// A column in one of the layouts of bytes.
#[derive(Clone, Debug)]
pub(super) enum BytesColumn {
    AllNull,
    Small(BinaryArray),
    Large(LargeBinaryArray),
    Views(BinaryViewArray),
}

/// Runs the expression with the reader type of the column's layout.
macro_rules! with_reader {
    ($column:expr, $reader:ident => $body:expr) => {
        match $column {
            BytesColumn::AllNull => {
                let $reader = NoValues;
                $body
            }
            BytesColumn::Small(array) => {
                let $reader = OffsetReader::from(array);
                $body
            }
            BytesColumn::Large(array) => {
                let $reader = OffsetReader::from(array);
                $body
            }
            BytesColumn::Views(array) => {
                let $reader = ViewReader::from(array);
                $body
            }
        }
    };
}
pub(super) use with_reader;

impl<'a> Reader<'a> for &'a BytesColumn {
    #[inline]
    fn get(self, row: usize) -> Option<&'a [u8]> {
        with_reader!(self, reader => reader.get(row))
    }
}

impl BytesColumn {
    /// The column, if its type is bytes or text in any layout. Copies nothing except the indexes of dictionaries.
    pub(super) fn of(array: &ArrayRef) -> Result<Option<Self>, ArrowError> {
        use DataType as D;
        Ok(Some(match array.data_type() {
            D::Null => Self::AllNull,
            D::Binary => Self::Small(array.as_binary::<i32>().clone()),
            D::LargeBinary => Self::Large(array.as_binary::<i64>().clone()),
            D::Utf8 => Self::Small(BinaryArray::from(array.as_string::<i32>().clone())),
            D::LargeUtf8 => Self::Large(LargeBinaryArray::from(array.as_string::<i64>().clone())),
            D::BinaryView => Self::Views(array.as_binary_view().clone()),
            D::Utf8View => Self::Views(array.as_string_view().clone().to_binary_view()),
            D::FixedSizeBinary(_) => Self::Large(
                arrow_cast::cast(array, &D::LargeBinary)?
                    .as_binary::<i64>()
                    .clone(),
            ),
            D::Dictionary(_, values) => return Self::of_values(array, values),
            D::RunEndEncoded(_, values) => return Self::of_values(array, values.data_type()),
            _ => return Ok(None),
        }))
    }

    /// A column with separate values, such as a dictionary.
    fn of_values(array: &ArrayRef, values: &DataType) -> Result<Option<Self>, ArrowError> {
        use DataType as D;
        let plain = match values {
            D::Utf8 | D::LargeUtf8 | D::Utf8View => D::Utf8View,
            D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => D::BinaryView,
            _ => return Ok(None),
        };
        Self::of(&arrow_cast::cast(array, &plain)?)
    }

    pub(super) fn slice(&self, first: usize, rows: usize) -> Self {
        match self {
            Self::AllNull => Self::AllNull,
            Self::Small(array) => Self::Small(array.slice(first, rows)),
            Self::Large(array) => Self::Large(array.slice(first, rows)),
            Self::Views(array) => Self::Views(array.slice(first, rows)),
        }
    }

    pub(super) fn is_all_null(&self) -> bool {
        let array: &dyn Array = match self {
            Self::AllNull => return true,
            Self::Small(array) => array,
            Self::Large(array) => array,
            Self::Views(array) => array,
        };
        array.null_count() == array.len()
    }

    /// The length of the longest value. Nulls may increase it.
    pub(super) fn longest(&self) -> usize {
        fn widest<O: OffsetSizeTrait>(offsets: &[O]) -> usize {
            offsets
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).as_usize())
                .max()
                .unwrap_or(0)
        }
        match self {
            Self::AllNull => 0,
            Self::Small(array) => widest(array.value_offsets()),
            Self::Large(array) => widest(array.value_offsets()),
            // The lowest quarter of a view is the length.
            Self::Views(array) => array
                .views()
                .iter()
                .fold(0, |longest, view| longest.max(*view as u32))
                as usize,
        }
    }
}
