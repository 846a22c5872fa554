//! Memory of the core that objects of JavaScript hold.
//!
//! V8 sees an object of a few bytes, and collects it late. The reported bytes make it collect earlier.

use std::sync::atomic::{AtomicI64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use napi::Env;

/// The largest value that stands in a view itself.
const INLINE_BYTES: u32 = 12;

/// The bytes that one object of JavaScript holds. Its finaliser has to call [`ExternalMemory::release`].
#[derive(Debug, Default)]
pub(crate) struct ExternalMemory(AtomicI64);

impl ExternalMemory {
    /// The object holds so many bytes more.
    pub(crate) fn add(&self, env: &Env, bytes: usize) -> napi::Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        env.adjust_external_memory(bytes)?;
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// The object holds nothing any more.
    pub(crate) fn release(&self, env: &Env) -> napi::Result<()> {
        env.adjust_external_memory(-self.0.swap(0, Ordering::Relaxed))?;
        Ok(())
    }
}

/// The bytes of a batch: its own share of buffers that it has in common with other batches.
pub(crate) fn batch_bytes(batch: &headwater::Batch) -> usize {
    table_bytes(&batch.records) + batch.json.as_ref().map_or(0, table_bytes)
}

/// The bytes of a table, without those of rows that it was sliced from.
pub(crate) fn table_bytes(table: &RecordBatch) -> usize {
    let columns = table.columns().iter();
    columns.map(|column| array_bytes(&**column)).sum()
}

fn array_bytes(array: &dyn Array) -> usize {
    match array.data_type() {
        DataType::BinaryView => views_bytes(array.as_binary_view().views()),
        DataType::Utf8View => views_bytes(array.as_string_view().views()),
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter();
            columns.map(|column| array_bytes(&**column)).sum()
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let offsets = lists.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
            size_of_val(offsets) + array_bytes(&*lists.values().slice(first, last - first))
        }
        _ => {
            let bytes = array.to_data().get_slice_memory_size();
            bytes.unwrap_or_else(|_| array.get_array_memory_size())
        }
    }
}

fn views_bytes(views: &[u128]) -> usize {
    // The lowest 32 bits of a view are the length of its value.
    let lengths = views.iter().map(|view| *view as u32);
    let elsewhere = lengths.filter(|length| *length > INLINE_BYTES);
    size_of_val(views) + elsewhere.map(|length| length as usize).sum::<usize>()
}
