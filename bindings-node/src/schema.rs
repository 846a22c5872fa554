//! The names and types of a table's columns.

use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use headwater::columnar::classic_schema;
use headwater::{Error, ErrorKind, Result};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// A column of a table.
#[napi(object, object_from_js = false)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type, by the name that Arrow's Rust library gives it.
    #[napi(js_name = "type")]
    pub data_type: String,
}

/// A table before it is read.
#[napi(object, object_from_js = false)]
pub struct TableDescription {
    /// The columns, in order.
    pub columns: Vec<TableColumn>,
    /// A table without rows in the stream format of Arrow IPC.
    pub empty_table: Buffer,
}

/// The columns of a schema of the core.
pub(crate) fn described(schema: &SchemaRef) -> Result<TableDescription> {
    let classic = classic_schema(schema);
    let empty_table = empty_stream(&classic).map_err(|error| {
        let message = format!("The schema cannot be written as Arrow IPC: {error}.");
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    Ok(TableDescription {
        columns: columns(&classic),
        empty_table: empty_table.into(),
    })
}

pub(crate) fn columns(schema: &Schema) -> Vec<TableColumn> {
    let fields = schema.fields().iter();
    let column = fields.map(|field| TableColumn {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
    });
    column.collect()
}

fn empty_stream(schema: &Schema) -> std::result::Result<Vec<u8>, ArrowError> {
    StreamWriter::try_new(Vec::new(), schema)?.into_inner()
}
