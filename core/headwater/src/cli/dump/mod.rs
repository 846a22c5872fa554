//! `headwater dump`: prints and validates the batches of a segment file. Opens no data directory and changes nothing,
//! so it can be used while a broker is running.

mod line;
mod segment;

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use headwater_record::{BatchError, DecompressLimit, RecordBatch};
use serde::Serialize;

use super::examples;
use super::exit::Failure;
use super::payload::PayloadFormat;
use line::{BatchLine, RecordLine};
use segment::{SegmentItem, SegmentReader};

/// Print the batches of segment files (.log), and whether they are valid. Exit code 1 if one is not
#[derive(Debug, Args)]
#[command(after_help = examples::DUMP)]
pub(crate) struct Dump {
    /// Segment files
    #[arg(required = true, value_name = "SEGMENT", value_hint = ValueHint::FilePath)]
    segments: Vec<PathBuf>,
    /// Print the records too
    #[arg(long)]
    records: bool,
    /// Print JSON, one object on each line
    #[arg(long)]
    json: bool,
    /// The format of keys in JSON
    #[arg(long, value_name = "WRITING", default_value = "text")]
    key: PayloadFormat,
    /// The format of values in JSON
    #[arg(long, value_name = "WRITING", default_value = "text")]
    value: PayloadFormat,
}

impl Dump {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut damaged = 0;
        for path in &self.segments {
            damaged += self.dump(path, &mut out)?;
        }
        out.flush().map_err(|error| Failure::of_output(&error))?;
        if damaged > 0 {
            return Err(Failure::Failed(format!(
                "{damaged} batches are damaged or cut: a broker that opens the directory keeps the batches before the first of them in each file."
            )));
        }
        Ok(())
    }

    /// Prints a file. Returns the number of invalid batches.
    fn dump(&self, path: &Path, out: &mut impl Write) -> Result<u64, Failure> {
        let unreadable = |error: io::Error| {
            Failure::Failed(format!(
                "Cannot read {} ({error}): use a segment file that this user may read.",
                path.display()
            ))
        };
        if path.extension().is_none_or(|extension| extension != "log") {
            return Err(Failure::Usage(format!(
                "{} is not a segment: use a .log file of a partition, such as flights-0/00000000000000000000.log.",
                path.display()
            )));
        }
        let file = File::open(path).map_err(unreadable)?;
        let mut reader = SegmentReader::new(BufReader::with_capacity(1 << 20, file));
        let mut damaged = 0;
        while let Some(found) = reader.next_batch().map_err(unreadable)? {
            match found {
                SegmentItem::Batch { position, batch } => {
                    let is_valid = batch.verify_crc().is_ok();
                    damaged += u64::from(!is_valid);
                    let line = BatchLine::new(position, batch.header(), is_valid);
                    self.print(&line, out)?;
                    if self.records && is_valid {
                        damaged += self.print_records(position, &batch, out)?;
                    }
                }
                SegmentItem::Damage { position, reason } => {
                    damaged += 1;
                    let line = line::Damage { position, reason };
                    self.print(&line, out)?;
                }
                SegmentItem::Zeros { position, bytes } => {
                    let line = line::Zeros { position, bytes };
                    self.print(&line, out)?;
                }
            }
        }
        Ok(damaged)
    }

    /// Prints the records of a batch. Returns 1 if they cannot be decoded.
    fn print_records(
        &self,
        position: u64,
        batch: &RecordBatch,
        out: &mut impl Write,
    ) -> Result<u64, Failure> {
        let damage = |error: BatchError| line::Damage {
            position,
            reason: error.to_string(),
        };
        let records = match batch.records(DecompressLimit::default()) {
            Ok(records) => records,
            Err(error) => {
                let line = damage(error);
                self.print(&line, out)?;
                return Ok(1);
            }
        };
        for record in &records {
            match record {
                Ok(record) => {
                    let line = RecordLine::new(&record, self.key, self.value);
                    self.print(&line, out)?;
                }
                Err(error) => {
                    let line = damage(error);
                    self.print(&line, out)?;
                    return Ok(1);
                }
            }
        }
        Ok(0)
    }

    fn print(
        &self,
        line: &(impl fmt::Display + Serialize),
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let written = if self.json {
            serde_json::to_writer(&mut *out, line)
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
        } else {
            writeln!(out, "{line}")
        };
        written.map_err(|error| Failure::of_output(&error))
    }
}
