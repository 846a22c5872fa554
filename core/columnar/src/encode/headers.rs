//! A column of headers.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, LargeListArray, StringArray};
use arrow_schema::DataType;

use crate::error::EncodeError;

/// A header in the form that a builder takes.
pub(super) type HeaderRef<'a> = (&'a str, Option<&'a [u8]>);

/// `list<struct<key: utf8, value: binary>>` in any layout.
#[derive(Debug)]
pub(super) struct HeaderRows {
    lists: LargeListArray,
    keys: StringArray,
    values: BinaryArray,
}

impl HeaderRows {
    /// The column, or `None` if no row has a header.
    pub(super) fn of(name: &str, array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        let wrong = || EncodeError::ColumnType {
            name: name.to_owned(),
            data_type: array.data_type().to_string(),
            role: "headers",
            advice: "use list<struct<key: string, value: binary>>",
        };
        if array.null_count() == array.len() {
            return Ok(None);
        }
        let lists = match array.data_type() {
            DataType::List(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeList(item) => {
                arrow_cast::cast(array, &DataType::LargeList(item.clone())).map_err(|_| wrong())?
            }
            _ => return Err(wrong()),
        };
        let lists = lists.as_list::<i64>().clone();
        let items = lists.values().as_struct_opt().ok_or_else(wrong)?;
        let column = |name: &str, to: &DataType| {
            let column = items.column_by_name(name).ok_or_else(wrong)?;
            if !(column.data_type().is_string()
                || column.data_type().is_binary()
                || column.data_type().is_null())
            {
                return Err(wrong());
            }
            arrow_cast::cast(column, to).map_err(|_| wrong())
        };
        let keys = column("key", &DataType::Utf8)?.as_string::<i32>().clone();
        let values = column("value", &DataType::Binary)?
            .as_binary::<i32>()
            .clone();
        let rows = Self {
            lists,
            keys,
            values,
        };
        let mut any = false;
        for row in 0..rows.lists.len() {
            for item in rows.items(row) {
                any = true;
                if rows.keys.is_null(item) || rows.lists.values().is_null(item) {
                    return Err(EncodeError::NullHeaderKey { row });
                }
            }
        }
        Ok(any.then_some(rows))
    }

    fn items(&self, row: usize) -> std::ops::Range<usize> {
        if self.lists.is_null(row) {
            return 0..0;
        }
        let offsets = self.lists.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    /// Appends the headers of a row to `out`, in order.
    pub(super) fn get<'a>(&'a self, row: usize, out: &mut Vec<HeaderRef<'a>>) {
        out.clear();
        out.extend(self.items(row).map(|item| {
            let value = self.values.is_valid(item).then(|| self.values.value(item));
            (self.keys.value(item), value)
        }));
    }

    /// The maximum size of a row's headers.
    pub(super) fn size(&self, row: usize) -> usize {
        let size =
            |item| 10 + self.keys.value(item).len() + self.values.value_length(item) as usize;
        self.items(row).map(size).sum()
    }
}
