//! Writes records as an Arrow IPC stream.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Schema};

use crate::cli::exit::Failure;

pub(super) struct ArrowOutput<W: Write> {
    writer: StreamWriter<W>,
}

impl<W: Write> ArrowOutput<W> {
    /// Writes the schema.
    pub(super) fn start(out: W, schema: &Schema) -> Result<Self, Failure> {
        let writer = StreamWriter::try_new(out, schema).map_err(failed)?;
        Ok(Self { writer })
    }

    /// Writes a table and flushes it to the reader.
    pub(super) fn write(&mut self, table: &RecordBatch) -> Result<(), Failure> {
        self.writer.write(table).map_err(failed)?;
        self.writer.flush().map_err(failed)
    }

    /// Writes the end of the stream.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.writer.finish().map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn failed(error: ArrowError) -> Failure {
    match &error {
        ArrowError::IoError(_, source) => Failure::of_output(source),
        _ => Failure::Failed(format!(
            "Cannot write the records as Arrow ({error}): use --format json."
        )),
    }
}
