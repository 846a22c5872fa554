//! Parses schemas of names and dtypes.
//!
//! ```text
//!   dtype  = name | name "[" unit ["," zone] "]" | "decimal" "(" precision "," scale ")"
//!          | "list" "<" dtype ">" | "struct" "<" [field ("," field)*] ">"
//!   field  = name ":" dtype
//!   unit   = "s" | "ms" | "us" | "ns"
//!   schema = JSON object of names and (dtype as a string | object: a struct | list of one dtype: a list)
//! ```
//!
//! Square brackets may replace angle brackets. The names are those of Arrow, `NumPy`, pandas and Polars, in any case.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

use crate::error::SchemaError;
use crate::json::{Cursor, Fault, Kind};

/// The maximum nesting.
const MAX_DEPTH: u32 = 32;

/// Parses a dtype.
pub fn parse_dtype(dtype: &str) -> Result<DataType, SchemaError> {
    let mut parser = Parser { rest: dtype };
    let parsed = parser
        .dtype(0)
        .and_then(|data_type| parser.end().map(|()| data_type));
    parsed.map_err(|reason| SchemaError::Dtype {
        dtype: dtype.to_owned(),
        reason,
    })
}

/// The schema of fields with these names and dtypes, in order, all nullable.
pub fn schema_from_dtypes<N: AsRef<str>, D: AsRef<str>>(
    fields: impl IntoIterator<Item = (N, D)>,
) -> Result<SchemaRef, SchemaError> {
    let fields = fields
        .into_iter()
        .map(|(name, dtype)| Ok(field(name.as_ref(), parse_dtype(dtype.as_ref())?)));
    Ok(Arc::new(Schema::new(unique(
        fields.collect::<Result<_, _>>()?,
    )?)))
}

/// Parses a schema: a JSON object of names and dtypes like `{"delay": "int64", "origin": {"code": "string"}, "stops":
/// ["string"]}`.
pub fn parse_schema(json: &str) -> Result<SchemaRef, SchemaError> {
    let mut cursor = Cursor::new(json.as_bytes());
    let fields = if cursor.kind().is_ok_and(|kind| kind == Kind::Object) {
        json_fields(&mut cursor, 0)?
    } else {
        return Err(SchemaError::Text {
            reason: "it is not a JSON object".to_owned(),
        });
    };
    cursor.end().map_err(|fault| text_error(&fault))?;
    Ok(Arc::new(Schema::new(fields)))
}

fn json_fields(cursor: &mut Cursor<'_>, depth: u32) -> Result<Vec<FieldRef>, SchemaError> {
    if depth > MAX_DEPTH {
        return Err(SchemaError::Text {
            reason: "it is nested too deeply".to_owned(),
        });
    }
    let syntax = |fault: Fault| text_error(&fault);
    cursor.expect(b'{', "'{'").map_err(syntax)?;
    let mut fields = Vec::new();
    let mut more = cursor.any(b'}');
    while more {
        cursor.skip_space();
        let name = json_text(cursor)?;
        cursor.colon().map_err(syntax)?;
        fields.push(field(&name, json_dtype(cursor, depth)?));
        more = cursor.more(b'}').map_err(syntax)?;
    }
    unique(fields)
}

fn json_dtype(cursor: &mut Cursor<'_>, depth: u32) -> Result<DataType, SchemaError> {
    let syntax = |fault: Fault| text_error(&fault);
    match cursor.kind().map_err(syntax)? {
        Kind::Text => parse_dtype(&json_text(cursor)?),
        Kind::Object => Ok(DataType::Struct(json_fields(cursor, depth + 1)?.into())),
        Kind::List if depth < MAX_DEPTH => {
            cursor.take(b'[');
            let item = json_dtype(cursor, depth + 1)?;
            cursor.skip_space();
            cursor
                .expect(b']', "']' after the one type of a list's items")
                .map_err(syntax)?;
            Ok(DataType::List(field("item", item)))
        }
        _ => Err(SchemaError::Text {
            reason: "a type is a string, an object of fields, or a list of one type".to_owned(),
        }),
    }
}

