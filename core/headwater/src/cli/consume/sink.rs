//! The destination of records: standard output in one of the formats.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, StdoutLock, Write as _};

use arrow_array as arrow;
use arrow_schema::SchemaRef;

use super::arrow::ArrowOutput;
use super::csv;
use super::format::Format;
use super::line::{PayloadFormats, RecordLine};
use super::record::TableRecord;
use super::template::Template;
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::table::TablePrinter;

/// A format with its state.
pub(super) enum Sink {
    Json(PayloadFormats),
    Table(TablePrinter),
    Csv {
        formats: PayloadFormats,
        has_headings: bool,
    },
    Raw {
        topic: String,
        template: Template,
    },
    Arrow(Box<ArrowOutput<Stdout>>),
}

impl Sink {
    /// The sink of a format; by default a table on a terminal and JSON elsewhere.
    pub(super) fn new(
        format: Option<Format>,
        formats: PayloadFormats,
        schema: impl FnOnce() -> Result<SchemaRef, Failure>,
    ) -> Result<Self, Failure> {
        let is_terminal = io::stdout().is_terminal();
        Ok(match format {
            None if is_terminal => Self::Table(TablePrinter::default()),
            Some(Format::Table) => Self::Table(TablePrinter::default()),
            None | Some(Format::Json) => Self::Json(formats),
            Some(Format::Csv) => Self::Csv {
                formats,
                has_headings: false,
            },
            Some(Format::Arrow) if is_terminal => {
                return Err(Failure::Usage(
                    "Arrow is not for terminals: send the output to a file or a program."
                        .to_owned(),
                ));
            }
            Some(Format::Arrow) => {
                let schema = schema()?;
                Self::Arrow(Box::new(ArrowOutput::start(io::stdout(), &schema)?))
            }
        })
    }

    /// Writes a table of records, and flushes it to the reader.
    pub(super) fn write(&mut self, records: &arrow::RecordBatch) -> Result<(), Failure> {
        if let Self::Arrow(output) = self {
            return output.write(records);
        }
        let mut out = BufWriter::new(io::stdout().lock());
        self.write_text(records, &mut out)
            .and_then(|()| out.flush())
            .map_err(|error| Failure::of_output(&error))
    }

    fn write_text(
        &mut self,
        records: &arrow::RecordBatch,
        out: &mut BufWriter<StdoutLock<'_>>,
    ) -> io::Result<()> {
        let lines = |formats: PayloadFormats| {
            TableRecord::all(records).map(move |record| RecordLine::new(record, formats))
        };
        match self {
            Self::Json(formats) => output::write_json(&lines(*formats).collect::<Vec<_>>(), out),
            Self::Table(table) => {
                let lines: Vec<_> = lines(PayloadFormats::default()).collect();
                output::write_table(&lines, table, out)
            }
            Self::Csv {
                formats,
                has_headings,
            } => {
                if !std::mem::replace(has_headings, true) {
                    writeln!(out, "{}", csv::HEADINGS)?;
                }
                lines(*formats).try_for_each(|line| csv::write(&line, out))
            }
            Self::Raw { topic, template } => {
                TableRecord::all(records).try_for_each(|record| template.write(topic, &record, out))
            }
            Self::Arrow(_) => unreachable!("Arrow is not text"),
        }
    }

    /// Writes the end of the output.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Arrow(output) => output.finish(),
            Self::Csv {
                has_headings: false,
                ..
            } => writeln!(io::stdout(), "{}", csv::HEADINGS)
                .map_err(|error| Failure::of_output(&error)),
            Self::Json(_) | Self::Table(_) | Self::Csv { .. } | Self::Raw { .. } => Ok(()),
        }
    }
}
