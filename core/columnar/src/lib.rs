//! Record batches to Arrow and back; schemas.
//!
//! - [`Decoder`] turns fetched bytes ([`FetchedBatches`]) into one `arrow::RecordBatch` of the record schema: keys and values are views into
//!   the bytes that were read, or classic arrays, or what their [`Format`] makes of them. What [`Projection`] leaves out is not built.
//!   Records of aborted transactions ([`FetchedBatches::aborted`]) and control batches are left out.
//! - [`Encoder`] turns an `arrow::RecordBatch` into record batches for each partition, in one pass over the rows.
//! - [`parse_schema`] and [`parse_dtype`] read schemas written as names and dtypes (`{"delay": "int64"}`).
//! - [`json_texts`] writes the values of a column as JSON.
//! - [`partition_for_key`] is Kafka's default partitioner.
//!
//! # The record schema
//!
//! ```text
//! partition  int32
//! offset     int64
//! timestamp  timestamp[ms, UTC]
//! key        binary, string, or the type of its JSON
//! value      binary, string, or the type of its JSON; with `unnest` its fields instead (with a prefix, if they have
//!            the name of a record column)
//! headers    list<struct<key: utf8, value: binary>>
//! topic      dictionary<int32, utf8>      on request
//! timestamp_type  int8                    on request: 0 create time, 1 log append time
//! leader_epoch    int32                   on request
//! ```

#![allow(
    clippy::inline_always,
    reason = "measured: in the loops over records a call costs as much as the called function"
)]

mod classic;
mod decode;
mod dtype;
mod encode;
mod error;
mod json;
mod murmur2;
mod options;
mod projection;
mod temporal;
mod trusted;
mod zeros;

pub use classic::{classic_schema, compact, fields_without_views, to_classic};
pub use decode::{Decoded, Decoder, FetchedBatches, NewField, UndecodedRecord};
pub use dtype::{parse_dtype, parse_schema, schema_from_dtypes};
pub use encode::{
    BatchRows, EncodeOptions, EncodedBatch, EncodedBatches, Encoder, KeyValueColumns, RowTable,
    Stamping, json_texts,
};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, SchemaError};
pub use murmur2::{murmur2, partition_for_key};
pub use options::{DecodeOptions, Format, Infer, OnError, TimeRange};
pub use projection::{Column, Projection};
