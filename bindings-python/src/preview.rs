//! The first rows of a table as text and as HTML. Both are bounded, whatever the table contains.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Field, TimeUnit};

use crate::texts::count;

/// The rows shown of a table.
const ROWS: usize = 10;
/// The width of a text in characters, at which further columns are left out.
const TEXT_WIDTH: usize = 120;
/// The characters shown of a cell in a text, and in HTML.
const TEXT_CELL: usize = 32;
const HTML_CELL: usize = 100;
/// The columns shown in HTML, and the columns named below a table.
const HTML_COLUMNS: usize = 40;
const NAMED_COLUMNS: usize = 10;

/// The first rows of a table, aligned, below the number of its records.
pub(crate) fn text(records: &RecordBatch) -> String {
    let mut lines = vec![format!("Batch({})", count(records.num_rows(), "record"))];
    let shown = records.num_rows().min(ROWS);
    if shown == 0 {
        return lines.remove(0);
    }
    lines.resize(shown + 2, String::new());
    let mut width = 0;
    let mut columns = 0;
    let schema = records.schema();
    for (field, column) in schema.fields().iter().zip(records.columns()) {
        let cells = cells(field, column, shown, TEXT_CELL);
        let cell_width = cells.iter().map(|cell| cell.chars().count()).max();
        let cell_width = cell_width.unwrap_or(0) + 2;
        if columns > 0 && width + cell_width > TEXT_WIDTH {
            break;
        }
        width += cell_width;
        columns += 1;
        let is_number = column.data_type().is_numeric();
        for (line, cell) in lines[1..].iter_mut().zip(cells) {
            let padding = " ".repeat(cell_width - 2 - cell.chars().count());
            let (before, after) = if is_number {
                (&*padding, "")
            } else {
                ("", &*padding)
            };
            // Writing to a String cannot fail.
            let _ = write!(line, "  {before}{cell}{after}");
        }
    }
    lines.extend(rest(records, shown, columns).map(|rest| format!("  {rest}")));
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

/// The same as an HTML table with the types of the columns.
pub(crate) fn html(records: &RecordBatch) -> String {
    let shown = records.num_rows().min(ROWS);
    let schema = records.schema();
    let columns = schema.fields().len().min(HTML_COLUMNS);
    let fields = || schema.fields().iter().take(HTML_COLUMNS);
    let names = row("th", fields().map(|field| cut(field.name(), HTML_CELL)));
    let types = fields().map(|field| cut(field.data_type().to_string(), TEXT_CELL));
    let types = row("td", types);
    let columns_of_cells: Vec<_> = fields()
        .zip(records.columns())
        .map(|(field, column)| cells(field, column, shown, HTML_CELL))
        .collect();
    let rows: String = (1..=shown)
        .map(|at| row("td", columns_of_cells.iter().map(|cells| cells[at].clone())))
        .collect();
    let rest = rest(records, shown, columns);
    let rest = rest.map(|rest| format!("<small>{}</small>", escaped(&rest)));
    format!(
        "<div><small>{}</small><table border=\"1\" class=\"dataframe\"><thead>{names}{types}</thead><tbody>{rows}</tbody></table>{}</div>",
        count(records.num_rows(), "record"),
        rest.unwrap_or_default()
    )
}

/// The rows and columns that are not shown, as text.
fn rest(records: &RecordBatch, rows: usize, columns: usize) -> Option<String> {
    let mut rest = Vec::new();
    if records.num_rows() > rows {
        rest.push(count(records.num_rows() - rows, "row"));
    }
    let schema = records.schema();
    let hidden = &schema.fields()[columns..];
    if !hidden.is_empty() {
        let names = hidden.iter().take(NAMED_COLUMNS);
        let names: Vec<_> = names.map(|field| cut(field.name(), TEXT_CELL)).collect();
        let dots = if hidden.len() > NAMED_COLUMNS {
            ", …"
        } else {
            ""
        };
        rest.push(format!(
            "{} ({}{dots})",
            count(hidden.len(), "column"),
            names.join(", ")
        ));
    }
    (!rest.is_empty()).then(|| format!("… and {} more", rest.join(" and ")))
}

/// The name of a column and its first cells, each of at most `width` characters.
fn cells(field: &Field, column: &ArrayRef, rows: usize, width: usize) -> Vec<String> {
    let name = cut(field.name(), width);
    let options = FormatOptions::default().with_null("null");
    let column = in_utc(&column.slice(0, rows));
    let column = &column;
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options);
    let cell = |at: usize| match (bytes(column, at), &formatter) {
        (Some(bytes), _) => bytes_literal(bytes, width),
        (None, Ok(formatter)) => cut(formatter.value(at), width),
        (None, Err(_)) => "?".to_owned(),
    };
    [name].into_iter().chain((0..rows).map(cell)).collect()
}