fn json_text(cursor: &mut Cursor<'_>) -> Result<String, SchemaError> {
    let mut text = Vec::new();
    cursor
        .text()
        .map_err(|fault| text_error(&fault))?
        .append_to(&mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn text_error(fault: &Fault) -> SchemaError {
    SchemaError::Text {
        reason: format!("it {fault}"),
    }
}

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn unique(fields: Vec<FieldRef>) -> Result<Vec<FieldRef>, SchemaError> {
    let mut seen = std::collections::HashSet::new();
    match fields
        .iter()
        .find(|field| !seen.insert(field.name().as_str()))
    {
        Some(field) => Err(SchemaError::Duplicate {
            name: field.name().clone(),
        }),
        None => Ok(fields),
    }
}

/// The rest of the text of a dtype.
struct Parser<'a> {
    rest: &'a str,
}

type ParseResult<T> = Result<T, String>;

impl<'a> Parser<'a> {
    fn dtype(&mut self, depth: u32) -> ParseResult<DataType> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let name = self
            .word(|c| c.is_ascii_alphanumeric() || c == '_')
            .to_ascii_lowercase();
        let name = name.as_str();
        if let Some(data_type) = simple(name) {
            return Ok(data_type);
        }
        match name {
            "timestamp" | "datetime" | "datetime64" => {
                let (unit, zone) = self.unit_and_zone(TimeUnit::Microsecond)?;
                Ok(DataType::Timestamp(unit, zone.map(Into::into)))
            }
            "time" | "time32" | "time64" => Ok(match self.unit_and_zone(TimeUnit::Nanosecond)?.0 {
                unit @ (TimeUnit::Second | TimeUnit::Millisecond) => DataType::Time32(unit),
                unit => DataType::Time64(unit),
            }),
            "duration" | "timedelta" | "timedelta64" => Ok(DataType::Duration(
                self.unit_and_zone(TimeUnit::Microsecond)?.0,
            )),
            "decimal" | "decimal128" => self.decimal(),
            "list" | "array" => {
                let close = self.open()?;
                let item = self.dtype(depth + 1)?;
                self.expect(close)?;
                Ok(DataType::List(field("item", item)))
            }
            "struct" => Ok(DataType::Struct(self.fields(depth)?)),
            "" => Err(format!("a type is missing before {:?}", self.rest)),
            other => Err(format!("the type {other:?} is unknown")),
        }
    }

    fn fields(&mut self, depth: u32) -> ParseResult<Fields> {
        let close = self.open()?;
        let mut fields = Vec::new();
        while !self.take(close) {
            if !fields.is_empty() {
                self.expect(',')?;
            }
            let name = self.word(|c| !matches!(c, ':' | ',' | '<' | '>' | '[' | ']'));
            if name.is_empty() {
                return Err("a field has no name".to_owned());
            }
            self.expect(':')?;
            fields.push(field(name, self.dtype(depth + 1)?));
        }
        unique(fields)
            .map(Fields::from)
            .map_err(|_| "two fields have one name".to_owned())
    }

    fn decimal(&mut self) -> ParseResult<DataType> {
        self.expect('(')?;
        let precision = self.number()?;
        let scale = if self.take(',') { self.number()? } else { 0 };
        self.expect(')')?;
        let fits = (1..=38).contains(&precision) && (0..=precision).contains(&scale);
        if fits {
            Ok(DataType::Decimal128(precision as u8, scale as i8))
        } else {
            Err("a decimal has 1 to 38 digits, not fewer than its scale".to_owned())
        }
    }

    fn number(&mut self) -> ParseResult<u32> {
        self.word(|c| c.is_ascii_digit())
            .parse()
            .map_err(|_| "a number is missing".to_owned())
    }

    fn unit_and_zone(&mut self, default: TimeUnit) -> ParseResult<(TimeUnit, Option<&'a str>)> {
        if !(self.rest.trim_start().starts_with('[') || self.rest.trim_start().starts_with('<')) {
            return Ok((default, None));
        }
        let close = self.open()?;
        let unit = match self.word(|c| c.is_ascii_alphabetic()) {
            "s" => TimeUnit::Second,
            "ms" => TimeUnit::Millisecond,
            "us" => TimeUnit::Microsecond,
            "ns" => TimeUnit::Nanosecond,
            other => {
                return Err(format!(
                    "{other:?} is not a unit of time: use s, ms, us or ns"
                ));
            }
        };
        let mut zone = None;
        if self.take(',') {
            let _ = self
                .rest
                .trim_start()
                .strip_prefix("tz=")
                .map(|rest| self.rest = rest);
            zone = Some(self.word(|c| c != close)).filter(|zone| !zone.is_empty());
        }
        self.expect(close)?;
        Ok((unit, zone))
    }

    fn open(&mut self) -> ParseResult<char> {
        if self.take('<') {
            return Ok('>');
        }
        self.expect('[').map(|()| ']')
    }

    /// The next characters of a word, without surrounding white space.
    fn word(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        rest[..end].trim_end()
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> ParseResult<()> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(format!("expected {wanted:?} before {:?}", self.rest))
        }
    }

    fn end(&self) -> ParseResult<()> {
        if self.rest.trim().is_empty() {
            Ok(())
        } else {
            Err(format!("{:?} follows the type", self.rest))
        }
    }
}

/// Types without parameters.
fn simple(name: &str) -> Option<DataType> {
    Some(match name {
        "null" => DataType::Null,
        "bool" | "boolean" => DataType::Boolean,
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" => DataType::Int32,
        "int64" | "int" | "integer" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" => DataType::Float32,
        "float64" | "float" | "double" => DataType::Float64,
        "string" | "str" | "utf8" | "text" => DataType::Utf8,
        "large_string" | "large_utf8" => DataType::LargeUtf8,
        "string_view" | "utf8_view" => DataType::Utf8View,
        "binary" | "bytes" => DataType::Binary,
        "large_binary" => DataType::LargeBinary,
        "binary_view" => DataType::BinaryView,
        "categorical" | "category" => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        "date" | "date32" => DataType::Date32,
        "date64" => DataType::Date64,
        _ => return None,
    })
}
