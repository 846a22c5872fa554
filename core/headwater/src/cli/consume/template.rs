//! The format string of raw output, with the escapes of kcat's `-f`.

use std::io::{self, Write};
use std::str::FromStr;

use super::record::TableRecord;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Field>);

/// A part of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    /// The length of the key in bytes, or -1 for null.
    KeyLength,
    Value,
    /// The length of the value in bytes, or -1 for null.
    ValueLength,
    /// The length of the value as a big-endian integer of four bytes.
    BinaryValueLength,
    Headers,
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fields = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            match first {
                b'%' => fields.push(field(&mut rest)?),
                b'\\' => push(&mut fields, escape(&mut rest)?),
                byte => push(&mut fields, *byte),
            }
        }
        Ok(Self(fields))
    }
}

/// The field after a percent sign.
fn field(rest: &mut &[u8]) -> Result<Field, String> {
    let letter = next(rest).ok_or("it ends with %: write %% for a percent sign")?;
    Ok(match letter {
        b't' => Field::Topic,
        b'p' => Field::Partition,
        b'o' => Field::Offset,
        b'T' => Field::Timestamp,
        b'k' => Field::Key,
        b'K' => Field::KeyLength,
        b's' => Field::Value,
        b'S' => Field::ValueLength,
        b'R' => Field::BinaryValueLength,
        b'h' => Field::Headers,
        b'%' => Field::Text(vec![b'%']),
        other => {
            return Err(format!(
                "%{} is not a field: use %t, %p, %o, %T, %k, %K, %s, %S, %R or %h, or %% for a percent sign",
                char::from(other).escape_default()
            ));
        }
    })
}

/// The byte after a backslash.
fn escape(rest: &mut &[u8]) -> Result<u8, String> {
    let letter = next(rest).ok_or("it ends with \\: write \\\\ for a backslash")?;
    Ok(match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'\\' => b'\\',
        b'x' => {
            let digits = rest
                .split_off(..2)
                .and_then(|digits| str::from_utf8(digits).ok());
            digits
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or("\\x needs two hexadecimal digits, such as \\x1f")?
        }
        other => {
            return Err(format!(
                "\\{} is not an escape: use \\n, \\r, \\t, \\xNN, or \\\\ for a backslash",
                char::from(other).escape_default()
            ));
        }
    })
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    rest.split_off_first().copied()
}

fn push(fields: &mut Vec<Field>, byte: u8) {
    match fields.last_mut() {
        Some(Field::Text(text)) => text.push(byte),
        _ => fields.push(Field::Text(vec![byte])),
    }
}

impl Template {
    /// Writes a record.
    pub(super) fn write(
        &self,
        topic: &str,
        record: &TableRecord<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for field in &self.0 {
            match field {
                Field::Text(text) => out.write_all(text)?,
                Field::Topic => out.write_all(topic.as_bytes())?,
                Field::Partition => write!(out, "{}", record.partition)?,
                Field::Offset => write!(out, "{}", record.offset)?,
                Field::Timestamp => write!(out, "{}", record.timestamp)?,
                Field::Key => out.write_all(record.key.unwrap_or_default())?,
                Field::KeyLength => write!(out, "{}", length(record.key))?,
                Field::Value => out.write_all(record.value.unwrap_or_default())?,
                Field::ValueLength => write!(out, "{}", length(record.value))?,
                Field::BinaryValueLength => out.write_all(&length(record.value).to_be_bytes())?,
                Field::Headers => write_headers(record, out)?,
            }
        }
        Ok(())
    }
}

/// `name=value` pairs with commas; a value that is null is `NULL`.
fn write_headers(record: &TableRecord<'_>, out: &mut impl Write) -> io::Result<()> {
    for (index, (name, value)) in record.headers.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(out, "{comma}{name}=")?;
        out.write_all(value.unwrap_or(b"NULL"))?;
    }
    Ok(())
}

fn length(bytes: Option<&[u8]>) -> i32 {
    bytes.map_or(-1, |bytes| bytes.len() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(template: &str, value: Option<&[u8]>) -> Vec<u8> {
        let record = TableRecord {
            partition: 1,
            offset: 42,
            timestamp: 1_700_000_000_000,
            key: Some(b"UA"),
            value,
            headers: vec![("gate", Some(b"B7")), ("note", None)],
        };
        let template: Template = template.parse().unwrap();
        let mut out = Vec::new();
        template.write("flights", &record, &mut out).unwrap();
        out
    }

    #[test]
    fn every_field_is_written_as_by_kcat() {
        assert_eq!(
            written("%t[%p]@%o %T %K:%k %S:%s %h\\n", Some(b"late")),
            b"flights[1]@42 1700000000000 2:UA 4:late gate=B7,note=NULL\n"
        );
        assert_eq!(written("%S,%s.", None), b"-1,.");
        assert_eq!(written("%R", Some(b"late")), [0, 0, 0, 4]);
        assert_eq!(written("%R", None), [0xff; 4]);
    }

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(
            written("100%%\\t\\x00\\x1F\\\\\\r", None),
            b"100%\t\x00\x1f\\\r"
        );
        assert_eq!(written("\u{e9}%s", Some(b"\xff")), b"\xc3\xa9\xff");
    }

    #[test]
    fn an_unknown_escape_is_an_error_with_the_known_ones() {
        for (template, reason) in [
            ("%", "it ends with %"),
            ("%x", "%x is not a field"),
            ("%s\\", "it ends with \\"),
            ("\\q", "\\q is not an escape"),
            ("\\x1", "two hexadecimal digits"),
            ("\\x+1", "two hexadecimal digits"),
        ] {
            let error = template.parse::<Template>().unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
