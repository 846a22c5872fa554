//! Reads messages from a buffer written by TypeScript, as an Arrow table of keys, values, headers, timestamps and
//! partitions.
//!
//! ```text
//! row      flags u8 (1 key, 2 value, 4 timestamp, 8 partition), [timestamp f64], [partition i32], [key bytes],
//!          [value bytes], headers u16, headers * header
//! header   name bytes, flag u8 (1 value), [value bytes]
//! bytes    length u32, then this many bytes
//! ```
//! Numbers are little-endian.

use arrow_array::RecordBatch;
use headwater::columnar::RowTable;
use headwater::{Error, ErrorKind, PartitionId, Result};

/// Reads the rows of a buffer.
pub(crate) fn table(buffer: &[u8], rows: usize) -> Result<RecordBatch> {
    let mut reader = Reader { rest: buffer };
    let mut table = RowTable::default();
    for _ in 0..rows {
        row(&mut reader, &mut table).ok_or_else(damaged)?;
    }
    if reader.rest.is_empty() {
        Ok(table.finish())
    } else {
        Err(damaged())
    }
}

fn damaged() -> Error {
    let message = "The buffer of messages is damaged. Please report this.";
    Error::new(ErrorKind::InvalidArgument, message)
}

fn row(reader: &mut Reader<'_>, table: &mut RowTable) -> Option<()> {
    let flags = reader.byte()?;
    if flags & 4 != 0 {
        table.timestamp_ms(f64::from_le_bytes(reader.array()?) as i64);
    }
    if flags & 8 != 0 {
        table.partition(PartitionId::new(i32::from_le_bytes(reader.array()?)));
    }
    if flags & 1 != 0 {
        table.key(reader.bytes()?);
    }
    if flags & 2 != 0 {
        table.value(reader.bytes()?);
    }
    for _ in 0..u16::from_le_bytes(reader.array()?) {
        let name = std::str::from_utf8(reader.bytes()?).ok()?;
        let value = match reader.byte()? {
            0 => None,
            _ => Some(reader.bytes()?),
        };
        table.header(name, value);
    }
    table.end_row();
    Some(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(length as usize)
    }
}
