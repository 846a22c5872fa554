//! The output formats of commands: tables on a terminal, tab-separated columns in a pipe, JSON on request.

use std::io::{self, IsTerminal as _, Write};

use clap::Args;
use serde::Serialize;

use super::exit::Failure;
use super::table::TablePrinter;
use super::terminal;

/// A row of output.
pub(crate) trait Row: Serialize {
    /// The names of its columns.
    const HEADINGS: &'static [&'static str];

    /// The values of its columns.
    fn cells(&self) -> Vec<String>;

    /// The values of its columns for people.
    fn table_cells(&self) -> Vec<String> {
        self.cells()
    }
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// Print JSON, one object on each line
    #[arg(long)]
    json: bool,
}

/// The layout of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Aligned columns with headings, for people.
    Table,
    /// Tab-separated cells without headings, for programs.
    Tabs,
    /// One JSON object per line.
    Json,
}

impl Output {
    pub(crate) fn layout(self) -> Layout {
        if self.json {
            Layout::Json
        } else if io::stdout().is_terminal() {
            Layout::Table
        } else {
            Layout::Tabs
        }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints the rows.
    pub(crate) fn print<R: Row>(self, rows: &[R]) -> Result<(), Failure> {
        print(rows, self.layout(), &mut io::stdout().lock())
    }
}

/// Writes the rows to `out`.
pub(crate) fn print<R: Row>(
    rows: &[R],
    layout: Layout,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let written = match layout {
        Layout::Table => write_table(rows, &mut TablePrinter::default(), out),
        Layout::Tabs => write_tabs(rows, out),
        Layout::Json => write_json(rows, out),
    };
    written.map_err(|error| Failure::of_output(&error))
}

/// Prints one object.
pub(crate) fn print_object(object: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, object)
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| Failure::of_output(&error))
}

/// Writes the rows as the next part of a table.
pub(crate) fn write_table<R: Row>(
    rows: &[R],
    table: &mut TablePrinter,
    out: &mut impl Write,
) -> io::Result<()> {
    let cells = rows
        .iter()
        .map(|row| row.table_cells().into_iter().map(printable).collect());
    table.print(R::HEADINGS, cells, terminal::width(), out)
}

fn write_tabs<R: Row>(rows: &[R], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        let cells: Vec<_> = row.cells().into_iter().map(printable).collect();
        writeln!(out, "{}", cells.join("\t"))?;
    }
    out.flush()
}

/// Writes the rows as JSON, one object per line.
pub(crate) fn write_json<R: Serialize>(rows: &[R], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, row)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Escapes characters that would break the line or control the terminal.
pub(crate) fn printable(cell: String) -> String {
    if cell.chars().any(char::is_control) {
        cell.chars().map(escaped).collect()
    } else {
        cell
    }
}

fn escaped(letter: char) -> String {
    if letter.is_control() {
        letter.escape_default().to_string()
    } else {
        letter.to_string()
    }
}

/// A cell for an optional value.
pub(crate) fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Pair {
        name: String,
        count: u32,
    }

    impl Row for Pair {
        const HEADINGS: &'static [&'static str] = &["NAME", "COUNT"];

        fn cells(&self) -> Vec<String> {
            vec![self.name.clone(), self.count.to_string()]
        }
    }

    fn shown(layout: Layout) -> String {
        let rows = ["a", "with\ttab\u{1b}"].map(|name| Pair {
            name: name.to_owned(),
            count: 7,
        });
        let mut out = Vec::new();
        print(&rows, layout, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn characters_that_break_a_line_are_escaped() {
        assert_eq!(shown(Layout::Tabs), "a\t7\nwith\\ttab\\u{1b}\t7\n");
    }

    #[test]
    fn a_table_has_headings() {
        let table = shown(Layout::Table);
        let words: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(words, ["NAME", "COUNT"]);
    }

    #[test]
    fn json_has_an_object_on_each_line() {
        assert!(shown(Layout::Json).starts_with("{\"name\":\"a\",\"count\":7}\n{"));
    }
}
