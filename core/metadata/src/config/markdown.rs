//! The documentation of a table.

use super::{Definition, Table, Unit};
use std::fmt::Write as _;

impl Table {
    /// The table as Markdown: one row for each key, by name.
    pub fn markdown(&self) -> String {
        let mut rows: Vec<_> = self.definitions().iter().collect();
        rows.sort_by_key(|definition| definition.name);
        let mut out = String::from("| key | values | default | description |\n|---|---|---|---|\n");
        for definition in rows {
            let default = match definition.default {
                None => "none".to_owned(),
                Some("") => "empty".to_owned(),
                Some(text) => format!("`{text}`"),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                definition.name,
                takes(definition),
                default,
                description(definition)
            );
        }
        out
    }
}

fn takes(definition: &Definition) -> String {
    match (definition.fixed, definition.default) {
        (None, _) => format!("{}{}", definition.expected(), unit_suffix(definition.unit)),
        (Some(_), Some(_)) => "the default".to_owned(),
        (Some(_), None) => "nothing".to_owned(),
    }
}

fn description(definition: &Definition) -> String {
    match definition.fixed {
        None => definition.doc.to_owned(),
        Some(reason) => format!("{} Cannot be changed: {reason}.", definition.doc),
    }
}

fn unit_suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::None | Unit::Count => "",
        Unit::Bytes => " (bytes)",
        Unit::Milliseconds => " (ms)",
        Unit::Minutes => " (minutes)",
        Unit::Hours => " (hours)",
    }
}
