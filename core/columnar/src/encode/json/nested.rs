//! Lists, structs, maps and dictionaries.

use std::collections::HashSet;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, MapArray, StructArray};
use arrow_schema::{DataType, Field};

use super::text::push_string;
use super::{Quotes, Refusal, UnwritableType, Writer};

const REPEATED_KEY: &str =
    "has a map with a key twice, and a JSON object has it once: keep one of them";
const NULL_KEY: &str = "has a map with a null key: give each entry a key";

/// A writer for the lists, structs and maps of a column.
pub(super) fn writer(array: &ArrayRef) -> Result<Writer, UnwritableType> {
    match array.data_type() {
        DataType::List(item) => {
            let lists = array.as_list::<i32>();
            let ends = lists.offsets().clone();
            let range = move |row: usize| ends[row] as usize..ends[row + 1] as usize;
            list(array, item, lists.values(), range)
        }
        DataType::LargeList(item) => {
            let lists = array.as_list::<i64>();
            let ends = lists.offsets().clone();
            let range = move |row: usize| ends[row] as usize..ends[row + 1] as usize;
            list(array, item, lists.values(), range)
        }
        DataType::FixedSizeList(item, size) => {
            let lists = array.as_fixed_size_list();
            let size = usize::try_from(*size).unwrap_or(0);
            list(array, item, lists.values(), move |row| {
                row * size..(row + 1) * size
            })
        }
        DataType::ListView(item) => {
            let lists = array.as_list_view::<i32>();
            let (starts, sizes) = (lists.offsets().clone(), lists.sizes().clone());
            let range = move |row: usize| {
                let start = starts[row] as usize;
                start..start + sizes[row] as usize
            };
            list(array, item, lists.values(), range)
        }
        DataType::LargeListView(item) => {
            let lists = array.as_list_view::<i64>();
            let (starts, sizes) = (lists.offsets().clone(), lists.sizes().clone());
            let range = move |row: usize| {
                let start = starts[row] as usize;
                start..start + sizes[row] as usize
            };
            list(array, item, lists.values(), range)
        }
        DataType::Map(..) => map(array.as_map()),
        _ => object(array.as_struct()),
    }
}

/// Lists whose items are in `items`; the range of a row contains its items.
fn list(
    array: &ArrayRef,
    field: &Field,
    items: &ArrayRef,
    range: impl Fn(usize) -> Range<usize> + Send + Sync + 'static,
) -> Result<Writer, UnwritableType> {
    let item = Writer::new(field, items, Quotes::Json)?;
    let most_items = (0..array.len())
        .map(|row| range(row).len())
        .max()
        .unwrap_or(0);
    let longest = most_items.saturating_mul(item.longest().saturating_add(1));
    let may_refuse = item.may_refuse;
    let write = move |row, out: &mut Vec<u8>| {
        out.push(b'[');
        let items = range(row);
        let first = items.start;
        for at in items {
            if at != first {
                out.push(b',');
            }
            item.write(at, out)?;
        }
        out.push(b']');
        Ok(())
    };
    Ok(Writer {
        may_refuse,
        ..Writer::sure(array, longest.saturating_add(2), Box::new(write))
    })
}

/// One field of an object.
struct FieldWriter {
    name: String,
    /// The name as JSON, followed by a colon.
    prefix: Vec<u8>,
    value: Writer,
}

/// Structs as objects. Null fields are written too, so that every object has all fields in the same order.
fn object(array: &StructArray) -> Result<Writer, UnwritableType> {
    let mut names = HashSet::new();
    let mut fields = Vec::with_capacity(array.num_columns());
    for (field, column) in array.fields().iter().zip(array.columns()) {
        if !names.insert(field.name()) {
            let twice = UnwritableType::new(
                array.data_type(),
                "two of its fields have this name: rename one of them",
            );
            return Err(twice.inside(field.name()));
        }
        let mut prefix = Vec::new();
        push_string(field.name(), &mut prefix);
        prefix.push(b':');
        fields.push(FieldWriter {
            name: field.name().clone(),
            prefix,
            value: Writer::new(field, column, Quotes::Json)
                .map_err(|refused| refused.inside(field.name()))?,
        });
    }
    let longest = fields
        .iter()
        .map(|field| field.prefix.len() + 1 + field.value.longest())
        .fold(2, usize::saturating_add);
    let may_refuse = fields.iter().any(|field| field.value.may_refuse);
    let write = move |row, out: &mut Vec<u8>| {
        out.push(b'{');
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&field.prefix);
            field
                .value
                .write(row, out)
                .map_err(|refused| refused.inside(&field.name))?;
        }
        out.push(b'}');
        Ok(())
    };
    Ok(Writer {
        may_refuse,
        ..Writer::sure(array, longest, Box::new(write))
    })
}

/// Maps as objects, in the order of their entries.
fn map(array: &MapArray) -> Result<Writer, UnwritableType> {
    let is_text = matches!(
        array.keys().data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    if !is_text {
        return Err(UnwritableType::new(
            array.data_type(),
            "the keys of a JSON object are text: cast the keys of the map to text",
        ));
    }
    let (key_field, value_field) = array.entries_fields();
    let key = Writer::new(key_field, array.keys(), Quotes::Json)?;
    let value = Writer::new(value_field, array.values(), Quotes::Json)?;
    let ends = array.offsets().clone();
    let most_entries = ends.lengths().max().unwrap_or(0);
    let entry = key
        .longest()
        .saturating_add(value.longest())
        .saturating_add(2);
    let write = move |row: usize, out: &mut Vec<u8>| {
        let mut keys = HashSet::new();
        out.push(b'{');
        let entries = ends[row] as usize..ends[row + 1] as usize;
        for at in entries.clone() {
            if at != entries.start {
                out.push(b',');
            }
            if key.is_null(at) {
                return Err(Refusal::new(NULL_KEY));
            }
            let start = out.len();
            key.write(at, out)?;
            if !keys.insert(out[start..].to_vec()) {
                return Err(Refusal::new(REPEATED_KEY));
            }
            out.push(b':');
            value.write(at, out)?;
        }
        out.push(b'}');
        Ok(())
    };
    let longest = most_entries.saturating_mul(entry).saturating_add(2);
    Ok(Writer {
        may_refuse: true,
        ..Writer::sure(array, longest, Box::new(write))
    })
}

/// The values of a dictionary's keys.
pub(super) fn dictionary(
    field: &Field,
    array: &ArrayRef,
    quotes: Quotes,
) -> Result<Writer, UnwritableType> {
    let dictionary = array.as_any_dictionary();
    let value = Writer::new(field, dictionary.values(), quotes)?;
    let keys = if dictionary.values().is_empty() {
        Vec::new()
    } else {
        dictionary.normalized_keys()
    };
    let (longest, may_refuse) = (value.longest(), value.may_refuse);
    let write = move |row: usize, out: &mut Vec<u8>| value.write(keys[row], out);
    Ok(Writer {
        may_refuse,
        ..Writer::sure(array, longest, Box::new(write))
    })
}
