//! How records are decoded.

use std::str::FromStr;

use arrow_schema::SchemaRef;
use headwater_record::DecompressLimit;

use crate::error::SchemaError;
use crate::projection::Projection;

/// What a key or a value becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The bytes as they are.
    #[default]
    Bytes,
    /// Text; bytes that are not UTF-8 are an error.
    String,
    /// A struct of the fields of a JSON object. `None`: the schema is inferred from the first records, deterministically, widening to
    /// string where they disagree.
    Json(Option<SchemaRef>),
}

impl FromStr for Format {
    type Err = SchemaError;

    fn from_str(name: &str) -> Result<Self, SchemaError> {
        match name {
            "bytes" => Ok(Self::Bytes),
            "string" => Ok(Self::String),
            "json" => Ok(Self::Json(None)),
            _ => Err(SchemaError::UnknownFormat {
                name: name.to_owned(),
            }),
        }
    }
}

/// What happens with a key or value that its format cannot read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// [`Decoder::decode`](crate::Decoder::decode) fails and names the record.
    #[default]
    Raise,
    /// The key or value is null.
    Null,
    /// The record is left out.
    Skip,
}

impl FromStr for OnError {
    type Err = SchemaError;

    fn from_str(name: &str) -> Result<Self, SchemaError> {
        match name {
            "raise" => Ok(Self::Raise),
            "null" => Ok(Self::Null),
            "skip" => Ok(Self::Skip),
            _ => Err(SchemaError::UnknownOnError {
                name: name.to_owned(),
            }),
        }
    }
}

/// What a [`Decoder`](crate::Decoder) makes of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Which columns are built.
    pub columns: Projection,
    /// What the key is.
    pub key: Format,
    /// What the value is.
    pub value: Format,
    /// Whether the fields of a JSON value stand at the top, in the place of the column `value`.
    pub unnest: bool,
    /// What happens with a key or value that its format cannot read. A damaged batch always fails.
    pub on_error: OnError,
    /// Whether keys, values and inferred strings are `BinaryView` and `Utf8View`, which share the fetched bytes, or classic `Binary`
    /// and `Utf8`, which are copies.
    pub views: bool,
    /// Whether the CRC of each batch is compared: wherever bytes come from a disk or a network.
    pub check_crc: bool,
    /// The most bytes that decompressing one batch may give.
    pub decompress_limit: DecompressLimit,
    /// Decoding stops before a batch that would bring the decompressed bytes of one call over this, after the first.
    pub max_decompressed_bytes: usize,
    /// From how many of the first records JSON without a schema is inferred.
    pub infer_records: usize,
    /// The most threads that decode JSON; 0: as many as the machine has cores.
    pub max_threads: usize,
}

impl Default for DecodeOptions {
    /// All usual columns, bytes, views, CRC checked.
    fn default() -> Self {
        Self {
            columns: Projection::default(),
            key: Format::Bytes,
            value: Format::Bytes,
            unnest: false,
            on_error: OnError::Raise,
            views: true,
            check_crc: true,
            decompress_limit: DecompressLimit::default(),
            max_decompressed_bytes: 256 << 20,
            infer_records: 10_000,
            max_threads: 0,
        }
    }
}
