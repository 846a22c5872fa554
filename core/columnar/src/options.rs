//! The options of decoding.

use std::str::FromStr;

use arrow_schema::{DataType, SchemaRef};
use headwater_record::{BatchHeader, DecompressLimit, TimestampType};

use crate::error::SchemaError;
use crate::projection::{Column, Projection};

/// The format of a key or a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Unchanged bytes.
    #[default]
    Bytes,
    /// Text. Bytes that are not UTF-8 are an error.
    String,
    /// A struct of the fields of a JSON object. `None`: the type is inferred ([`Infer`]), deterministically, and
    /// widened to string if values disagree.
    Json(Option<SchemaRef>),
    /// JSON of a previously inferred type ([`Decoder::formats`](crate::Decoder::formats)): text fields accept other
    /// values as their JSON text.
    InferredJson(DataType),
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

/// The records from which the type of JSON without a schema is inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infer {
    /// This many of the first values; the type then holds for all tables.
    First(usize),
    /// All values of each table separately: no key is lost.
    EachTable,
}

/// A range of timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The start (inclusive), in milliseconds.
    pub from_ms: Option<i64>,
    /// The end (exclusive), in milliseconds.
    pub until_ms: Option<i64>,
}

impl TimeRange {
    /// Whether the header proves that no record of the batch is in the range.
    pub(crate) fn excludes(self, header: &BatchHeader) -> bool {
        let latest = header.max_timestamp_ms;
        // Only with log append time do all records have the timestamp of the header.
        let is_exact = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
        self.from_ms.is_some_and(|from| latest < from)
            || is_exact && self.until_ms.is_some_and(|until| latest >= until)
    }
}

/// The handling of a key or value that its format cannot read. The whole schema decides, even if only some fields or
/// other columns are requested; but with [`OnError::Raise`] and without a rest, columns that are not requested are not
/// read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// [`Decoder::decode`](crate::Decoder::decode) returns the records before, then fails with the record.
    #[default]
    Raise,
    /// The key or value is null.
    Null,
    /// The record is skipped.
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

/// The options of a [`Decoder`](crate::Decoder).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// The columns to build.
    pub columns: Projection,
    /// The format of the key.
    pub key: Format,
    /// The format of the value.
    pub value: Format,
    /// Whether the fields of a JSON value become columns in place of the column `value`.
    pub unnest: bool,
    /// The prefix of the name of such a column if the field has the name of a record column (other than `value`): a
    /// field `timestamp` becomes `json_timestamp`.
    pub unnest_prefix: String,
    /// The name of an additional text field of a JSON value, with the keys that its type does not name: an object in
    /// JSON, or null. Fields whose objects have such keys are in it as a whole. `None`: it is left out.
    pub rest: Option<String>,
    /// The handling of a key or value that its format cannot read. A damaged batch always fails.
    pub on_error: OnError,
    /// Whether keys and values are `BinaryView` and `Utf8View`, which share the fetched bytes, or classic `Binary` and
    /// `Utf8`, which are copies. Fields of JSON have the types of their schema; inferred text is `Utf8`.
    pub views: bool,
    /// Whether the CRC of each batch is checked: enable it for bytes from a disk or a network.
    pub check_crc: bool,
    /// The size limit of one decompressed batch.
    pub decompress_limit: DecompressLimit,
    /// The limit for the decompressed bytes of one call: decoding stops before the batch that would exceed it, except
    /// the first.
    pub max_decompressed_bytes: usize,
    /// The records from which the type of JSON without a schema is inferred.
    pub infer: Infer,
    /// Batches without a record in this range are skipped. Other batches are decoded completely.
    pub timestamps: TimeRange,
    /// The maximum number of threads that decode JSON; 0: as many as the machine has cores.
    pub max_threads: usize,
}

impl Default for DecodeOptions {
    /// All usual columns, bytes, views, with CRC check.
    fn default() -> Self {
        Self {
            columns: Projection::default(),
            key: Format::Bytes,
            value: Format::Bytes,
            unnest: false,
            unnest_prefix: "json_".to_owned(),
            rest: None,
            on_error: OnError::Raise,
            views: true,
            check_crc: true,
            decompress_limit: DecompressLimit::default(),
            max_decompressed_bytes: 256 << 20,
            infer: Infer::First(10_000),
            timestamps: TimeRange::default(),
            max_threads: 0,
        }
    }
}

impl DecodeOptions {
    /// Options for the same records with only these columns, which must not include key and value. Those are read only
    /// if they decide which records are skipped.
    #[must_use]
    pub fn with_only(&self, columns: Projection) -> Self {
        let mut options = Self {
            columns,
            ..self.clone()
        };
        if options.on_error != OnError::Skip {
            options.key = Format::Bytes;
            options.value = Format::Bytes;
            options.unnest = false;
            options.rest = None;
        }
        options
    }

    /// Whether the format of that column can cause records to be skipped.
    pub(crate) fn skips_by(&self, column: Column) -> bool {
        let format = match column {
            Column::Key => &self.key,
            Column::Value => &self.value,
            _ => return false,
        };
        self.on_error == OnError::Skip && *format != Format::Bytes
    }
}
