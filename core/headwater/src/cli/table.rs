//! A table for people: aligned columns with headings, cut to the width of the terminal.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

use super::terminal;

/// Prints rows in several parts as one table: headings once, and columns that only become wider.
#[derive(Debug, Clone, Default)]
pub(crate) struct TablePrinter {
    /// The width of each column so far; empty before the first part.
    widths: Vec<u16>,
}

impl TablePrinter {
    /// Prints a part of the table. `columns` is the width of the terminal; without it, nothing is cut.
    pub(crate) fn print(
        &mut self,
        headings: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
        columns: Option<u16>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let is_first = self.widths.is_empty();
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_truncation_indicator("…")
            .set_header(headings);
        for cells in rows {
            let mut row = Row::from(cells);
            if columns.is_some() {
                row.max_height(1);
            }
            table.add_row(row);
        }
        match columns {
            Some(columns) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(columns),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        self.widen(&mut table, columns);
        let mut lines = table.lines();
        let heading = lines.next().unwrap_or_default();
        if is_first {
            writeln!(out, "{}", terminal::heading().apply_to(heading.trim_end()))?;
        }
        for line in lines {
            writeln!(out, "{}", line.trim_end())?;
        }
        out.flush()
    }

    /// Makes the columns of this part at least as wide as those of earlier parts, if they fit.
    fn widen(&mut self, table: &mut Table, columns: Option<u16>) {
        let widths = table.column_max_content_widths();
        self.widths.resize(widths.len(), 0);
        for (known, width) in self.widths.iter_mut().zip(widths) {
            *known = width.max(*known);
        }
        // A column is followed by a space on each side.
        let whole: usize = self
            .widths
            .iter()
            .map(|width| usize::from(*width) + 2)
            .sum();
        if columns.is_none_or(|columns| whole <= usize::from(columns)) {
            table.set_constraints(
                self.widths
                    .iter()
                    .map(|width| ColumnConstraint::LowerBoundary(Width::Fixed(width + 2))),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(parts: &[&[&str]], columns: Option<u16>) -> Vec<String> {
        console::set_colors_enabled(false);
        let mut printer = TablePrinter::default();
        let mut out = Vec::new();
        for part in parts {
            let rows = part
                .iter()
                .map(|value| vec!["7".to_owned(), (*value).to_owned()]);
            printer
                .print(&["OFFSET", "VALUE"], rows, columns, &mut out)
                .unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn parts_are_one_table() {
        let lines = printed(&[&["a", "bc"], &["d"]], None);
        assert_eq!(
            lines,
            [" OFFSET  VALUE", " 7       a", " 7       bc", " 7       d"]
        );
    }

    #[test]
    fn a_line_is_not_wider_than_the_terminal() {
        let wide = "word ".repeat(40);
        let lines = printed(&[&[&wide, "short"], &[&"x".repeat(200)]], Some(60));
        assert_eq!(lines.len(), 4);
        assert!(
            lines.iter().all(|line| line.chars().count() <= 60),
            "{lines:?}"
        );
        assert!(
            lines[1].contains('…') && lines[3].contains('…'),
            "{lines:?}"
        );
        assert!(lines[2].ends_with("short"));
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let lines = printed(&[&[&"x".repeat(500)]], None);
        assert!(lines[1].len() > 500);
    }
}