/// The same column with times as an offset from UTC. The formatter has no table of time zones.
fn in_utc(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, Some(_)) => {
            times_in_utc::<TimestampSecondType>(column)
        }
        DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => {
            times_in_utc::<TimestampMillisecondType>(column)
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            times_in_utc::<TimestampMicrosecondType>(column)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => {
            times_in_utc::<TimestampNanosecondType>(column)
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            let object = column.as_struct();
            let columns: Vec<_> = object.columns().iter().map(in_utc).collect();
            let fields = fields.iter().zip(&columns);
            let fields = fields
                .map(|(field, column)| retyped(field, column))
                .collect();
            Arc::new(StructArray::new(fields, columns, object.nulls().cloned()))
        }
        DataType::List(field) => {
            let list = column.as_list::<i32>();
            let items = in_utc(list.values());
            let field = retyped(field, &items);
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::new(Arc::new(field), offsets, items, nulls))
        }
        _ => Arc::clone(column),
    }
}

fn times_in_utc<T: ArrowTimestampType>(column: &ArrayRef) -> ArrayRef {
    Arc::new(column.as_primitive::<T>().clone().with_timezone("+00:00"))
}

fn retyped(field: &Field, column: &ArrayRef) -> Field {
    Field::new(
        field.name(),
        column.data_type().clone(),
        field.is_nullable(),
    )
}

/// The bytes of a cell, if the column has bytes and the cell is not null.
fn bytes(column: &ArrayRef, row: usize) -> Option<&[u8]> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Binary => Some(column.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(column.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(column.as_binary_view().value(row)),
        _ => None,
    }
}

/// Bytes as Python writes them.
fn bytes_literal(bytes: &[u8], width: usize) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    // An escaped byte has up to four characters.
    let shown = &bytes[..bytes.len().min(width)];
    let mut literal = format!("b{quote}");
    for byte in shown {
        match byte {
            b'\'' if quote == '\'' => literal.push_str("\\'"),
            b'\'' | b'"' => literal.push(char::from(*byte)),
            byte => literal.extend(byte.escape_ascii().map(char::from)),
        }
    }
    if shown.len() == bytes.len() {
        literal.push(quote);
    }
    let literal = cut(&literal, width);
    if shown.len() < bytes.len() && !literal.ends_with('…') {
        return format!("{literal}…");
    }
    literal
}

/// Writes at most a number of characters, with control characters escaped. Writing fails at the limit, so that a large
/// value is not written to its end.
struct BoundedText {
    text: String,
    left: usize,
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if self.left == 0 {
                return Err(fmt::Error);
            }
            self.left -= 1;
            if letter.is_control() {
                self.text.extend(letter.escape_default());
            } else {
                self.text.push(letter);
            }
        }
        Ok(())
    }
}

/// The first `width` characters of a value.
fn cut(value: impl fmt::Display, width: usize) -> String {
    let mut bounded = BoundedText {
        text: String::new(),
        left: width,
    };
    match write!(bounded, "{value}") {
        Ok(()) => bounded.text,
        Err(fmt::Error) if bounded.left == 0 => {
            bounded.text.pop();
            bounded.text.push('…');
            bounded.text
        }
        Err(fmt::Error) => "?".to_owned(),
    }
}

fn row(tag: &str, cells: impl Iterator<Item = String>) -> String {
    let mut html = String::from("<tr>");
    for cell in cells {
        html.extend(["<", tag, ">", &escaped(&cell), "</", tag, ">"]);
    }
    html.push_str("</tr>");
    html
}

/// A text for HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
