//! The formats of output.

use std::ffi::OsStr;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};

/// How to write Parquet, for which the command line has no writer.
const PARQUET: &str = "\
headwater does not write Parquet. Polars writes it from the Arrow stream:

  headwater consume TOPIC --format arrow | python -c \
'import polars, sys; polars.read_ipc_stream(sys.stdin.buffer).write_parquet(\"records.parquet\")'";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One object per line
    Json,
    /// Columns, cut to the width of a terminal
    Table,
    /// Comma-separated values with a line of headings; null is an empty cell, an empty text is ""
    Csv,
    /// An Arrow IPC stream
    Arrow,
}

/// Parses a format. `parquet` is an error that shows how to write it.
#[derive(Clone)]
pub(super) struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Format, clap::Error> {
        if value.eq_ignore_ascii_case("parquet") {
            return Err(command.clone().error(ErrorKind::InvalidValue, PARQUET));
        }
        EnumValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let formats = Format::value_variants().iter();
        Some(Box::new(formats.filter_map(Format::to_possible_value)))
    }
}
