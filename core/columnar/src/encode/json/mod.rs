//! Writes Arrow values as JSON text, each exactly or not at all.
//!
//! ```text
//! integers, decimals  numbers, with all their digits
//! floats              the shortest number that reads back as the same float; NaN and infinities are refused
//! text                strings
//! bytes               strings of hexadecimal digits
//! dates               "2013-01-31", from year 1 to year 9999
//! times               "15:04:05.250", below 24 hours
//! timestamps          "2013-01-31T15:04:05Z", years 1 to 9999; with a zone in UTC and with Z, without one without
//! durations           "PT90.5S", "-PT1S"
//! lists, structs      lists, objects with all fields; null is null
//! maps                objects; keys are text
//! dictionaries, runs  as the values they stand for
//! ```

mod nested;
mod scalar;
mod temporal;
mod text;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};

/// Writes the value of a row, which is not null.
type Write = Box<dyn Fn(usize, &mut Vec<u8>) -> Result<(), Refusal> + Send + Sync>;

/// Whether dates and times are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// In a JSON document.
    Json,
    /// As a whole key or value, which is only their text.
    None,
}

/// A value that JSON cannot express, though it can express its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The names of the fields that contain the value, outermost first.
    pub(super) path: Vec<String>,
    pub(super) reason: &'static str,
}

impl Refusal {
    fn new(reason: &'static str) -> Self {
        Self {
            path: Vec::new(),
            reason,
        }
    }

    fn inside(mut self, field: &str) -> Self {
        self.path.insert(0, field.to_owned());
        self
    }
}

/// A type that JSON cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnwritableType {
    /// The names of the fields that contain the type, outermost first.
    pub(super) path: Vec<String>,
    pub(super) data_type: String,
    pub(super) advice: &'static str,
}

impl UnwritableType {
    fn new(data_type: &DataType, advice: &'static str) -> Self {
        Self {
            path: Vec::new(),
            data_type: data_type.to_string(),
            advice,
        }
    }

    fn inside(mut self, field: &str) -> Self {
        self.path.insert(0, field.to_owned());
        self
    }
}

/// Writes the values of one column.
pub(super) struct Writer {
    nulls: Option<NullBuffer>,
    write: Write,
    /// The length of the longest text.
    longest: usize,
    /// Whether a value can be refused.
    may_refuse: bool,
}

impl Writer {
    /// A writer for a column, or the reason why its type cannot be written.
    pub(super) fn new(
        field: &Field,
        array: &ArrayRef,
        quotes: Quotes,
    ) -> Result<Self, UnwritableType> {
        use DataType as D;
        if let Some(advice) = field.extension_type_name().and_then(advice_about_extension) {
            return Err(UnwritableType::new(field.data_type(), advice));
        }
        match array.data_type() {
            D::List(_)
            | D::LargeList(_)
            | D::FixedSizeList(..)
            | D::ListView(_)
            | D::LargeListView(_)
            | D::Struct(_)
            | D::Map(..) => nested::writer(array),
            D::Dictionary(..) => nested::dictionary(field, array, quotes),
            D::RunEndEncoded(_, values) => {
                let plain = arrow_cast::cast(array, values.data_type()).map_err(|_| {
                    UnwritableType::new(array.data_type(), "cast it to the type of its values")
                })?;
                Self::new(values, &plain, quotes)
            }
            data_type if data_type.is_temporal() => temporal::writer(array, quotes),
            _ => scalar::writer(array),
        }
    }

    /// A writer for values that are never refused.
    fn sure(array: &dyn Array, longest: usize, write: Write) -> Self {
        Self {
            nulls: array.logical_nulls(),
            write,
            longest,
            may_refuse: false,
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the text of a row; `null` for null.
    #[inline]
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        (self.write)(row, out)
    }

    /// An upper bound of the length of a text.
    pub(super) fn longest(&self) -> usize {
        self.longest.max(b"null".len())
    }

    /// Whether a value can be refused; if not, [`Writer::write`] does not fail.
    pub(super) fn may_refuse(&self) -> bool {
        self.may_refuse
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("longest", &self.longest)
            .field("may_refuse", &self.may_refuse)
            .finish_non_exhaustive()
    }
}

/// The remedy for extension types whose storage does not express their meaning.
fn advice_about_extension(name: &str) -> Option<&'static str> {
    Some(match name {
        "pandas.period" => "convert it with .dt.to_timestamp() or .astype(str)",
        "pandas.interval" => "send its ends as two columns",
        "arrow.opaque" => "cast it to a type that Arrow has",
        _ => return None,
    })
}
