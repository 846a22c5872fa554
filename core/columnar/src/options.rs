//! How records are decoded.

use std::str::FromStr;

use arrow_schema::{DataType, SchemaRef};
use headwater_record::{BatchHeader, DecompressLimit, TimestampType};

use crate::error::SchemaError;
use crate::projection::{Column, Projection};

/// What a key or a value becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The bytes as they are.
    #[default]
    Bytes,
    /// Text; bytes that are not UTF-8 are an error.
    String,
    /// A struct of the fields of a JSON object. `None`: the type is inferred ([`Infer`]), deterministically, widening to string where
    /// values disagree.
    Json(Option<SchemaRef>),
    /// JSON of a type that was inferred before ([`Decoder::formats`](crate::Decoder::formats)): text takes other values as they stand.
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

/// From which records the type of JSON without a schema is inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infer {
    /// From this many of the first values; the type then holds for all tables.
    First(usize),
    /// From all values of a table, for each table anew: no key is lost.
    EachTable,
}

/// The timestamps that are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first one, in milliseconds.
    pub from_ms: Option<i64>,
    /// The first one that is not wanted any more, in milliseconds.
    pub until_ms: Option<i64>,
}

impl TimeRange {
    /// Whether the header shows that no record of the batch is in the range.
    pub(crate) fn excludes(self, header: &BatchHeader) -> bool {
        let latest = header.max_timestamp_ms;
        // Only with log append time all records have the timestamp of the header.
        let is_exact = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
        self.from_ms.is_some_and(|from| latest < from)
            || is_exact && self.until_ms.is_some_and(|until| latest >= until)
    }
}

/// What happens with a key or value that its format cannot read. The whole schema decides, also where only some fields or other columns
/// are wanted; with [`OnError::Raise`] what is not wanted is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// [`Decoder::decode`](crate::Decoder::decode) hands over the records before, then fails and names the record.
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
    /// Whether keys and values are `BinaryView` and `Utf8View`, which share the fetched bytes, or classic `Binary` and `Utf8`, which are
    /// copies. Fields of JSON have the types that their schema gives them; inferred text is `Utf8`.
    pub views: bool,
    /// Whether the CRC of each batch is compared: wherever bytes come from a disk or a network.
    pub check_crc: bool,
    /// The most bytes that decompressing one batch may give.
    pub decompress_limit: DecompressLimit,
    /// Decoding stops before a batch that would bring the decompressed bytes of one call over this, after the first.
    pub max_decompressed_bytes: usize,
    /// From which records JSON without a schema is inferred.
    pub infer: Infer,
    /// Batches without a record of this range are passed unread. Other batches come whole.
    pub timestamps: TimeRange,
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
            infer: Infer::First(10_000),
            timestamps: TimeRange::default(),
            max_threads: 0,
        }
    }
}

impl DecodeOptions {
    /// The same records with only these columns, none of which is the key or the value: of those only what decides which records are
    /// skipped is read.
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
        }
        options
    }

    /// Whether the format of that column may refuse a record that is to be left out.
    pub(crate) fn skips_by(&self, column: Column) -> bool {
        let format = match column {
            Column::Key => &self.key,
            Column::Value => &self.value,
            _ => return false,
        };
        self.on_error == OnError::Skip && *format != Format::Bytes
    }
}
