//! Records as CSV (RFC 4180, with line feeds). Null is an empty cell and an empty text is `""`, as DuckDB and
//! PostgreSQL read them.

use std::io::{self, Write};

use super::line::RecordLine;
use crate::cli::payload::Payload;

pub(super) const HEADINGS: &str = "partition,offset,timestamp,key,value,headers";

/// Writes a record as a line.
pub(super) fn write(line: &RecordLine<'_>, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "{},{},{},",
        line.partition,
        line.offset,
        line.record.time()
    )?;
    write_payload(line.key.as_ref(), out)?;
    out.write_all(b",")?;
    write_payload(line.value.as_ref(), out)?;
    out.write_all(b",")?;
    write_text(&serde_json::to_string(&line.headers)?, out)?;
    out.write_all(b"\n")
}

/// Text as it is, and other values as JSON.
fn write_payload(payload: Option<&Payload>, out: &mut impl Write) -> io::Result<()> {
    match payload {
        None => Ok(()),
        Some(Payload::Text(text)) => write_text(text, out),
        Some(other) => write_text(&serde_json::to_string(other)?, out),
    }
}

fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    if !text.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::payload::PayloadFormat;

    fn cell(bytes: Option<&[u8]>, format: PayloadFormat) -> String {
        let payload = bytes.map(|bytes| Payload::new(bytes, format));
        let mut out = Vec::new();
        write_payload(payload.as_ref(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn null_and_empty_differ() {
        assert_eq!(cell(None, PayloadFormat::Text), "");
        assert_eq!(cell(Some(b""), PayloadFormat::Text), "\"\"");
    }

    #[test]
    fn separators_quotes_and_line_ends_are_quoted() {
        assert_eq!(cell(Some(b"late"), PayloadFormat::Text), "late");
        assert_eq!(cell(Some(b"a,b"), PayloadFormat::Text), "\"a,b\"");
        assert_eq!(
            cell(Some(b"a\n\"b\""), PayloadFormat::Text),
            "\"a\n\"\"b\"\"\""
        );
        assert_eq!(
            cell(Some(b"\xff"), PayloadFormat::Text),
            "\"{\"\"base64\"\":\"\"/w==\"\"}\""
        );
        assert_eq!(
            cell(Some(b"{\"n\":1}"), PayloadFormat::Json),
            "\"{\"\"n\"\":1}\""
        );
    }
}
