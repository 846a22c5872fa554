//! View types to classic ones.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

/// The schema with `Binary` and `Utf8` in the place of the view types, in nested fields too.
pub fn classic_schema(schema: &SchemaRef) -> SchemaRef {
    todo!("{schema:?}")
}

/// The table with classic types in the place of view types, in nested columns too: the bytes of these columns are copied.
pub fn to_classic(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    todo!("{batch:?}")
}

/// The table with its view columns copied into buffers of their own, where they keep much more alive than they show: for a small result
/// that outlives a large fetch.
pub fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    todo!("{batch:?}")
}
