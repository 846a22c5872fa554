//! Schemas written as names and dtypes.

use arrow_schema::{DataType, SchemaRef};

use crate::error::SchemaError;

/// The type that a dtype names.
pub fn parse_dtype(dtype: &str) -> Result<DataType, SchemaError> {
    todo!("{dtype}")
}

/// The schema of fields with these names and dtypes, in order, all nullable.
pub fn schema_from_dtypes<N: AsRef<str>, D: AsRef<str>>(fields: impl IntoIterator<Item = (N, D)>) -> Result<SchemaRef, SchemaError> {
    let _ = fields.into_iter().map(|(n, d)| (n.as_ref().len(), d.as_ref().len())).count();
    todo!()
}

/// The schema that a JSON object of names and dtypes describes: `{"delay": "int64", "origin": {"code": "string"}}`.
pub fn parse_schema(json: &str) -> Result<SchemaRef, SchemaError> {
    todo!("{json}")
}
